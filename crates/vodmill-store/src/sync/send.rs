//! The upload of files, many side by side.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::SystemTime;

use super::compare::{Job, Reason, Remote, Step};
use super::digest::{has_checksum, has_etag};
use super::manifest::{Record, Told, settled};
use super::walk::Stamp;
use crate::StoreError;
use crate::s3::{Bucket, ObjectSettings, PutFile, PutOptions, Stored, part_size};

/// How often a file that changes while it is read is begun.
const TRIES: u32 = 2;

/// What became of a file.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It was read, and the object has its bytes already.
    Same(Record),
    /// It was uploaded: its size in bytes.
    Sent(Reason, u64, Record),
    /// It would be uploaded: its size in bytes.
    Wanted(Reason, u64),
    /// The object is as it was, or as the file was at some time.
    Failed(SendError),
}

/// Why a file was not uploaded.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    #[error("it changes while it is read")]
    Changing,
    #[error("read it: {0}")]
    Local(#[from] io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(
        "it was uploaded, and the destination has no such object of this name: the server keeps it \
         under another, or somebody has replaced it. Nothing is deleted"
    )]
    Elsewhere,
    /// The bucket was tried out and cannot be written to; no other file can be.
    #[error(transparent)]
    Bucket(Arc<StoreError>),
}

/// Where files come from and go to.
pub(super) struct Sender<'a> {
    pub dir: &'a Path,
    pub bucket: &'a Bucket,
    /// Ends in `/` unless it is empty.
    pub prefix: &'a str,
    pub settings: &'a ObjectSettings,
    /// Says what would be uploaded instead.
    pub dry_run: bool,
    pub threads: usize,
    /// Whether an upload was looked at.
    pub is_seen: AtomicBool,
    /// Whether the bucket can be written to, once it was tried out.
    pub trial: OnceLock<Result<(), Arc<StoreError>>>,
}

impl Sender<'_> {
    /// Works on `jobs` in their order and tells `receive` about each; when that answers with false,
    /// none is begun any more.
    pub fn run(&self, jobs: &[Job<'_>], mut receive: impl FnMut(&Job<'_>, Outcome) -> bool) {
        let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        let threads = self.threads.clamp(1, jobs.len().max(1));
        thread::scope(|scope| {
            let (sender, receiver) = sync_channel(threads);
            for _ in 0..threads {
                let (sender, next, stop) = (sender.clone(), &next, &stop);
                scope.spawn(move || self.work(jobs, next, stop, &sender));
            }
            drop(sender);
            for (job, outcome) in receiver {
                stop.fetch_or(!receive(job, outcome), Ordering::Relaxed);
            }
        });
    }

    fn work<'b>(
        &self,
        jobs: &'b [Job<'b>],
        next: &AtomicUsize,
        stop: &AtomicBool,
        outcomes: &SyncSender<(&'b Job<'b>, Outcome)>,
    ) {
        while !stop.load(Ordering::Relaxed) {
            let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
            let outcome = self.one(job).unwrap_or_else(Outcome::Failed);
            if outcomes.send((job, outcome)).is_err() {
                return;
            }
        }
    }

    fn one(&self, job: &Job<'_>) -> Result<Outcome, SendError> {
        let path = self.dir.join(&job.file.name);
        for _ in 0..TRIES {
            let (began, before) = (SystemTime::now(), Stamp::of(&path)?);
            let outcome = self.attempt(job, &path, before, began);
            // Its error, too, may come of the change.
            if Stamp::of(&path)? == before {
                return outcome;
            }
        }
        Err(SendError::Changing)
    }

    fn attempt(
        &self,
        job: &Job<'_>,
        path: &Path,
        now: Stamp,
        began: SystemTime,
    ) -> Result<Outcome, SendError> {
        let reason = match &job.step {
            Step::Send(reason) => *reason,
            Step::Check { object, .. } if object.bytes != now.bytes => Reason::Size,
            Step::Check { object, headers_are_known } => {
                match self.check(job, path, object, *headers_are_known)? {
                    Some(reason) => reason,
                    None => return Ok(Outcome::Same(record(job, &object.etag, now, began))),
                }
            }
        };
        if self.dry_run {
            return Ok(Outcome::Wanted(reason, now.bytes));
        }
        let stored = self.store(&self.put(job, path, now))?;
        Ok(Outcome::Sent(reason, now.bytes, record(job, &stored.etag, now, began)))
    }

    /// Uploads a file. Each upload is proved for itself, by reading it back if need be, so the
    /// bucket is tried out only where that shows how to do better: when an upload fails, and when
    /// the first shows no checksum.
    fn store(&self, put: &PutFile) -> Result<Stored, SendError> {
        let stored = match self.bucket.put_file(put) {
            Err(StoreError::Remote { .. }) if self.trial.get().is_none() => {
                self.try_out()?;
                self.bucket.put_file(put)?
            }
            stored => stored?,
        };
        if !self.is_seen.swap(true, Ordering::Relaxed) {
            let head = self.bucket.head(&put.key)?;
            if head.is_none_or(|head| head.checksum.is_none()) {
                self.try_out()?;
            }
        }
        Ok(stored)
    }

    fn try_out(&self) -> Result<(), SendError> {
        let trial = || self.bucket.capabilities(self.prefix).map(drop).map_err(Arc::new);
        self.trial.get_or_init(trial).clone().map_err(SendError::Bucket)
    }

    /// Why the object is not what the file would be, if it is not. The store is asked only where
    /// ETag and manifest leave something open, as they do for objects that others have stored, or
    /// that are encrypted with a key of the customer's.
    fn check(
        &self,
        job: &Job<'_>,
        path: &Path,
        object: &Remote,
        headers_are_known: bool,
    ) -> Result<Option<Reason>, SendError> {
        let etag_fits = || has_etag(path, object.bytes, &object.etag, &[part_size(object.bytes)]);
        if headers_are_known && etag_fits()? {
            return Ok(None);
        }
        let head = self.bucket.head(&self.key(job))?.filter(|head| head.etag == object.etag);
        let Some(head) = head else { return Ok(Some(Reason::Content)) };
        let same = match head.checksum {
            Some(checksum) => has_checksum(path, checksum)?,
            None => !headers_are_known && etag_fits()?,
        };
        Ok(match same {
            false => Some(Reason::Content),
            true => (head.headers != job.headers).then_some(Reason::Headers),
        })
    }

    fn put(&self, job: &Job<'_>, path: &Path, now: Stamp) -> PutFile {
        let (headers, settings) = (job.headers.clone(), self.settings.clone());
        let options = PutOptions { headers, settings, ..PutOptions::default() };
        PutFile { key: self.key(job), file: path.to_path_buf(), bytes: now.bytes, options }
    }

    fn key(&self, job: &Job<'_>) -> String {
        format!("{}{}", self.prefix, job.file.name)
    }
}

fn record(job: &Job<'_>, etag: &str, stamp: Stamp, began: SystemTime) -> Record {
    Record {
        name: job.file.name.clone(),
        etag: etag.to_owned(),
        stamp: settled(stamp, began),
        headers: Told::from(&job.headers),
    }
}
