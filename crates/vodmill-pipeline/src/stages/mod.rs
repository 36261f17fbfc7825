//! The stages: one file each. [`run_task`] is the table of contents.

mod audio;
mod package;
mod plan;
mod publish;
mod segments;
mod video;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use vodmill_model::transcode::Progress;
use vodmill_model::{Failed, Plan};
use vodmill_queue::{Completion, Lease};
use vodmill_store::Key;

use crate::child::{Assignment, ChildEnd, Spawner};
use crate::job::JobOrder;
use crate::mill::Mill;

/// What a task does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskKind {
    /// Probe the original and decide everything.
    Plan,
    /// Encode one chunk for every rung.
    Video,
    /// Encode one audio track.
    Audio,
    /// Mux, encrypt, prove and store the segments of one run.
    Segments,
    /// Make the rest, describe and prove.
    Package,
    /// Put it where it can be seen.
    Publish,
}

impl TaskKind {
    const ALL: [TaskKind; 6] = [
        TaskKind::Plan,
        TaskKind::Video,
        TaskKind::Audio,
        TaskKind::Segments,
        TaskKind::Package,
        TaskKind::Publish,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
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
pub(crate) type StageResult = Result<Completion, ChildEnd>;

/// Runs the task that a lease is on.
pub(crate) fn run_task(mut bench: Bench<'_>) -> StageResult {
    let order = bench.order()?;
    match TaskKind::of(bench.lease)? {
        TaskKind::Plan => plan::run(&mut bench, &order),
        TaskKind::Video => video::run(&mut bench, &order),
        TaskKind::Audio => audio::run(&mut bench, &order),
        TaskKind::Segments => segments::run(&mut bench, &order),
        TaskKind::Package => package::run(&mut bench, &order),
        TaskKind::Publish => publish::run(&mut bench, &order),
    }
}

/// What a stage works with.
pub(crate) struct Bench<'a> {
    pub mill: &'a Mill,
    pub lease: &'a Lease,
    pub progress: &'a mut dyn FnMut(Progress),
    pub must_go: &'a dyn Fn() -> bool,
}

impl Bench<'_> {
    fn order(&self) -> Result<JobOrder, Failed> {
        let stage = || format!("read job {}", self.lease.job_id);
        serde_json::from_str(&self.lease.job_payload)
            .map_err(|error| Failed::from_error(stage(), &error))
    }

    /// What the plan task decided.
    fn decided(&self) -> Result<Decided, Failed> {
        self.result_of("plan")
    }

    /// The result of a task of this job that is done.
    fn result_of<T: serde::de::DeserializeOwned>(&self, key: &str) -> Result<T, Failed> {
        let stage = || format!("read {key} of job {}", self.lease.job_id);
        let tasks = self.mill.queue.tasks(&self.lease.job_id);
        let tasks = tasks.map_err(|error| Failed::from_error(stage(), &error))?;
        let result = tasks.into_iter().find(|task| task.key == key).and_then(|task| task.result);
        let result = result.ok_or_else(|| Failed::new(stage(), "there is none"))?;
        serde_json::from_str(&result).map_err(|error| Failed::from_error(stage(), &error))
    }

    /// Where these renditions are on this machine, by their digests.
    fn fetch_renditions(&self, digests: &[String]) -> Result<BTreeMap<String, PathBuf>, ChildEnd> {
        let path = |digest: &String| (digest.clone(), self.mill.renditions.path(digest));
        Ok(digests.iter().map(path).collect())
    }

    /// Marks what this attempt writes, so that two never write the same file.
    fn writer(&self) -> String {
        self.lease.token.to_string()
    }

    fn run_child<T: serde::de::DeserializeOwned>(
        &mut self,
        assignment: &Assignment,
    ) -> Result<T, ChildEnd> {
        let settings = &self.mill.settings;
        let spawner = Spawner { command: &settings.child, limits: &settings.limits };
        spawner.run(assignment, self.progress, self.must_go)
    }
}

/// The plan task's result: what every later task of the job goes by.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Decided {
    pub plan: Plan,
    pub asset: String,
    pub generation: String,
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
