//! The stages: one file each. [`run_task`] is the table of contents.

mod audio;
mod effort;
mod package;
mod plan;
mod publish;
mod segments;
mod tally;
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

use crate::child::{Assignment, Bounds, ChildEnd, Spawner};
use crate::file::make_private_dir;
use crate::job::JobOrder;
use crate::mill::Mill;
use crate::original::{Offer, Unchecked};
use crate::renditions::Made;
use crate::settings::Settings;

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
pub(crate) type StageResult = Result<Completion, ChildEnd>;

/// Runs the task that a lease is on.
pub(crate) fn run_task(mut bench: Bench<'_>) -> StageResult {
    let completion = match TaskKind::of(bench.lease)? {
        TaskKind::Plan => plan::run(&mut bench),
        TaskKind::Video => video::run(&mut bench),
        TaskKind::Audio => audio::run(&mut bench),
        TaskKind::Segments => segments::run(&mut bench),
        TaskKind::Package => package::run(&mut bench),
        TaskKind::Publish => publish::run(&mut bench),
    }?;
    effort::noted(completion, bench.cpu_ms)
}

/// What a stage works with; its scratch goes with it.
pub(crate) struct Bench<'a> {
    pub mill: &'a Mill,
    pub lease: &'a Lease,
    pub order: JobOrder,
    /// A folder for this attempt alone.
    pub scratch: PathBuf,
    /// Milliseconds of processor time that its children took.
    cpu_ms: u64,
    progress: &'a mut dyn FnMut(Progress),
    must_go: &'a dyn Fn() -> bool,
    original: Option<Offer>,
}

