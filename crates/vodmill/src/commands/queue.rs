//! `vodmill queue`: how much there is to do, and what was set aside.

use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};
use vodmill_model::{printable, printable_lines};
use vodmill_pipeline::child::EVIDENCE_FOLDER;
use vodmill_queue::{Backlog, Control, KindBacklog, LeaseInfo, QuarantinedTask};

use super::find_job::{Found, find_job};
use super::shared::named_queues;
use crate::cli::{Queue as Arguments, QueueAction};
use crate::config::Config;
use crate::exit::Usage;
use crate::output::{print, print_exact, print_json, printable_json, say, table};
use crate::progress::clock;

/// Tasks in a list.
const LISTED: u32 = 1000;

/// `vodmill queue`.
pub fn run(config: &Config, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let queues = named_queues(config)?;
    // The first is the daemon's, or that of all workers.
    let Some((_, queue)) = queues.first() else {
        print("nothing has run here yet")?;
        return Ok(ExitCode::SUCCESS);
    };
    match &arguments.action {
        None => show(&**queue, arguments.json)?,
        Some(QueueAction::Quarantined) => quarantined(&**queue, arguments.json)?,
        Some(QueueAction::Evidence { job, task }) => evidence(find_job(&queues, job)?, task)?,
        Some(QueueAction::Retry { job, task }) => {
            let (queue, job) = find_job(&queues, job)?;
            queue.retry_quarantined(&job.id, task)?;
            print(&format!("{task} of {}: ready", job.id))?;
        }
        Some(QueueAction::Drop { job, task }) => {
            let (queue, job) = find_job(&queues, job)?;
            queue.drop_quarantined(&job.id, task)?;
            print(&format!("{task} of {}: dropped", job.id))?;
        }
        Some(QueueAction::Pause { pipeline }) => {
            known(config, pipeline)?;
            queue.pause(pipeline)?;
            print(&format!("{pipeline}: paused"))?;
        }
        Some(QueueAction::Resume { pipeline }) => {
            queue.resume(pipeline)?;
            print(&format!("{pipeline}: resumed"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The assignment on standard output, how to use it on standard error.
fn evidence((queue, job): Found<'_>, task: &str) -> anyhow::Result<()> {
    let found = queue.tasks(&job.id)?.into_iter().find(|it| it.key == task);
    let found = found.ok_or_else(|| Usage::error(format!("{} has no task {task}", job.id)))?;
    let evidence: Value = serde_json::from_str(found.evidence.as_deref().unwrap_or("null"))?;
    let Some(assignment) = evidence.get("assignment").filter(|it| !it.is_null()) else {
        return Err(Usage::error(format!("nothing is kept of {task}: no process failed at it")));
    };
    say(&format!(
        "Keys are left out: nothing can be encrypted. To do it again, bring the original\n\
         ({}) to {EVIDENCE_FOLDER}/original; then\n  \
           (vodmill queue evidence {} {task}; cat) | VODMILL_CHILD_SANDBOX=off vodmill child",
        printable(&job.source),
        job.id
    ));
    Ok(print_exact(&printable_json(&assignment.to_string()))?)
}

/// A slip of the pen would pause nothing.
fn known(config: &Config, pipeline: &str) -> anyhow::Result<()> {
    match config.catalogue.pipelines.contains_key(pipeline) {
        true => Ok(()),
        false => Err(Usage::error(format!("there is no pipeline {pipeline}"))),
    }
}

fn show(queue: &dyn Control, as_json: bool) -> anyhow::Result<()> {
    let (backlog, leases, paused) = (queue.backlog()?, queue.leases()?, queue.paused()?);
    if as_json {
        return print_json(&describe(&backlog, &leases, &paused));
    }
    let head = ["task", "ready", "delayed", "leased", "waiting", "set aside", "oldest"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(backlog.kinds.iter().map(kind_row));
    let mut text = match backlog.kinds.is_empty() {
        true => "nothing to do\n".to_owned(),
        false => table(&rows),
    };
    for lease in &leases {
        let LeaseInfo { job_id, key, holder, attempt, .. } = lease;
        text.push_str(&format!("{key} of {job_id}: held by {holder}, attempt {attempt}\n"));
    }
    for pipeline in &paused {
        text.push_str(&format!("pipeline {pipeline} is paused\n"));
    }
    if backlog.quarantined > 0 {
        text.push_str("`vodmill queue quarantined` shows what was set aside, and why\n");
    }
    Ok(print(&text)?)
}

fn kind_row(kind: &KindBacklog) -> Vec<String> {
    let age = kind.oldest_ready.map(clock).unwrap_or_default();
    let counts = [kind.ready, kind.delayed, kind.leased, kind.waiting, kind.quarantined];
    let counts = counts.map(|count| count.to_string());
    [vec![kind.kind.clone()], counts.to_vec(), vec![age]].concat()
}

fn seconds(age: Option<Duration>) -> Option<f64> {
    age.map(|age| age.as_secs_f64())
}

fn describe(backlog: &Backlog, leases: &[LeaseInfo], paused: &[String]) -> Value {
    let kind = |kind: &KindBacklog| {
        json!({
            "kind": kind.kind, "ready": kind.ready, "delayed": kind.delayed,
            "leased": kind.leased, "waiting": kind.waiting, "quarantined": kind.quarantined,
            "oldest_ready_seconds": seconds(kind.oldest_ready),
        })
    };
    let lease = |lease: &LeaseInfo| {
        json!({
            "job": lease.job_id, "pipeline": lease.pipeline, "task": lease.key,
            "kind": lease.kind, "holder": lease.holder, "attempt": lease.attempt,
            "started_at": lease.started_at, "expires_at": lease.expires_at,
        })
    };
    json!({
        "tasks": backlog.kinds.iter().map(kind).collect::<Vec<_>>(),
        "jobs": backlog.jobs.iter().map(|jobs| (jobs.state.to_string(), json!(jobs.count)))
            .collect::<serde_json::Map<_, _>>(),
        "oldest_ready_seconds": seconds(backlog.oldest_ready),
        "quarantined": backlog.quarantined,
        "leases": leases.iter().map(lease).collect::<Vec<_>>(),
        "paused": paused,
    })
}

fn quarantined(queue: &dyn Control, as_json: bool) -> anyhow::Result<()> {
    let tasks = queue.quarantined(LISTED)?;
    if as_json {
        let describe = |one: &QuarantinedTask| {
            let evidence = one
                .task
                .evidence
                .as_deref()
                .map(|text| serde_json::from_str(text).unwrap_or_else(|_| json!(text)));
            json!({
                "job": one.job_id, "name": one.job_name, "pipeline": one.pipeline,
                "task": one.task.key, "kind": one.task.kind, "attempts": one.task.attempts,
                "error": one.task.error, "evidence": evidence.unwrap_or(Value::Null),
            })
        };
        return print_json(&tasks.iter().map(describe).collect::<Vec<_>>());
    }
    if tasks.is_empty() {
        return Ok(print("nothing was set aside")?);
    }
    let mut text = String::new();
    for one in &tasks {
        let error = printable_lines(one.task.error.as_deref().unwrap_or_default());
        let name = printable(&one.job_name);
        text.push_str(&format!(
            "{} of {} ({name}, pipeline {}), {} attempts:\n  {error}\n",
            one.task.key, one.job_id, one.pipeline, one.task.attempts
        ));
    }
    Ok(print(&text)?)
}
