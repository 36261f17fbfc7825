//! The mill: one state folder, its queue, its workers.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use vodmill_hls::keyring::KeyStore;
use vodmill_model::pipeline::{InputPolicy, ProofLevel};
use vodmill_model::plan::Build;
use vodmill_model::{Failed, MediaInfo, Plan, planner};
use vodmill_queue::{Enqueued, JobFilter, JobInfo, JobState, NewJob, NewTask, Queue, SqliteQueue};
use vodmill_store::{LocalStore, Store};

use crate::admission::Admission;
use crate::cache::Cache;
use crate::child::{Assignment, Bounds, ChildEnd, Spawner};
use crate::file::{failed, make_private_dir, remove_dir};
use crate::job::{Disposal, JobOrder, Submission};
use crate::keys::DirKeyStore;
use crate::original::{LateWriters, Original};
use crate::package::{ClearKeys, KeyTable};
use crate::proof::{self, CheckOrder, CheckReport};
use crate::renditions::Renditions;
use crate::settings::{Layout, Settings};
use crate::settle;
use crate::stages::{self, TaskKind};
use crate::{Error, Result};

/// How long a job that is to be retried may be in the hands of its settler, and between two looks.
const SETTLING: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(100);

/// One worker process: what it works with, and the folder that is its alone.
pub struct Mill {
    pub(crate) settings: Settings,
    pub(crate) layout: Layout,
    pub(crate) queue: Arc<dyn Queue>,
    /// Names of assets and numbers of generations: one truth for all that share key stores.
    pub(crate) names: Arc<dyn Queue>,
    pub(crate) keys: Arc<dyn KeyStore>,
    pub(crate) renditions: Renditions,
    pub(crate) admission: Admission,
    pub(crate) build: Build,
    /// Random for each process.
    pub(crate) holder: String,
    /// Held while ended jobs are settled.
    pub(crate) settling: Mutex<()>,
    /// Originals that were put away lately.
    pub(crate) late: LateWriters,
    /// Held for as long as the mill lives.
    _lock: File,
}

/// What workers on several machines have in common.
#[derive(Clone)]
pub struct Shared {
    /// Jobs, tasks, names and numbers.
    pub queue: Arc<dyn Queue>,
    /// Keys.
    pub keys: Arc<dyn KeyStore>,
    /// Renditions: a private place.
    pub work: Arc<dyn Store>,
}

/// What became of a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// The job's id.
    pub job: String,
    /// The state that it was found in; none for a new job.
    pub known: Option<JobState>,
}

impl Mill {
    /// Opens the state folder with a queue, keys and renditions of its own in it, making them on
    /// first use, and takes up what an earlier process left: its leases are released, since it is
    /// gone, and scratch of ended jobs is swept.
    ///
    /// # Errors
    /// [`Error::Busy`] while another process works in the folder; else what failed.
    pub fn open(settings: Settings, libav: String) -> Result<Mill> {
        let lock = take(&Layout::new(settings.state.clone()))?;
        let keys = DirKeyStore::open(&settings.keys)?;
        Mill::by_itself(settings, libav, Arc::new(keys), lock)
    }

    /// As [`open`](Mill::open), with keys that are kept elsewhere or otherwise.
    ///
    /// # Errors
    /// As `open`.
    pub fn open_with_keys(
        settings: Settings,
        libav: String,
        keys: Arc<dyn KeyStore>,
    ) -> Result<Mill> {
        let lock = take(&Layout::new(settings.state.clone()))?;
        Mill::by_itself(settings, libav, keys, lock)
    }

    /// With names of its own home.
    fn by_itself(
        settings: Settings,
        libav: String,
        keys: Arc<dyn KeyStore>,
        lock: File,
    ) -> Result<Mill> {
        let names = SqliteQueue::open(names_path(&settings.keys))?;
        Mill::alone(settings, libav, Arc::new(names), keys, lock)
    }

    /// As [`open`](Mill::open), but with the names and the keys that workers share: what it
    /// publishes stands beside what they do.
    ///
    /// # Errors
    /// As `open`.
    pub fn open_beside(settings: Settings, libav: String, shared: &Shared) -> Result<Mill> {
        let lock = take(&Layout::new(settings.state.clone()))?;
        Mill::alone(settings, libav, Arc::clone(&shared.queue), Arc::clone(&shared.keys), lock)
    }

    /// With a queue and renditions in its own state folder.
    fn alone(
        settings: Settings,
        libav: String,
        names: Arc<dyn Queue>,
        keys: Arc<dyn KeyStore>,
        lock: File,
    ) -> Result<Mill> {
        let layout = Layout::new(settings.state.clone());
        let queue: Arc<dyn Queue> = Arc::new(SqliteQueue::open(layout.queue())?);
        queue.release_all()?;
        let work = Arc::new(LocalStore::private(layout.root()));
        Mill::start(settings, libav, Shared { queue, keys, work }, names, lock)
    }