impl<'a> Bench<'a> {
    pub(crate) fn new(
        mill: &'a Mill,
        lease: &'a Lease,
        progress: &'a mut dyn FnMut(Progress),
        must_go: &'a dyn Fn() -> bool,
    ) -> Result<Bench<'a>, ChildEnd> {
        let stage = || format!("read job {}", lease.job_id);
        let order = serde_json::from_str(&lease.job_payload)
            .map_err(|error| Failed::from_error(stage(), &error))?;
        let scratch = mill.layout.attempt(&lease.job_id, &lease.token.to_string());
        make_private_dir(&scratch)?;
        Ok(Bench { mill, lease, order, scratch, cpu_ms: 0, progress, must_go, original: None })
    }

    /// Where a child reads the original.
    fn original(&mut self) -> Result<PathBuf, ChildEnd> {
        if self.original.is_none() {
            let (s3, sha256) = (&self.mill.settings.s3, self.known_sha256()?);
            let original = &self.order.original;
            self.original = Some(Offer::new(original, s3, &self.scratch, sha256.as_deref())?);
        }
        Ok(self.original.as_ref().map(|offer| offer.path().to_owned()).unwrap_or_default())
    }

    /// SHA-256 of the original, once it was planned.
    fn known_sha256(&self) -> Result<Option<String>, ChildEnd> {
        let decided = decided(&*self.mill.queue, &self.lease.job_id);
        let decided = decided.map_err(ChildEnd::away("look for the plan"))?;
        Ok(decided.map(|decided| decided.plan.original.sha256))
    }

    /// Refuses to go on with an original that is not the one that was submitted.
    fn check_unchanged(&self) -> Result<(), ChildEnd> {
        self.check_content(self.known_sha256()?.as_deref())
    }

    /// As [`check_unchanged`](Self::check_unchanged), with the SHA-256 of what was read of it.
    fn check_content(&self, sha256: Option<&str>) -> Result<(), ChildEnd> {
        match self.order.original.check_unchanged(&self.mill.settings.s3, sha256) {
            Ok(()) => Ok(()),
            Err(Unchecked::Media(MediaError::Failed(_))) if self.was_replaced()? => {
                let detail = "another file took its place, and was carried away";
                Err(MediaError::from(Rejected::new(Reason::Changed, detail)).into())
            }
            Err(Unchecked::Media(error)) => Err(error.into()),
            Err(Unchecked::Lasting(failed)) => Err(ChildEnd::Lasting(failed)),
            Err(Unchecked::Away(error)) => Err(ChildEnd::away("look at original")(error)),
        }
    }

    /// Whether another job has worked on other content in the original's place: then it will not come
    /// back, as what is merely out of sight may.
    fn was_replaced(&self) -> Result<bool, ChildEnd> {
        let source = Some(self.order.original.source());
        let filter = JobFilter { source, ..JobFilter::default() };
        let ours = self.mill.queue.job(&self.lease.job_id)?.created_at;
        let mut later = self.mill.queue.jobs(&filter, u32::MAX)?.into_iter();
        Ok(later.any(|job| job.created_at > ours && !self.order.is_same_original(&job.payload)))
    }

    /// Renditions as files on this machine, by digest.
    fn fetch_renditions(&self, digests: &[String]) -> Result<BTreeMap<String, PathBuf>, ChildEnd> {
        self.mill.renditions.fetch(digests, &self.scratch)
    }

    /// A file of this attempt.
    fn part(&self, name: &str) -> PathBuf {
        self.scratch.join(name).with_extension("part")
    }

    /// Makes a [`part`](Bench::part) the rendition of that digest.
    fn keep_rendition(&self, digest: &str, facts: &impl Serialize) -> Result<(), ChildEnd> {
        let (file, writer) = (self.part(digest), self.lease.token.to_string());
        let made = Made { digest, file: &file, job: &self.lease.job_id, writer: &writer };
        self.mill.renditions.complete(&made, facts)
    }

    /// The store that the package is published in.
    fn destination(&self) -> Result<Arc<dyn Store>, ChildEnd> {
        let store = self.order.destination(&self.mill.settings.s3);
        store.map_err(ChildEnd::away("open destination"))
    }

    /// Whether the lease holds still: asked before anything is done that others can see.
    fn check_lease(&self) -> Result<(), ChildEnd> {
        match self.mill.queue.heartbeat(self.lease, self.mill.settings.lease) {
            Err(vodmill_queue::Error::LeaseLost { .. }) => Err(ChildEnd::Parked),
            kept => Ok(kept.map(drop)?),
        }
    }

    /// What the plan task decided.
    fn decided(&self) -> Result<Decided, ChildEnd> {
        self.result_of("plan")
    }

    /// The result of a task of this job that is done.
    fn result_of<T: DeserializeOwned>(&self, key: &str) -> Result<T, ChildEnd> {
        let stage = || format!("read {key} of job {}", self.lease.job_id);
        let tasks = self.mill.queue.tasks(&self.lease.job_id)?;
        let result = tasks.into_iter().find(|task| task.key == key).and_then(|task| task.result);
        let result = result.ok_or_else(|| Failed::new(stage(), "there is none"))?;
        Ok(serde_json::from_str(&result).map_err(|e| Failed::from_error(stage(), &e))?)
    }

    /// Runs a child within its bounds, once there is room for it.
    fn run_child<T: DeserializeOwned>(
        &mut self,
        assignment: &Assignment,
        bounds: &Bounds,
    ) -> Result<T, ChildEnd> {
        let _permit = self.mill.admission.admit(bounds.needs).map_err(ChildEnd::Short)?;
        let Settings { child, limits, .. } = &self.mill.settings;
        let sandbox = limits.sandbox;
        let original = self.original.as_ref().and_then(Offer::open);
        let scratch = Some(self.scratch.as_path());
        let spawner = Spawner { command: child, bounds, sandbox, scratch, original };
        let ended = spawner.run(assignment, self.progress, self.must_go);
        let away = self.original.as_ref().and_then(Offer::fault);
        if away.is_none() && self.original.is_some() && matches!(ended, Err(ChildEnd::Media(_))) {
            // What was found wrong may be a mixture of two files.
            self.check_unchanged()?;
        }
        match (ended, away) {
            // The child knows only that it could not read.
            (Err(ChildEnd::Media(MediaError::Failed(_))), Some(cause)) => {
                let stage = format!("read {}", self.order.original.source());
                Err(ChildEnd::Away(Failed::new(stage, cause)))
            }
            (Err(ChildEnd::Media(MediaError::Failed(failed))), None) => {
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

impl Drop for Bench<'_> {
    fn drop(&mut self) {
        self.original = None;
        // What stays goes when the job is settled, or at the next start.
        let _ = std::fs::remove_dir_all(&self.scratch);
        let _ = std::fs::remove_dir(self.mill.layout.scratch(&self.lease.job_id));
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
