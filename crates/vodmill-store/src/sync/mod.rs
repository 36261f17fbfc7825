//! Makes what is under a prefix of a bucket equal to a folder, with as little as possible moved.
//!
//! What is known decides: the folder is walked while the destination is listed; a file whose stamp
//! (size, times, inode) and whose object (ETag) are those of the manifest is left alone
//! without being read. Where either moved, the file is read and compared with the object's ETag or
//! checksum. So an edit that keeps the size is seen, and so is an object that somebody else wrote.
//!
//! The order is that of a deployment: files by phases, each begun when the one before it has
//! arrived whole; then what is no more, in the opposite order. After a failure nothing that comes
//! later is begun.

mod arrived;
mod compare;
mod delete;
mod digest;
mod error;
mod filter;
mod manifest;
mod report;
mod send;
mod walk;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::thread;

pub use compare::{Limit, Reason};
pub use error::SyncError;
pub use filter::{Filter, Glob};
pub use manifest::manifest_name;
pub use report::{Event, Failure, Report};
pub use walk::{LocalFile, Skipped, Tree, Why};

use crate::Headers;
use crate::s3::{Bucket, ObjectInfo, ObjectSettings};
use compare::{Job, Listing, Remote, jobs};
use error::Result;
use manifest::Manifest;
use report::Tally;
use send::{Outcome, SendError, Sender};

/// Failures after which no other file is begun: then the files are not the cause.
const FAILURES: usize = 10;

/// What was uploaded in this run: names and ETags.
type Sent = HashMap<String, String>;

/// A folder and where it goes.
pub struct Sync<'a> {
    /// The folder.
    pub dir: &'a Path,
    /// The bucket.
    pub bucket: &'a Bucket,
    /// What keys begin with: empty, or ending in `/`.
    pub prefix: &'a str,
    /// Where it is remembered what was uploaded; of this folder and this destination.
    pub manifest: &'a Path,
    /// Which names take part, on both sides.
    pub filter: &'a Filter,
    /// Names that are left alone on both sides, whatever the filter says: neither put nor deleted.
    pub leave_out: &'a (dyn Fn(&str) -> bool + std::marker::Sync),
    /// What readers of the object of this name are told.
    pub headers: &'a dyn Fn(&Tree, &str) -> Headers,
    /// When this name is uploaded: after all of lower phases. It is given the file, or nothing for
    /// an object that has none and is to be deleted.
    pub phase: &'a dyn Fn(&str, Option<&Path>) -> u8,
    /// How objects are kept.
    pub settings: &'a ObjectSettings,
    /// How many objects that have no file may be deleted; none to leave them.
    pub delete: Option<Limit>,
    /// Read every file, whatever is remembered of it.
    pub checksum: bool,
    /// Change nothing, and say what would be done.
    pub dry_run: bool,
    /// Files in work at a time.
    pub jobs: usize,
}

impl Sync<'_> {
    /// Does it, and tells `watch` of everything as it happens.
    ///
    /// # Errors
    /// [`SyncError`] when it could not begin, or the manifest could not be written. What went wrong
    /// with single files is in the report.
    pub fn run(&self, watch: &mut dyn FnMut(Event<'_>)) -> Result<Report> {
        let of = format!("{} to {:?}/{}", self.dir.display(), self.bucket, self.prefix);
        let mut manifest = Manifest::open(self.manifest, of)?;
        let (tree, listing) = self.look()?;
        let extra = match self.delete {
            Some(limit) => compare::deletes(&tree, &listing, &|name| self.allows(name), limit)?,
            None => Vec::new(),
        };
        let headers = |name: &str| (self.headers)(&tree, name);
        let jobs = jobs(&tree, &listing, &manifest, headers, self.checksum);
        let mut tally = Tally::begin(&tree, jobs.len(), watch);
        tally.left_there(listing.keys().filter(|name| (self.leave_out)(name)).count());
        let phases = self.phases(jobs);
        tally.plan(phases.values().flatten().map(|job| job.file.bytes()), extra.len());
        let mut sent = Sent::new();
        for (_, phase) in phases {
            self.upload(&phase, &mut manifest, &mut sent, &mut tally)?;
        }
        if !extra.is_empty() {
            self.look_for(&sent, &mut tally)?;
        }
        self.delete_extra(extra, &mut tally);
        if !self.dry_run {
            manifest.finish(|name| tree.contains(name) || listing.contains_key(name))?;
        }
        Ok(tally.report())
    }

    /// Whether the file or object of this name takes part.
    fn allows(&self, name: &str) -> bool {
        self.filter.allows(name) && !(self.leave_out)(name)
    }

    /// The folder and the destination, side by side.
    fn look(&self) -> Result<(Tree, Listing)> {
        let (bucket, prefix) = (self.bucket, self.prefix);
        thread::scope(|scope| {
            let listing = scope.spawn(|| list(bucket, prefix));
            let tree = walk::walk(self.dir, self.prefix, self.filter, self.leave_out);
            let listing = match listing.join() {
                Ok(listing) => listing,
                Err(panic) => std::panic::resume_unwind(panic),
            };
            Ok((tree?, listing?))
        })
    }

    /// The jobs by phases, in each the largest first, so that no thread ends long after the others.
    fn phases<'a>(&self, jobs: Vec<Job<'a>>) -> BTreeMap<u8, Vec<Job<'a>>> {
        let mut phases = BTreeMap::<u8, Vec<Job<'a>>>::new();
        for job in jobs {
            let path = self.dir.join(&job.file.name);
            let phase = (self.phase)(&job.file.name, Some(&path));
            phases.entry(phase).or_default().push(job);
        }
        for phase in phases.values_mut() {
            phase.sort_by_key(|job| std::cmp::Reverse(job.file.bytes()));
        }
        phases
    }

    fn sender(&self) -> Sender<'_> {
        Sender {
            dir: self.dir,
            bucket: self.bucket,
            prefix: self.prefix,
            settings: self.settings,
            dry_run: self.dry_run,
            threads: self.jobs,
            is_seen: AtomicBool::new(false),
            trial: OnceLock::new(),
        }
    }

    fn upload(
        &self,
        phase: &[Job<'_>],
        manifest: &mut Manifest,
        sent: &mut Sent,
        tally: &mut Tally<'_>,
    ) -> Result<()> {
        if tally.has_failures() {
            tally.hold_back(phase.len());
            return Ok(());
        }
        let (mut told, mut broken) = (0, None::<SyncError>);
        self.sender().run(phase, |job, outcome| {
            told += 1;
            if let Outcome::Sent(_, _, record) = &outcome {
                sent.insert(record.name.clone(), record.etag.clone());
            }
            let added = match outcome {
                Outcome::Failed(SendError::Bucket(error)) => Err(SyncError::Bucket(error)),
                outcome => match tally.add(job.file, outcome) {
                    Some(record) if !self.dry_run => manifest.add(record),
                    _ => Ok(()),
                },
            };
            broken = broken.take().or(added.err());
            broken.is_none() && tally.failures() < FAILURES
        });
        tally.hold_back(phase.len() - told);
        tally.end_phase();
        broken.map_or(Ok(()), Err)
    }
}

fn list(bucket: &Bucket, prefix: &str) -> Result<Listing> {
    let named = |object: ObjectInfo| {
        let name = object.key.strip_prefix(prefix).filter(|name| !name.is_empty())?.to_owned();
        Some((name, Remote { bytes: object.bytes, etag: object.etag }))
    };
    Ok(bucket.list(prefix)?.into_iter().filter_map(named).collect())
}
