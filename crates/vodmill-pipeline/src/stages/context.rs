//! What every stage works with.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use vodmill_model::outcome::Reason;
use vodmill_model::transcode::Progress;
use vodmill_model::{Failed, MediaError, Rejected};
use vodmill_queue::{JobFilter, Lease};
use vodmill_store::Store;

use super::{Decided, decided, graph};
use crate::child::{Assignment, Bounds, ChildRunner};
use crate::file::make_private_dir;
use crate::job::JobOrder;
use crate::original::{ServedOriginal, Unchecked};
use crate::renditions::Made;
use crate::settings::Settings;
use crate::stage_error::StageError;
use crate::worker::Worker;

/// What a stage works with; its scratch goes with it.
pub(crate) struct TaskContext<'a> {
    pub worker: &'a Worker,
    pub lease: &'a Lease,
    pub order: JobOrder,
    /// A folder for this attempt alone.
    pub scratch: PathBuf,
    /// Milliseconds of processor time that its children took.
    pub(super) cpu_ms: u64,
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
    pub(super) fn original(&mut self) -> Result<PathBuf, StageError> {
        if self.original.is_none() {
            let (s3, sha256) = (&self.worker.settings.s3, self.known_sha256()?);
            let original = &self.order.original;
            self.original =
                Some(ServedOriginal::new(original, s3, &self.scratch, sha256.as_deref())?);
        }
        Ok(self.original.as_ref().map(|offer| offer.path().to_owned()).unwrap_or_default())
    }

    /// SHA-256 of the original, once it was planned.
    pub(super) fn known_sha256(&self) -> Result<Option<String>, StageError> {
        let decided = decided(&*self.worker.queue, &self.lease.job_id);
        let decided = decided.map_err(StageError::unavailable("look for the plan"))?;
        Ok(decided.map(|decided| decided.plan.original.sha256))
    }

    /// Refuses to go on with an original that is not the one that was submitted.
    pub(super) fn check_unchanged(&self) -> Result<(), StageError> {
        self.check_content(self.known_sha256()?.as_deref())
    }

    /// As [`check_unchanged`](Self::check_unchanged), with the SHA-256 of what was read of it.
    pub(super) fn check_content(&self, sha256: Option<&str>) -> Result<(), StageError> {
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
    pub(super) fn was_replaced(&self) -> Result<bool, StageError> {
        let source = Some(self.order.original.source());
        let filter = JobFilter { source, ..JobFilter::default() };
        let ours = self.worker.queue.job(&self.lease.job_id)?.created_at;
        let mut later = self.worker.queue.jobs(&filter, u32::MAX)?.into_iter();
        Ok(later.any(|job| job.created_at > ours && !self.order.is_same_original(&job.payload)))
    }

    /// Renditions as files on this machine, by digest.
    pub(super) fn fetch_renditions(
        &self,
        digests: &[String],
    ) -> Result<BTreeMap<String, PathBuf>, StageError> {
        self.worker.renditions.fetch(digests, &self.scratch)
    }

    /// A file of this attempt.
    pub(super) fn part(&self, name: &str) -> PathBuf {
        self.scratch.join(name).with_extension("part")
    }

    /// Makes a [`part`](TaskContext::part) the rendition of that digest.
    pub(super) fn keep_rendition(
        &self,
        digest: &str,
        facts: &impl Serialize,
    ) -> Result<(), StageError> {
        let (file, writer) = (self.part(digest), self.lease.token.to_string());
        let made = Made { digest, file: &file, job: &self.lease.job_id, writer: &writer };
        self.worker.renditions.complete(&made, facts)
    }

    /// The store that the package is published in.
    pub(super) fn destination(&self) -> Result<Arc<dyn Store>, StageError> {
        let store = self.order.destination(&self.worker.settings.s3);
        store.map_err(StageError::unavailable("open destination"))
    }

    /// Whether the lease holds still: asked before anything is done that others can see.
    pub(super) fn check_lease(&self) -> Result<(), StageError> {
        match self.worker.queue.heartbeat(self.lease, self.worker.settings.lease) {
            Err(vodmill_queue::Error::LeaseLost { .. }) => Err(StageError::Interrupted),
            kept => Ok(kept.map(drop)?),
        }
    }

    /// What the plan task decided.
    pub(super) fn decided(&self) -> Result<Decided, StageError> {
        self.result_of(graph::PLAN)
    }

    /// Whether the job has a task of that key.
    pub(super) fn has_task(&self, key: &str) -> Result<bool, StageError> {
        let tasks = self.worker.queue.tasks(&self.lease.job_id)?;
        Ok(tasks.iter().any(|task| task.key == key))
    }

    /// The result of a task of this job that is done.
    pub(super) fn result_of<T: DeserializeOwned>(&self, key: &str) -> Result<T, StageError> {
        let stage = || format!("read {key} of job {}", self.lease.job_id);
        let tasks = self.worker.queue.tasks(&self.lease.job_id)?;
        let result = tasks.into_iter().find(|task| task.key == key).and_then(|task| task.result);
        let result = result.ok_or_else(|| Failed::new(stage(), "there is none"))?;
        Ok(serde_json::from_str(&result).map_err(|e| Failed::from_error(stage(), &e))?)
    }

    /// Runs a child within its bounds, once there is room for it.
    pub(super) fn run_child<T: DeserializeOwned>(
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
