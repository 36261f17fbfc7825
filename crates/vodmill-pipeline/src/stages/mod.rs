//! The stages: one file each. [`run_task`] is the table of contents.

mod audio;
mod cpu_time;
mod package;
mod plan;
mod publication_totals;
mod publish;
mod segments;
mod video;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use vodmill_model::outcome::Reason;
use vodmill_model::transcode::Progress;
use vodmill_model::{Failed, MediaError, Plan, Rejected};
use vodmill_queue::{Completion, JobFilter, Lease, Queue};
use vodmill_store::{Key, Store};

use crate::child::{Assignment, Bounds, ChildRunner};
use crate::file::make_private_dir;
use crate::job::JobOrder;
use crate::original::{ServedOriginal, Unchecked};
use crate::renditions::Made;
use crate::settings::Settings;
use crate::stage_error::StageError;
use crate::worker::Worker;

pub(crate) use publish::{CONTESTED, Pointed, dated, leads_to, led_to, move_pointer, withdraw};

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
    /// Make the rest, describe, prove and store it.
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
pub(crate) type StageResult = Result<Completion, StageError>;

/// Runs the task that a lease is on.
pub(crate) fn run_task(mut context: TaskContext<'_>) -> StageResult {
    let completion = match TaskKind::of(context.lease)? {
        TaskKind::Plan => plan::run(&mut context),
        TaskKind::Video => video::run(&mut context),
        TaskKind::Audio => audio::run(&mut context),
        TaskKind::Segments => segments::run(&mut context),
        TaskKind::Package => package::run(&mut context),
        TaskKind::Publish => publish::run(&mut context),
    }?;
    cpu_time::noted(completion, context.cpu_ms)
}

/// What a stage works with; its scratch goes with it.
pub(crate) struct TaskContext<'a> {
    pub worker: &'a Worker,
    pub lease: &'a Lease,
    pub order: JobOrder,
    /// A folder for this attempt alone.
    pub scratch: PathBuf,
    /// Milliseconds of processor time that its children took.
    cpu_ms: u64,
    progress: &'a mut dyn FnMut(Progress),
    must_go: &'a dyn Fn() -> bool,
    original: Option<ServedOriginal>,
}

