//! One file for each command.

mod adopt;
mod catalogue;
mod check;
mod cost;
mod daemon;
mod find_job;
mod gc;
mod jobs;
mod key_stores;
mod keys;
mod lifecycle;
mod measure;
mod monthly;
mod outbox;
mod plan;
mod probe;
mod published;
mod queue;
mod regress;
mod rekey;
mod restore;
mod run;
mod scratch;
mod shared;
mod sign;
mod sync;
mod worker;

use std::process::ExitCode;

use anyhow::Context as _;
use vodmill_av::Libav;
use vodmill_model::plan::Build;
use vodmill_model::{Pipeline, Preset, Transcode as _, printable};
use vodmill_pipeline::{ChildCommand, Limits, Settings};

use crate::cli::{Cli, Command, Keys, KeysAction};
use crate::config::Config;
use crate::config::settings::LogFilter;
use crate::{exit, logs, signals};

/// Runs the command of a command line.
///
/// # Errors
/// To be printed once.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    if matches!(cli.command, Command::Child) {
        signals::leave_to_parent()?;
        return Ok(vodmill_pipeline::child::main(&Libav));
    }
    // A schema describes files that may not be valid yet, or not be there.
    match &cli.command {
        Command::Presets(what) if what.schema => return catalogue::schema::<Preset>(),
        Command::Pipelines(what) if what.schema => return catalogue::schema::<Pipeline>(),
        Command::Schema { document } => return catalogue::schema_of(*document),
        _ => {}
    }
    let serve = match &cli.command {
        Command::Daemon(daemon) => daemon.serve,
        _ => None,
    };
    let config = Config::load(&cli.home, serve)?;
    logs::start(&log_filter(&cli, &config), cli.log_format)?;
    close_state(&config)?;
    match cli.command {
        Command::Probe(arguments) => probe::run(&config, &arguments),
        Command::Plan(arguments) => plan::run(&config, &arguments),
        Command::Run(arguments) => run::run(&config, &arguments),
        Command::Daemon(arguments) => daemon::run(config, &arguments),
        Command::Worker => worker::run(&config),
        Command::Queue(arguments) => queue::run(&config, &arguments),
        Command::Check(arguments) => check::run(&config, &arguments),
        Command::Measure(arguments) => measure::run(&config, &arguments),
        Command::Outbox(arguments) => outbox::run(&config, &arguments),
        Command::Invalidations(arguments) => outbox::invalidations(&config, &arguments),
        Command::Jobs(arguments) => jobs::run(&config, &arguments),
        Command::Keys(arguments) => keys::run(&config, &arguments),
        Command::Adopt(arguments) => adopt::run(&config, &arguments),
        Command::Gc(arguments) => gc::run(&config, &arguments),
        Command::Restore(arguments) => restore::run(&config, &arguments),
        Command::Lifecycle(arguments) => lifecycle::run(&config, &arguments),
        Command::Rekey(arguments) => rekey::run(&config, &arguments),
        Command::Presets(arguments) => catalogue::presets(&config, arguments.action),
        Command::Pipelines(arguments) => catalogue::pipelines(&config, arguments.action),
        Command::Sync(arguments) => sync::run(&config, &arguments),
        Command::Sign(arguments) => sign::run(&config, &arguments),
        Command::Cost(arguments) => cost::run(&config, &arguments),
        Command::Regress(arguments) => regress::run(&config, &arguments),
        Command::Child | Command::Schema { .. } => Ok(ExitCode::SUCCESS),
    }
}

/// Takes the state of an earlier version from other accounts; what is wrong with the permissions of
/// a secret is told when that is read.
fn close_state(config: &Config) -> anyhow::Result<()> {
    let keys = config.keys();
    let is_secret = |path: &std::path::Path| {
        let named = ["kek", "tokens", "credentials"].map(|name| keys.join(name));
        named.iter().any(|secret| secret == path)
    };
    vodmill_secret::tighten(&config.state(), &is_secret).context("close the state to others")
}

/// Commands that talk to a person log only what is wrong.
fn log_filter(cli: &Cli, config: &Config) -> LogFilter {
    match (&cli.log, &cli.command) {
        (Some(filter), _) => filter.clone(),
        (
            None,
            Command::Daemon(_)
            | Command::Worker
            | Command::Keys(Keys { action: KeysAction::Serve { .. } }),
        ) => config.settings.log.clone(),
        // It says itself what became of each file.
        (None, Command::Run(_) | Command::Regress(_)) => LogFilter("error".to_owned()),
        (None, _) => LogFilter("warn".to_owned()),
    }
}

/// What the worker is told. `part` is a folder of the state, so that work in the foreground does not
/// wait for a daemon.
fn worker_settings(config: &Config, part: &str) -> anyhow::Result<Settings> {
    let settings = &config.settings;
    let workers = match settings.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => usize::try_from(workers)?,
    };
    // Not the program's path: what is installed over it later must not run under this process.
    let program = std::path::PathBuf::from("/proc/self/exe");
    Ok(Settings {
        state: config.state().join(part),
        home: config.home.clone(),
        keys: config.keys(),
        catalogue: config.catalogue.clone(),
        child: ChildCommand { program, arguments: vec!["child".to_owned()] },
        workers,
        s3: settings.s3.clone(),
        lease: std::time::Duration::from_secs(settings.lease_seconds.into()),
        keep_renditions: settings.keep_renditions.0,
        foreground: part == FOREGROUND,
        limits: Limits {
            memory: settings.child_memory.0,
            stall: std::time::Duration::from_secs(settings.stall_seconds.into()),
            sandbox: settings.sandbox.0,
            ..Limits::default()
        },
    })
}

/// Part of the state that the daemon works in.
const DAEMON: &str = "daemon";

/// Part of the state that `run` works in.
const FOREGROUND: &str = "run";

fn build() -> Build {
    Libav.build()
}

/// The pipeline that the caller named, or the one that is meant by naming none.
fn pipeline<'a>(
    config: &'a Config,
    name: Option<&'a str>,
) -> anyhow::Result<(&'a str, &'a Pipeline)> {
    config.pipeline(name).ok_or_else(|| {
        let known: Vec<&str> = config.catalogue.pipelines.keys().map(String::as_str).collect();
        exit::Usage::error(match name {
            Some(name) => format!("no pipeline {name}; there are {}", known.join(", ")),
            None => format!("--pipeline is needed; there are {}", known.join(", ")),
        })
    })
}

/// The file as an absolute path, since work on it happens in other processes.
fn input(file: &std::path::Path) -> anyhow::Result<std::path::PathBuf> {
    let path = std::path::absolute(file).with_context(|| format!("find {}", file.display()))?;
    if !path.is_file() {
        let name = file.to_string_lossy();
        return Err(exit::Usage::error(format!("{} is not a file", printable(&name))));
    }
    Ok(path)
}
