//! Inboxes: folders, or prefixes of buckets, that originals are dropped into.
//!
//! Folders are looked through every second rather than by inotify: inotify hears nothing of what other
//! machines write to a network file system, and its events say that a file was touched, not that it
//! is complete. A scan finds what is there, also after a restart, and costs next to nothing.

mod bucket;
pub mod scan;
pub mod settle;
pub mod whole;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use vodmill_fault::point;
use vodmill_model::pipeline::{Lifecycle, ServerSideEncryption};
use vodmill_model::{Failed, Pipeline};
use vodmill_pipeline::original::{FileOriginal, Original};
use vodmill_pipeline::{Disposal, Mill, Stop, StopLevel, Submission};
use vodmill_store::Location;
use vodmill_store::s3::{Bucket, ObjectSettings, Sse};

use crate::config::{Config, Places};
use bucket::{BucketInbox, Group};
use scan::Scanner;
use settle::{Patience, Settler};

/// From one look to the next.
const INTERVAL: Duration = Duration::from_secs(1);

/// Whose originals come in, and where they go.
struct Way {
    pipeline: String,
    destination: String,
    objects: ObjectSettings,
    disposal: Disposal,
}

/// The inbox of one pipeline, in a folder.
struct Inbox {
    folder: PathBuf,
    way: Way,
    scanner: Scanner,
    settler: Settler,
    /// The last scan failed, and was reported.
    troubled: bool,
}

/// The inboxes of all pipelines.
pub struct Inboxes {
    inboxes: Vec<Inbox>,
    buckets: Vec<Group>,
    /// Folders within inboxes that are there for a reason: no need to warn of them.
    own: Vec<PathBuf>,
    strays: Strays,
}

/// The folder that inboxes are in by default, where nothing is to be dropped.
struct Strays {
    folder: PathBuf,
    scanner: Scanner,
    warned: HashSet<PathBuf>,
}

impl Inboxes {
    /// Makes the folders of all pipelines, where they are not there.
    ///
    /// # Errors
    /// Names the folder that cannot be made.
    pub fn open(config: &Config) -> anyhow::Result<Inboxes> {
        let settle = Duration::from_secs(config.settings.settle_seconds.into());
        let (mut inboxes, mut buckets, mut own) = (Vec::new(), Vec::new(), Vec::new());
        for (name, pipeline) in &config.catalogue.pipelines {
            let places = config.places(name, pipeline)?;
            let way = Way::new(name, pipeline, &places);
            if let Location::Folder(folder) = &places.destination {
                make(folder)?;
            }
            tracing::info!(pipeline = name, inbox = %places.inbox, "watching inbox");
            match places.inbox {
                Location::Bucket { bucket, prefix } => {
                    let bucket = Bucket::open(&bucket, &config.settings.s3);
                    let inbox = BucketInbox::new(bucket, prefix, way);
                    buckets.push((pipeline.events.clone(), inbox));
                }
                Location::Folder(folder) => {
                    make(&folder)?;
                    own.push(folder.clone());
                    for place in [places.done, places.rejected] {
                        own.extend(match place {
                            Location::Folder(folder) => Some(folder),
                            Location::Bucket { .. } => None,
                        });
                    }
                    inboxes.push(Inbox {
                        folder,
                        way,
                        scanner: Scanner::default(),
                        settler: Settler::new(Patience::new(settle)),
                        troubled: false,
                    });
                }
            }
        }
        let every = Duration::from_secs(config.settings.list_seconds.into());
        let buckets = Group::all(buckets, &config.settings.s3, every);
        Ok(Inboxes { inboxes, buckets, own, strays: Strays::new(config.home.join("inbox")) })
    }

    /// Submits what is dropped, until `stop` asks to leave.
    pub fn watch(&mut self, mill: &Mill, stop: &Stop) {
        let Inboxes { inboxes, buckets, own, strays } = self;
        std::thread::scope(|scope| {
            for bucket in buckets {
                scope.spawn(|| bucket.watch(mill, stop));
            }
            let start = Instant::now();
            while stop.level() == StopLevel::Running {
                for inbox in &mut *inboxes {
                    inbox.look(mill, own, start.elapsed(), stop);
                }
                strays.look(own);
                stop.wait(INTERVAL);
            }
        });
    }
}

impl Strays {
    fn new(folder: PathBuf) -> Strays {
        Strays { folder, scanner: Scanner::default(), warned: HashSet::new() }
    }

    /// Warns once of each file that lies beside the inboxes: whoever dropped it waits for it.
    fn look(&mut self, own: &[PathBuf]) {
        if own.contains(&self.folder) {
            return;
        }
        // Often it is not there, since pipelines can have their inboxes anywhere.
        for (path, _) in self.scanner.list(&self.folder, own).unwrap_or_default() {
            if !self.warned.contains(&path) {
                tracing::warn!(path = %path.display(), "dropped beside the inboxes");
                self.warned.insert(path);
            }
        }
    }
}

impl Inbox {
    fn look(&mut self, mill: &Mill, own: &[PathBuf], now: Duration, stop: &Stop) {
        let listing = match self.scanner.list(&self.folder, own) {
            Ok(listing) => listing,
            Err(error) => {
                // A network file system comes and goes: once is enough to say.
                if !std::mem::replace(&mut self.troubled, true) {
                    let path = self.folder.display();
                    tracing::error!(%path, %error, "inbox not readable");
                }
                return;
            }
        };
        self.troubled = false;
        // What cannot be read now is not whole now.
        let is_whole = |path: &Path| whole::is_whole(path).unwrap_or(false);
        for path in self.settler.scan(&listing, now, is_whole) {
            self.submit(mill, &path, stop);
        }
    }

    fn submit(&mut self, mill: &Mill, path: &Path, stop: &Stop) {
        let original = FileOriginal::at(path).map(Original::File).map_err(Into::into);
        if !self.way.submit(mill, original, stop) {
            self.settler.offer_again(path);
        }
    }
}

impl Way {
    fn new(name: &str, pipeline: &Pipeline, places: &Places) -> Way {
        let done_class = Some(pipeline.done_class.clone()).filter(|class| !class.is_empty());
        Way {
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
        mill: &Mill,
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
            let submitted = mill.submit(&submission)?;
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
