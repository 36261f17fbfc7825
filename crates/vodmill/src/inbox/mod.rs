//! Inboxes: folders, or prefixes of buckets, that originals are dropped into.
//!
//! Folders are looked through every second rather than by inotify: inotify hears nothing of what other
//! machines write to a network file system, and its events say that a file was touched, not that it
//! is complete. A scan finds what is there, also after a restart, and costs next to nothing.

mod bucket;
pub mod completeness;
mod folder;
pub mod scan;
pub mod settle;
mod unfinished;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use vodmill_clock::{Clock as _, SystemClock, spawn};
use vodmill_fault::point;
use vodmill_model::pipeline::{Lifecycle, ServerSideEncryption};
use vodmill_model::{Failed, Pipeline};
use vodmill_pipeline::original::Original;
use vodmill_pipeline::{Disposal, Stop, Submission, Worker};
use vodmill_store::Location;
use vodmill_store::s3::{Bucket, ObjectSettings, Sse};

use crate::config::Config;
use crate::config::places::Places;
use bucket::{BucketInbox, Group};
use folder::{FolderInbox, Strays};
use settle::Patience;

/// How long inboxes may take to leave when they are asked to, and between two looks at them.
const LEAVE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(10);

/// From an inbox to its pipeline: whose originals come in, and where they go.
struct InboxRoute {
    pipeline: String,
    destination: String,
    objects: ObjectSettings,
    disposal: Disposal,
}

/// The inboxes of all pipelines.
pub struct Inboxes {
    folders: Vec<FolderInbox>,
    buckets: Vec<Group>,
    strays: Strays,
}

/// The threads that watch inboxes.
pub struct Watch(Vec<JoinHandle<()>>);

impl Inboxes {
    /// Makes the folders of all pipelines, where they are not there.
    ///
    /// # Errors
    /// Names the folder that cannot be made.
    pub fn open(config: &Config) -> anyhow::Result<Inboxes> {
        let settle = Duration::from_secs(config.settings.settle_seconds.into());
        let patience = Patience { settle };
        let (mut folders, mut buckets, mut own) = (Vec::new(), Vec::new(), Vec::new());
        for (name, pipeline) in &config.catalogue.pipelines {
            let places = config.places(name, pipeline)?;
            let route = InboxRoute::new(name, pipeline, &places);
            if let Location::Folder(folder) = &places.destination {
                make(folder)?;
            }
            tracing::info!(pipeline = name, inbox = %places.inbox, "watching inbox");
            match &places.inbox {
                Location::Bucket { bucket, prefix } => {
                    let bucket = Bucket::open(bucket, &config.settings.s3);
                    let inbox = BucketInbox::new(bucket, prefix.clone(), route);
                    buckets.push((pipeline.events.clone(), inbox));
                }
                Location::Folder(folder) => {
                    make(folder)?;
                    own.extend(folders_of(&places));
                    let inbox = FolderInbox::open(folder.clone(), route, patience);
                    folders.push(inbox.with_context(|| format!("find {}", folder.display()))?);
                }
            }
        }
        let every = Duration::from_secs(config.settings.list_seconds.into());
        let buckets = Group::all(buckets, &config.settings.s3, every);
        folders.iter_mut().for_each(|folder| folder.knows(&own));
        Ok(Inboxes { folders, buckets, strays: Strays::new(config.home.join("inbox"), own) })
    }

    /// Submits what is dropped, until `stop` asks to leave: each inbox by a thread of its own, so
    /// that none waits for another.
    ///
    /// # Errors
    /// If the system has no room for another thread.
    pub fn watch(self, worker: &Arc<Worker>, stop: &Arc<Stop>) -> anyhow::Result<Watch> {
        let Inboxes { folders, buckets, mut strays } = self;
        let mut threads = Vec::new();
        for mut folder in folders {
            let (worker, stop) = (Arc::clone(worker), Arc::clone(stop));
            threads.push(begin(&Arc::clone(&stop), move || folder.watch(&worker, &stop))?);
        }
        for mut group in buckets {
            let (worker, stop) = (Arc::clone(worker), Arc::clone(stop));
            threads.push(begin(&Arc::clone(&stop), move || group.watch(&worker, &stop))?);
        }
        let stop = Arc::clone(stop);
        threads.push(begin(&Arc::clone(&stop), move || strays.watch(&stop))?);
        Ok(Watch(threads))
    }
}

