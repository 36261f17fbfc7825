//! `vodmill outbox` and `vodmill invalidations`: what is on its way out, and what could not be
//! delivered.

use std::process::ExitCode;
use std::sync::Arc;

use serde_json::{Value, json};
use vodmill_queue::{Batch, DeadLetters, DeliveryInfo, DeliveryState, Queue, StalePath};

use super::shared::carried;
use crate::cli::{Invalidations, Outbox, OutboxAction};
use crate::config::Config;
use crate::exit::Usage;
use crate::output::{print, print_json, table};
use crate::progress::{clock, since, until};

/// Rows in a list.
const LISTED: u32 = 1000;

/// `vodmill outbox`.
pub fn run(config: &Config, arguments: &Outbox) -> anyhow::Result<ExitCode> {
    let Some(queue) = first(config)? else { return Ok(ExitCode::SUCCESS) };
    match &arguments.action {
        None => list(&*queue, arguments)?,
        Some(OutboxAction::Retry { number, target, all }) => {
            let which = match (number, target.as_deref(), all) {
                (Some(number), None, false) => DeadLetters::One(*number),
                (None, Some(target), false) => DeadLetters::Of(target),
                (None, None, true) => DeadLetters::All,
                _ => return Err(Usage::error("say which: a number, --target NAME or --all")),
            };
            let count = queue.retry_deliveries(which)?;
            print(&format!("{count} taken up again"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Foreground work sends no notifications.
fn first(config: &Config) -> anyhow::Result<Option<Arc<dyn Queue>>> {
    let queue = carried(config)?;
    if queue.is_none() {
        print("nothing has run here yet")?;
    }
    Ok(queue)
}

fn list(outbox: &dyn vodmill_queue::Outbox, arguments: &Outbox) -> anyhow::Result<()> {
    let state = arguments.dead.then_some(DeliveryState::Dead);
    let found = outbox.deliveries(state, LISTED)?;
    if arguments.json {
        return print_json(&found.iter().map(describe).collect::<Vec<_>>());
    }
    if found.is_empty() {
        return Ok(print(if arguments.dead { "no dead letters" } else { "the outbox is empty" })?);
    }
    let head = ["number", "state", "target", "event", "job", "age", "tries", "next", "error"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(found.iter().map(row));
    Ok(print(&table(&rows))?)
}

fn row(one: &DeliveryInfo) -> Vec<String> {
    let next = match one.state {
        DeliveryState::Waiting => clock(until(one.run_at)),
        _ => String::new(),
    };
    vec![
        one.id.to_string(),
        one.state.to_string(),
        one.target.clone(),
        one.event.kind.to_string(),
        one.event.job.clone().unwrap_or_default(),
        clock(since(one.event.at)),
        one.attempts.to_string(),
        next,
        one.error.clone().unwrap_or_default(),
    ]
}

fn describe(one: &DeliveryInfo) -> Value {
    let body: Value = serde_json::from_str(&vodmill_notify::body(&one.event)).unwrap_or_default();
    json!({
        "number": one.id, "state": one.state.as_str(), "target": one.target,
        "attempts": one.attempts, "run_at": one.run_at, "ended_at": one.ended_at,
        "error": one.error, "event": body,
    })
}

/// `vodmill invalidations`.
pub fn invalidations(config: &Config, arguments: &Invalidations) -> anyhow::Result<ExitCode> {
    let Some(queue) = first(config)? else { return Ok(ExitCode::SUCCESS) };
    let waiting = queue.stale_paths(LISTED)?;
    let (batches, months) = (queue.batches(LISTED)?, queue.stale_counts(12)?);
    if arguments.json {
        let wish = |one: &StalePath| json!({ "distribution": one.distribution, "path": one.path });
        print_json(&json!({
            "waiting": waiting.iter().map(wish).collect::<Vec<_>>(),
            "batches": batches.iter().map(describe_batch).collect::<Vec<_>>(),
            "months": months.iter().map(|(month, paths)| (month.clone(), json!(paths)))
                .collect::<serde_json::Map<_, _>>(),
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut text = String::new();
    for StalePath { distribution, path } in &waiting {
        text.push_str(&format!("waiting: {path} of {distribution}\n"));
    }
    let rows: Vec<_> = batches.iter().map(batch_row).collect();
    text.push_str(&table(&rows));
    for (month, paths) in &months {
        text.push_str(&format!("{month}: {paths} paths\n"));
    }
    print(if text.is_empty() { "nothing was invalidated yet" } else { &text })?;
    Ok(ExitCode::SUCCESS)
}

fn batch_row(batch: &Batch) -> Vec<String> {
    let first = batch.paths.first().cloned().unwrap_or_default();
    let paths = match batch.paths.len() {
        0 | 1 => first,
        count => format!("{first} and {} more", count - 1),
    };
    vec![
        batch.distribution.clone(),
        batch.remote.clone().unwrap_or_else(|| "not sent".to_owned()),
        batch.state.to_string(),
        format!("{} ago", clock(since(batch.created_at))),
        paths,
        batch.error.clone().unwrap_or_default(),
    ]
}

fn describe_batch(batch: &Batch) -> Value {
    json!({
        "reference": batch.reference, "distribution": batch.distribution,
        "pipeline": batch.pipeline, "paths": batch.paths, "state": batch.state.as_str(),
        "invalidation": batch.remote, "attempts": batch.attempts, "error": batch.error,
        "created_at": batch.created_at, "ended_at": batch.ended_at,
    })
}
