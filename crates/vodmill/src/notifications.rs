//! The notifications that the configuration asks for.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use vodmill_model::notify::Notify;
use vodmill_notify::{Address, Dispatcher, Distributions, Secrets, Target};
use vodmill_pipeline::{Stop, StopLevel, Worker};
use vodmill_queue::{EventKind, Subscription};

use crate::config::Config;
use crate::config::problem::{Problem, Problems};

/// Reads the secrets of all targets.
///
/// # Errors
/// Every secret that is missing or cannot be used.
pub fn dispatcher(config: &Config) -> Result<Dispatcher, Problems> {
    let mut problems = Vec::new();
    let mut targets = Vec::new();
    for (pipeline, settings) in &config.catalogue.pipelines {
        for one in &settings.notify {
            match target(config, pipeline, one) {
                Ok(target) => targets.push(target),
                Err(message) => problems.push(Problem {
                    file: format!("pipelines/{pipeline}.toml").into(),
                    line: None,
                    message: format!("notify {:?}: {message}", one.name),
                }),
            }
        }
    }
    let pipelines = config.catalogue.pipelines.values();
    let cdns = pipelines.filter_map(|pipeline| pipeline.invalidation.as_ref());
    let ids: BTreeSet<_> = cdns.map(|cdn| cdn.distribution.clone()).collect();
    let aws = &config.settings.aws;
    let distributions = Distributions {
        ids: ids.into_iter().collect(),
        access: aws.cloudfront(),
        alarm: aws.invalidation_alarm.into(),
    };
    Problems::none_or(problems, Dispatcher::new(targets, distributions))
}

fn target(config: &Config, pipeline: &str, one: &Notify) -> Result<Target, String> {
    let address = match one.is_topic() {
        true => Address::Sns { topic: one.to.clone(), access: config.settings.aws.sns() },
        false => Address::Webhook { url: one.to.clone(), secrets: secrets(&config.home, one)? },
    };
    let kinds = one.events.iter().filter_map(|event| EventKind::from_word(event.as_str()));
    let subscription = Subscription {
        pipeline: pipeline.to_owned(),
        target: format!("{pipeline}/{}", one.name),
        kinds: kinds.collect(),
    };
    Ok(Target {
        subscription,
        address,
        timeout: Duration::from_secs(one.timeout_seconds.into()),
        give_up_after: Duration::from_secs(3600 * u64::from(one.give_up_hours)),
    })
}

fn secrets(home: &Path, one: &Notify) -> Result<Secrets, String> {
    let text = match one.secret_env.as_str() {
        "" => vodmill_secret::read(&home.join(&one.secret_file))
            .map_err(|error| format!("secret_file: {}", chain(&error)))?
            .to_string(),
        name => {
            std::env::var(name).map_err(|_| format!("secret_env: the environment has no {name}"))?
        }
    };
    Secrets::parse(&text).map_err(|error| error.to_string())
}

/// An error and its cause, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// Sends what the queue of a worker holds, until it is told to stop.
pub fn run(dispatcher: &Dispatcher, worker: &Worker, stop: &Stop) {
    dispatcher.run(worker.queue(), &**stop.clock(), &|pause| {
        stop.wait(pause);
        stop.level() == StopLevel::Running
    });
}