fn begin(stop: &Stop, watch: impl FnOnce() + Send + 'static) -> anyhow::Result<JoinHandle<()>> {
    spawn(stop.clock(), "inbox", watch).context("begin to watch an inbox")
}

impl Watch {
    /// Waits for the threads, which were asked to leave. One that hangs in a file system that does
    /// not answer is left behind: nothing can end it, and it ends with the process.
    pub fn leave(self) {
        let until = SystemClock.uptime() + LEAVE;
        while SystemClock.uptime() < until && !self.0.iter().all(JoinHandle::is_finished) {
            SystemClock.sleep(LOOK);
        }
        let hanging = self.0.iter().filter(|thread| !thread.is_finished()).count();
        if hanging > 0 {
            tracing::warn!(hanging, "inboxes do not answer, and are left");
        }
    }
}

/// The folders of an inbox, which are no strays in another.
fn folders_of(places: &Places) -> impl Iterator<Item = PathBuf> {
    let all = [&places.inbox, &places.done, &places.rejected];
    all.into_iter().filter_map(|place| match place {
        Location::Folder(folder) => Some(folder.clone()),
        Location::Bucket { .. } => None,
    })
}

impl InboxRoute {
    fn new(name: &str, pipeline: &Pipeline, places: &Places) -> InboxRoute {
        let done_class = Some(pipeline.done_class.clone()).filter(|class| !class.is_empty());
        InboxRoute {
            pipeline: name.to_owned(),
            destination: places.destination.to_string(),
            objects: object_settings(pipeline),
            disposal: Disposal::Move {
                done: places.done.to_string(),
                rejected: places.rejected.to_string(),
                done_class,
            },
        }
    }

    /// Whether this is where originals of this inbox go in the end.
    fn puts_away_to(&self, location: &str) -> bool {
        let Disposal::Move { done, rejected, .. } = &self.disposal else { return false };
        let is_under = |place: &String| {
            location.strip_prefix(place.as_str()).is_some_and(|rest| rest.starts_with('/'))
        };
        is_under(done) || is_under(rejected)
    }

    /// Whether the original was taken, now or earlier.
    fn submit(
        &self,
        worker: &Worker,
        original: vodmill_pipeline::Result<Original>,
        stop: &Stop,
    ) -> bool {
        let submitted = original.and_then(|original| {
            passed(point!("inbox.settled"), "settled")?;
            let source = original.source();
            let submission = Submission {
                original,
                pipeline: self.pipeline.clone(),
                destination: self.destination.clone(),
                objects: self.objects.clone(),
                disposal: self.disposal.clone(),
            };
            let submitted = worker.submit(&submission)?;
            passed(point!("inbox.accepted"), "accepted")?;
            Ok((source, submitted))
        });
        match submitted {
            Ok((original, submitted)) => {
                match submitted.known {
                    None => stop.wake(),
                    Some(state) if state.has_ended() => {
                        tracing::warn!(original, job = submitted.job, %state, "original known already");
                    }
                    Some(_) => {}
                }
                true
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(pipeline = self.pipeline, error, "original not taken");
                false
            }
        }
    }
}

/// A fault point that was ordered to fail is a failure of ours.
fn passed(point: std::io::Result<()>, what: &str) -> Result<(), Failed> {
    point.map_err(|error| Failed::from_error(format!("take an original that has {what}"), &error))
}

fn make(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))
}

/// What a pipeline says of its objects, in the store's words.
pub fn object_settings(pipeline: &Pipeline) -> ObjectSettings {
    let options = &pipeline.objects;
    let lifecycle = pipeline.lifecycle.as_ref();
    let moves = lifecycle.is_some_and(|lifecycle| !lifecycle.cheaper_class.is_empty());
    let (key, value) = Lifecycle::MEDIA;
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    ObjectSettings {
        storage_class: given(&options.storage_class),
        tags: options.tags.clone(),
        bulk_tags: moves.then(|| (key.to_owned(), value.to_owned())).into_iter().collect(),
        sse: options.sse.map(|sse| match sse {
            ServerSideEncryption::Aes256 => Sse::Aes256,
            ServerSideEncryption::Kms => Sse::Kms,
        }),
        kms_key: given(&options.kms_key),
    }
}