    /// Joins the workers that share a queue, keys and renditions. The state folder is for scratch
    /// alone, and this process's own.
    ///
    /// # Errors
    /// As [`open`](Mill::open).
    pub fn join(settings: Settings, libav: String, shared: Shared) -> Result<Mill> {
        let lock = take(&Layout::new(settings.state.clone()))?;
        let names = Arc::clone(&shared.queue);
        Mill::start(settings, libav, shared, names, lock)
    }

    fn start(
        settings: Settings,
        libav: String,
        shared: Shared,
        names: Arc<dyn Queue>,
        lock: File,
    ) -> Result<Mill> {
        let layout = Layout::new(settings.state.clone());
        let Shared { queue, keys, work } = shared;
        let cache = Cache::new(layout.cache(), settings.keep_renditions);
        let mill = Mill {
            admission: Admission::new(layout.root().clone()),
            renditions: Renditions::new(Arc::clone(&queue), work, cache),
            build: Build { vodmill: env!("CARGO_PKG_VERSION").to_owned(), libav },
            holder: format!("{}-{}", std::process::id(), jiff::Timestamp::now().as_nanosecond()),
            queue,
            names,
            keys,
            layout,
            settings,
            settling: Mutex::default(),
            late: LateWriters::default(),
            _lock: lock,
        };
        // Whatever lies there is of processes that are gone.
        remove_dir(&mill.layout.work())?;
        mill.settle_ended();
        mill.recall_put_away();
        if let Err(error) = mill.renditions.sweep() {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "renditions not swept");
        }
        Ok(mill)
    }

    /// The queue, to look at jobs.
    pub fn queue(&self) -> &dyn Queue {
        &*self.queue
    }

    /// The key store.
    pub fn keys(&self) -> Arc<dyn KeyStore> {
        Arc::clone(&self.keys)
    }

    /// Takes an original on. Submitting the same one again finds the job that is there.
    ///
    /// # Errors
    /// If the file cannot be looked at or the queue not written.
    pub fn submit(&self, submission: &Submission) -> Result<Submitted> {
        let order = JobOrder::new(submission, &self.settings.catalogue);
        if let Some(job) = self.under_way(&order)? {
            return Ok(Submitted { job: job.id, known: Some(job.state) });
        }
        let job = NewJob {
            id: order.id(),
            pipeline: order.pipeline.clone(),
            name: order.name(),
            source: order.original.source(),
            payload: serde_json::to_string(&order)
                .map_err(|e| Failed::from_error("describe job", &e))?,
            priority: 0,
        };
        let first = NewTask {
            key: "plan".to_owned(),
            kind: TaskKind::Plan.as_str().to_owned(),
            ..NewTask::default()
        };
        let known = match self.queue.enqueue(&job, &[first])? {
            Enqueued::New => None,
            Enqueued::Existing(state) => Some(state),
        };
        match known {
            None => {
                tracing::info!(job = job.id, name = job.name, pipeline = job.pipeline, "job taken")
            }
            Some(state) if state.has_ended() => {
                let known = self.queue.job(&job.id)?;
                if let Some(original) = self.told_from(&order, &known)? {
                    return self.submit(&Submission { original, ..submission.clone() });
                }
                // Dropped once more, the very same file: it goes where the first one went.
                self.put_away_as(&known, &order)?
            }
            Some(_) => {}
        }
        Ok(Submitted { job: job.id, known })
    }

    /// The original of a submission that is known, where it turns out to be another content than that
    /// of the job that ended.
    fn told_from(&self, order: &JobOrder, known: &JobInfo) -> Result<Option<Original>> {
        let Some(decided) = stages::decided(&*self.queue, &known.id)? else { return Ok(None) };
        let earlier = settle::order(known)?.original;
        Ok(order.original.told_from(&earlier, &decided.plan.original.sha256)?)
    }

    /// The job that works on this original already, through the pipeline as it was before an edit.
    /// Where originals move when they are done, a second job would lose its own under its hands.
    fn under_way(&self, order: &JobOrder) -> Result<Option<JobInfo>> {
        if order.disposal == Disposal::Leave {
            return Ok(None);
        }
        for state in [JobState::Waiting, JobState::Running] {
            let (pipeline, source) = (order.pipeline.clone(), order.original.source());
            let filter = JobFilter {
                state: Some(state),
                pipeline: Some(pipeline),
                source: Some(source),
                asset: None,
            };
            let mut jobs = self.queue.jobs(&filter, u32::MAX)?.into_iter();
            let found = jobs.find(|job| order.is_same_original(&job.payload));
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Takes an ended job up again: with what it had done, where that is still there.
    ///
    /// # Errors
    /// If there is no such job, or it is not one that can be retried.
    pub fn retry(&self, job: &str) -> Result<()> {
        retry(&*self.queue, job)
    }
}

/// As [`Mill::retry`], on a queue that another process may be working on.
///
/// # Errors
/// If there is no such job, or it is not one that can be retried; or if what is left of it is still
/// being put away after some seconds.
pub fn retry(queue: &dyn Queue, job: &str) -> Result<()> {
    let begun = Instant::now();
    loop {
        // Scratch may be gone; what was encoded is found again among the renditions.
        match queue.restart(job) {
            Err(vodmill_queue::Error::BeingSettled { .. }) if begun.elapsed() < SETTLING => {
                thread::sleep(LOOK);
            }
            done => return Ok(done?),
        }
    }
}

/// Where a mill with that state folder has its queue, to look into from another process.
pub fn queue_path(state: &Path) -> PathBuf {
    Layout::new(state.to_owned()).queue()
}

/// Where a mill with that folder of keys has the names of assets and the numbers of generations.
pub fn names_path(keys: &Path) -> PathBuf {
    keys.with_file_name("names.sqlite")
}

/// The keys of a published package, as far as `store` has them.
///
/// # Errors
/// If the package or the store cannot be read.
pub fn keys_of(store: &dyn KeyStore, package: &Path) -> Result<KeyTable> {
    let receipt = proof::receipt_of(package)?;
    let keys = store.of_generation(&receipt.asset, &receipt.generation)?;
    Ok(keys.map(|keys| ClearKeys::from(&keys).table).unwrap_or_default())
}

/// Says what a file is, in a child process.
///
/// # Errors
/// [`Error::Media`] with the refusal or the failure.
pub fn probe(settings: &Settings, file: &Path, policy: &InputPolicy) -> Result<MediaInfo> {
    let assignment = Assignment::Probe { original: file.to_owned(), policy: policy.clone() };
    let bytes = file.metadata().map_or(0, |facts| facts.len());
    run_alone(settings, &assignment, bytes)
}

/// Plans a file for a pipeline, and writes nothing.
///
/// # Errors
/// [`Error::Media`] with the refusal or the failure.
pub fn plan(settings: &Settings, file: &Path, pipeline: &str, libav: String) -> Result<Plan> {
    let wanted = settings.catalogue.pipelines.get(pipeline);
    let wanted = wanted.ok_or_else(|| Error::NoPipeline(pipeline.to_owned()))?;
    let media = probe(settings, file, &wanted.input)?;
    let build = Build { vodmill: env!("CARGO_PKG_VERSION").to_owned(), libav };
    let planned = planner::plan(&planner::PlanInput {
        media: &media,
        pipeline_name: pipeline,
        pipeline: wanted,
        presets: &settings.catalogue.presets,
        build: &build,
    });
    Ok(planned.map_err(vodmill_model::MediaError::from)?)
}

/// What a check may have to read, in bytes.
const LARGEST_PACKAGE: u64 = 1 << 40;

/// Proves a published package again, trying the keys that are at hand.
///
/// # Errors
/// If the package could not be looked at; what is wrong with it is in the report.
pub fn check(
    settings: &Settings,
    package: &Path,
    keys: KeyTable,
    level: ProofLevel,
) -> Result<CheckReport> {
    let order = CheckOrder { package: package.to_owned(), keys, level };
    run_alone(settings, &Assignment::Check(Box::new(order)), LARGEST_PACKAGE)
}

fn run_alone<T: serde::de::DeserializeOwned>(
    settings: &Settings,
    assignment: &Assignment,
    bytes: u64,
) -> Result<T> {
    let Settings { child: command, limits, .. } = settings;
    let bounds = Bounds::of_reading(bytes, limits);
    let (bounds, sandbox) = (&bounds, limits.sandbox);
    let spawner = Spawner { command, bounds, sandbox, scratch: None, original: None };
    match spawner.run(assignment, &mut |_| {}, &|| false) {
        Ok((result, _)) => Ok(result),
        Err(ChildEnd::Media(error)) => Err(error.into()),
        Err(ChildEnd::Away(failed) | ChildEnd::Barred(failed) | ChildEnd::Lasting(failed)) => {
            Err(failed.into())
        }
        Err(ChildEnd::Short(cause)) => Err(Failed::new("media child", cause).into()),
        Err(ChildEnd::Parked) => Err(Failed::new("media child", "was told to go").into()),
    }
}

/// Makes the state folder and takes it for this process.
fn take(layout: &Layout) -> Result<File> {
    make_private_dir(layout.root())?;
    lock(&layout.lock())
}

fn lock(path: &Path) -> Result<File> {
    let file = vodmill_secret::create(path).map_err(failed("create", path))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(Error::Busy(path.to_owned())),
        Err(error) => Err(Failed::from_error(format!("lock {}", path.display()), &error).into()),
    }
}
