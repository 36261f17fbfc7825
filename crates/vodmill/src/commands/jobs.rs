//! `vodmill jobs`: what the daemon and `run` are doing, read from their queues.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use vodmill_clock::SystemClock;
use vodmill_model::{Rejected, printable_lines};
use vodmill_pipeline::progress;
use vodmill_queue::{JobFilter, JobInfo, JobState, Jobs, TaskInfo, TaskState};

use super::find_job::find_job;
use super::shared::{NamedQueue, named_queues};
use crate::cli::{Jobs as Arguments, JobsAction};
use crate::config::Config;
use crate::exit::Usage;
use crate::output::{print, print_json, print_line, table};
use crate::progress::{clock, describe, now, overall, pace, since};

/// Jobs in a list; older ones can still be shown by their ids.
const LISTED: u32 = 1000;

/// `vodmill jobs`.
pub fn run(config: &Config, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let queues = named_queues(config)?;
    match arguments.action.as_ref().unwrap_or(&JobsAction::List) {
        JobsAction::List => list(&queues, arguments.json)?,
        JobsAction::Show { id } => {
            let (queue, job) = find_job(&queues, id)?;
            show(queue, &job, arguments.json)?;
        }
        JobsAction::Retry { id } => {
            let (queue, job) = find_job(&queues, id)?;
            vodmill_pipeline::retry(queue, &SystemClock, &job.id)?;
            print_line(&format!("{} {}: waiting", job.id, job.name))?;
        }
        JobsAction::Cancel { id } => {
            let (queue, job) = find_job(&queues, id)?;
            cancel(queue, &job)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A job that has ended cannot be cancelled, also where it ends just now.
fn cancel(queue: &dyn Jobs, job: &JobInfo) -> anyhow::Result<()> {
    let state = match job.state.has_ended() {
        true => job.state,
        false => queue.cancel(&job.id)?,
    };
    if job.state.has_ended() || state != JobState::Cancelled {
        let message = format!("{} {} is {state}: there is nothing to cancel", job.id, job.name);
        return Err(Usage::error(message));
    }
    Ok(print_line(&format!("{} {}: {state}", job.id, job.name))?)
}

fn list(queues: &[NamedQueue], as_json: bool) -> anyhow::Result<()> {
    let mut jobs = Vec::new();
    for (_, queue) in queues {
        let listed = queue.jobs(&JobFilter::default(), LISTED).context("list jobs")?;
        jobs.extend(listed.into_iter().map(|job| (&**queue, job)));
    }
    jobs.sort_by_key(|(_, job)| std::cmp::Reverse(job.created_at));
    if as_json {
        return print_json(&jobs.iter().map(|(_, job)| describe_job(job)).collect::<Vec<_>>());
    }
    if jobs.is_empty() {
        return Ok(print("no jobs yet: nothing has run here")?);
    }
    let mut rows = Vec::new();
    for (queue, job) in &jobs {
        let far = match job.state.has_ended() {
            true => String::new(),
            false => format!("{} %", overall(&progress(*queue, &job.id)?)),
        };
        let age = format!("{} ago", clock(since(job.created_at)));
        let state = job.state.to_string();
        rows.push(vec![job.id.clone(), state, far, age, job.pipeline.clone(), job.name.clone()]);
    }
    Ok(print(&table(&rows))?)
}

fn show(queue: &dyn Jobs, job: &JobInfo, as_json: bool) -> anyhow::Result<()> {
    let tasks = queue.tasks(&job.id)?;
    let bars = progress(queue, &job.id)?;
    if as_json {
        let mut value = describe_job(job);
        value["progress"] = serde_json::to_value(&bars)?;
        value["tasks"] = tasks.iter().map(describe_task).collect();
        return print_json(&value);
    }
    let mut text = table(&facts(job));
    let worked = working_time(job);
    for bar in &bars {
        text.push_str(&format!("  {}\n", describe(bar, pace(bar, bar.done, worked))));
    }
    for task in tasks.iter().filter(|task| task.error.is_some()) {
        let error = printable_lines(task.error.as_deref().unwrap_or_default());
        text.push_str(&format!(
            "  {} ({}, attempt {}): {error}\n",
            task.key, task.state, task.attempts
        ));
    }
    Ok(print(&text)?)
}

fn facts(job: &JobInfo) -> Vec<Vec<String>> {
    let mut rows = vec![
        ["job", &job.id].map(str::to_owned).to_vec(),
        ["original", &job.source].map(str::to_owned).to_vec(),
        ["pipeline", &job.pipeline].map(str::to_owned).to_vec(),
        ["state", job.state.as_str()].map(str::to_owned).to_vec(),
    ];
    let mut add = |name: &str, value: String| rows.push(vec![name.to_owned(), value]);
    if let Some(asset) = &job.asset {
        add("asset", asset.clone());
    }
    if let Some(reason) = &job.reason {
        match serde_json::from_str::<Rejected>(reason) {
            Ok(why) => {
                add("reason", why.to_string());
                add("remedy", why.remedy);
            }
            Err(_) => add("reason", reason.clone()),
        }
    }
    add("worked", clock(working_time(job)));
    rows
}

fn describe_job(job: &JobInfo) -> Value {
    let reason = job.reason.as_deref();
    // A refusal is kept as JSON, a failure as text.
    let reason = reason.map(|text| serde_json::from_str(text).unwrap_or_else(|_| json!(text)));
    json!({
        "id": job.id, "name": job.name, "original": job.source, "pipeline": job.pipeline,
        "state": job.state.as_str(), "reason": reason, "asset": job.asset,
        "created_at": job.created_at, "started_at": job.started_at, "ended_at": job.ended_at,
    })
}

fn describe_task(task: &TaskInfo) -> Value {
    json!({
        "key": task.key, "kind": task.kind, "state": task.state.as_str(),
        "attempts": task.attempts, "losses": task.losses, "error": task.error,
        "retry_at": (task.state == TaskState::Ready).then_some(task.run_at),
        "started_at": task.started_at, "ended_at": task.ended_at,
    })
}

fn working_time(job: &JobInfo) -> Duration {
    let end = job.ended_at.unwrap_or_else(now);
    let start = job.started_at.unwrap_or(end);
    Duration::from_millis(end.saturating_sub(start).max(0).unsigned_abs())
}
