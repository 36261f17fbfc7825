//! The stages: one file each. [`run_task`] is the table of contents.

mod analyse;
mod audio;
mod context;
mod cpu_time;
mod graph;
mod measure;
mod package;
mod plan;
mod publication_totals;
mod publish;
mod segments;
mod video;

use serde::{Deserialize, Serialize};
use vodmill_model::{Failed, GenerationName, Plan};
use vodmill_queue::{Completion, Jobs, Lease};
use vodmill_store::Key;

use crate::stage_error::StageError;

pub(crate) use context::TaskContext;
pub(crate) use graph::first_tasks;
pub(crate) use publish::{
    CONTESTED, Pointed, date, leads_to, led_to, move_pointer, text_of, withdraw,
};

/// What a task does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskKind {
    /// Probe the original and try samples of its pictures.
    Analyse,
    /// Probe the original and decide everything.
    Plan,
    /// Encode one chunk for every rung.
    Video,
    /// Encode one audio track.
    Audio,
    /// Mux, encrypt, prove and store the segments of one run.
    Segments,
    /// Make the rest, describe, prove and store it.
    Package,
    /// Put it where it can be seen.
    Publish,
}

impl TaskKind {
    const ALL: [TaskKind; 7] = [
        TaskKind::Analyse,
        TaskKind::Plan,
        TaskKind::Video,
        TaskKind::Audio,
        TaskKind::Segments,
        TaskKind::Package,
        TaskKind::Publish,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            TaskKind::Analyse => "analyse",
            TaskKind::Plan => "plan",
            TaskKind::Video => "video",
            TaskKind::Audio => "audio",
            TaskKind::Segments => "segments",
            TaskKind::Package => "package",
            TaskKind::Publish => "publish",
        }
    }

    fn of(lease: &Lease) -> Result<TaskKind, Failed> {
        let kind = TaskKind::ALL.into_iter().find(|kind| kind.as_str() == lease.kind);
        kind.ok_or_else(|| Failed::new("run task", format!("unknown kind {:?}", lease.kind)))
    }
}

/// How a stage ends: with what to record, or without a result.
pub(crate) type StageResult = Result<Completion, StageError>;

/// Runs the task that a lease is on.
pub(crate) fn run_task(mut context: TaskContext<'_>) -> StageResult {
    let completion = match TaskKind::of(context.lease)? {
        TaskKind::Analyse => analyse::run(&mut context),
        TaskKind::Plan => plan::run(&mut context),
        TaskKind::Video => video::run(&mut context),
        TaskKind::Audio => audio::run(&mut context),
        TaskKind::Segments => segments::run(&mut context),
        TaskKind::Package => package::run(&mut context),
        TaskKind::Publish => publish::run(&mut context),
    }?;
    cpu_time::noted(completion, context.cpu_ms)
}

/// What was decided about a job, if it came so far.
pub(crate) fn decided(queue: &dyn Jobs, job: &str) -> crate::Result<Option<Decided>> {
    let tasks = queue.tasks(job)?;
    let result =
        tasks.into_iter().find(|task| task.key == graph::PLAN).and_then(|task| task.result);
    let Some(result) = result else { return Ok(None) };
    let stage = || format!("read plan of job {job}");
    Ok(Some(serde_json::from_str(&result).map_err(|e| Failed::from_error(stage(), &e))?))
}

/// The plan task's result: what every later task of the job goes by.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Decided {
    pub plan: Plan,
    pub asset: String,
    pub generation: GenerationName,
}

impl Decided {
    /// Below what all objects of the generation are: nothing else is there, and nothing of it
    /// stays when the job ends without being published.
    pub(crate) fn prefix(&self) -> Result<Key, Failed> {
        let key = Key::new(format!("{}/{}", self.asset, self.generation));
        key.map_err(|error| {
            Failed::from_error(format!("name generation of {}", self.asset), &error)
        })
    }
}

/// A completion with this result.
fn done(result: &impl Serialize) -> StageResult {
    let result =
        serde_json::to_string(result).map_err(|e| Failed::from_error("describe result", &e))?;
    Ok(Completion { result, ..Completion::default() })
}
