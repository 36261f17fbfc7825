//! `vodmill lifecycle`: what a pipeline's bucket does with old objects by itself.

use std::process::ExitCode;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use vodmill_model::Pipeline;
use vodmill_model::pipeline::Lifecycle;
use vodmill_pipeline::is_media;
use vodmill_store::Location;
use vodmill_store::s3::{Bucket, LifecycleRule, RuleAction};

use super::pipeline;
use crate::cli;
use crate::config::Config;
use crate::exit::Usage;
use crate::output::{print, print_json};

/// Objects from one look at progress to the next.
const MARKED_AT_ONCE: usize = 256;

/// `vodmill lifecycle`.
pub fn run(config: &Config, arguments: &cli::Lifecycle) -> anyhow::Result<ExitCode> {
    let (name, pipeline) = pipeline(config, arguments.pipeline.as_deref())?;
    let Location::Bucket { bucket, prefix } = config.places(name, pipeline)?.destination else {
        return Err(Usage::error(format!(
            "pipeline {name} publishes in a folder, where nothing has a storage class"
        )));
    };
    let prefix = prefix.map(|prefix| format!("{prefix}/")).unwrap_or_default();
    let ours = format!("vodmill/{name}/");
    let rules = rules(&ours, &prefix, pipeline);
    let moves = rules.iter().any(|rule| matches!(rule.action, RuleAction::Move { .. }));
    if arguments.mark && !moves {
        let message = format!("pipeline {name} has no cheaper_class, for which media is marked");
        return Err(Usage::error(message));
    }
    if !arguments.apply {
        let rules: Vec<_> = rules.iter().map(LifecycleRule::json).collect();
        print_json(&json!({ "Rules": rules }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let bucket = Bucket::open(&bucket, &config.settings.s3);
    let applied = bucket.apply_lifecycle(&ours, &rules)?;
    let what = match (applied.changed, rules.len()) {
        (false, _) => "had these rules already".to_owned(),
        (true, 0) => "has no rule of this pipeline any more".to_owned(),
        (true, 1) => "has 1 rule of this pipeline now".to_owned(),
        (true, count) => format!("has {count} rules of this pipeline now"),
    };
    print(&format!("s3://{} {what}; {} of others", bucket.name(), applied.others))?;
    if arguments.mark {
        mark(&bucket, &prefix)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Marks media that was published before there were rules.
fn mark(bucket: &Bucket, prefix: &str) -> anyhow::Result<()> {
    let objects = bucket.list(prefix)?.into_iter().map(|object| object.key);
    let media: Vec<String> = objects.filter(|key| is_media(&key[prefix.len()..])).collect();
    let style = ProgressStyle::with_template("{pos} of {len} objects marked, {eta} left");
    let bar = ProgressBar::new(media.len() as u64).with_style(style.context("draw progress")?);
    let mut marked = 0;
    for some in media.chunks(MARKED_AT_ONCE) {
        marked += bucket.add_tag(some, Lifecycle::MEDIA)?;
        bar.inc(some.len() as u64);
    }
    bar.finish_and_clear();
    print(&format!("{marked} of {} objects of media are marked now", media.len()))?;
    Ok(())
}

/// The rules that a pipeline asks for.
fn rules(ours: &str, prefix: &str, pipeline: &Pipeline) -> Vec<LifecycleRule> {
    let Some(lifecycle) = &pipeline.lifecycle else { return Vec::new() };
    let rule = |name: &str, action| LifecycleRule {
        id: format!("{ours}{name}"),
        prefix: prefix.to_owned(),
        action,
    };
    let (key, value) = Lifecycle::MEDIA;
    let media = RuleAction::Move {
        tag: (key.to_owned(), value.to_owned()),
        larger_than: u64::from(lifecycle.larger_than_kib) * 1024,
        days: lifecycle.cheaper_after_days,
        class: lifecycle.cheaper_class.clone(),
    };
    let uploads = RuleAction::Abort { days: lifecycle.abort_uploads_days };
    let moves = !lifecycle.cheaper_class.is_empty();
    let media = moves.then(|| rule("media", media));
    media.into_iter().chain([rule("uploads", uploads)]).collect()
}