impl<'a> TaskContext<'a> {
    pub(crate) fn new(
        worker: &'a Worker,
        lease: &'a Lease,
        progress: &'a mut dyn FnMut(Progress),
        must_go: &'a dyn Fn() -> bool,
    ) -> Result<TaskContext<'a>, StageError> {
        let stage = || format!("read job {}", lease.job_id);
        let order = serde_json::from_str(&lease.job_payload)
            .map_err(|error| Failed::from_error(stage(), &error))?;
        let scratch = worker.layout.attempt(&lease.job_id, &lease.token.to_string());
        make_private_dir(&scratch)?;
        Ok(TaskContext {
            worker,
            lease,
            order,
            scratch,
            cpu_ms: 0,
            progress,
            must_go,
            original: None,
        })
    }

    /// Where a child reads the original.
    fn original(&mut self) -> Result<PathBuf, StageError> {
        if self.original.is_none() {
            let (s3, sha256) = (&self.worker.settings.s3, self.known_sha256()?);
            let original = &self.order.original;
            self.original =
                Some(ServedOriginal::new(original, s3, &self.scratch, sha256.as_deref())?);
        }
        Ok(self.original.as_ref().map(|offer| offer.path().to_owned()).unwrap_or_default())
    }

    /// SHA-256 of the original, once it was planned.
    fn known_sha256(&self) -> Result<Option<String>, StageError> {
        let decided = decided(&*self.worker.queue, &self.lease.job_id);
        let decided = decided.map_err(StageError::unavailable("look for the plan"))?;
        Ok(decided.map(|decided| decided.plan.original.sha256))
    }

    /// Refuses to go on with an original that is not the one that was submitted.
    fn check_unchanged(&self) -> Result<(), StageError> {
        self.check_content(self.known_sha256()?.as_deref())
    }

    /// As [`check_unchanged`](Self::check_unchanged), with the SHA-256 of what was read of it.
    fn check_content(&self, sha256: Option<&str>) -> Result<(), StageError> {
        match self.order.original.check_unchanged(&self.worker.settings.s3, sha256) {
            Ok(()) => Ok(()),
            Err(Unchecked::Media(MediaError::Failed(_))) if self.was_replaced()? => {
                let detail = "another file took its place, and was carried away";
                Err(MediaError::from(Rejected::new(Reason::Changed, detail)).into())
            }
            Err(Unchecked::Media(error)) => Err(error.into()),
            Err(Unchecked::Lasting(failed)) => Err(StageError::Permanent(failed)),
            Err(Unchecked::Away(error)) => Err(StageError::unavailable("look at original")(error)),
        }
    }

    /// Whether another job has worked on other content in the original's place: then it will not come
    /// back, as what is merely out of sight may.
    fn was_replaced(&self) -> Result<bool, StageError> {
        let source = Some(self.order.original.source());
        let filter = JobFilter { source, ..JobFilter::default() };
        let ours = self.worker.queue.job(&self.lease.job_id)?.created_at;
        let mut later = self.worker.queue.jobs(&filter, u32::MAX)?.into_iter();
        Ok(later.any(|job| job.created_at > ours && !self.order.is_same_original(&job.payload)))
    }

    /// Renditions as files on this machine, by digest.
    fn fetch_renditions(
        &self,
        digests: &[String],
    ) -> Result<BTreeMap<String, PathBuf>, StageError> {
        self.worker.renditions.fetch(digests, &self.scratch)
    }

    /// A file of this attempt.
    fn part(&self, name: &str) -> PathBuf {
        self.scratch.join(name).with_extension("part")
    }

    /// Makes a [`part`](TaskContext::part) the rendition of that digest.
    fn keep_rendition(&self, digest: &str, facts: &impl Serialize) -> Result<(), StageError> {
        let (file, writer) = (self.part(digest), self.lease.token.to_string());
        let made = Made { digest, file: &file, job: &self.lease.job_id, writer: &writer };
        self.worker.renditions.complete(&made, facts)
    }

    /// The store that the package is published in.
    fn destination(&self) -> Result<Arc<dyn Store>, StageError> {
        let store = self.order.destination(&self.worker.settings.s3);
        store.map_err(StageError::unavailable("open destination"))
    }

    /// Whether the lease holds still: asked before anything is done that others can see.
    fn check_lease(&self) -> Result<(), StageError> {
        match self.worker.queue.heartbeat(self.lease, self.worker.settings.lease) {
            Err(vodmill_queue::Error::LeaseLost { .. }) => Err(StageError::Interrupted),
            kept => Ok(kept.map(drop)?),
        }
    }

    /// What the plan task decided.
    fn decided(&self) -> Result<Decided, StageError> {
        self.result_of("plan")
    }

    /// The result of a task of this job that is done.
    fn result_of<T: DeserializeOwned>(&self, key: &str) -> Result<T, StageError> {
        let stage = || format!("read {key} of job {}", self.lease.job_id);
        let tasks = self.worker.queue.tasks(&self.lease.job_id)?;
        let result = tasks.into_iter().find(|task| task.key == key).and_then(|task| task.result);
        let result = result.ok_or_else(|| Failed::new(stage(), "there is none"))?;
        Ok(serde_json::from_str(&result).map_err(|e| Failed::from_error(stage(), &e))?)
    }

    /// Runs a child within its bounds, once there is room for it.
    fn run_child<T: DeserializeOwned>(
        &mut self,
        assignment: &Assignment,
        bounds: &Bounds,
    ) -> Result<T, StageError> {
        let _permit = self.worker.admission.admit(bounds.needs).map_err(StageError::NoCapacity)?;
        let Settings { child, limits, .. } = &self.worker.settings;
        let sandbox = limits.sandbox;
        let original = self.original.as_ref().and_then(ServedOriginal::open);
        let scratch = Some(self.scratch.as_path());
        let runner = ChildRunner { command: child, bounds, sandbox, scratch, original };
        let ended = runner.run(assignment, self.progress, self.must_go);
        let away = self.original.as_ref().and_then(ServedOriginal::fault);
        if away.is_none() && self.original.is_some() && matches!(ended, Err(StageError::Media(_))) {
            // What was found wrong may be a mixture of two files.
            self.check_unchanged()?;
        }
        match (ended, away) {
            // The child knows only that it could not read.
            (Err(StageError::Media(MediaError::Failed(_))), Some(cause)) => {
                let stage = format!("read {}", self.order.original.source());
                Err(StageError::Unavailable(Failed::new(stage, cause)))
            }
            (Err(StageError::Media(MediaError::Failed(failed))), None) => {
                let evidence = assignment.evidence(&self.scratch);
                Err(Failed { evidence, ..failed }.into())
            }
            (ended, _) => {
                let (result, usage) = ended?;
                self.cpu_ms += usage.cpu_ms;
                Ok(result)
            }
        }
    }
}

impl Drop for TaskContext<'_> {
    fn drop(&mut self) {
        self.original = None;
        // What stays goes when the job is settled, or at the next start.
        let _ = std::fs::remove_dir_all(&self.scratch);
        let _ = std::fs::remove_dir(self.worker.layout.scratch(&self.lease.job_id));
    }
}

/// What was decided about a job, if it came so far.
pub(crate) fn decided(queue: &dyn Queue, job: &str) -> crate::Result<Option<Decided>> {
    let tasks = queue.tasks(job)?;
    let result = tasks.into_iter().find(|task| task.key == "plan").and_then(|task| task.result);
    let Some(result) = result else { return Ok(None) };
    let stage = || format!("read plan of job {job}");
    Ok(Some(serde_json::from_str(&result).map_err(|e| Failed::from_error(stage(), &e))?))
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
