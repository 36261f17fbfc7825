//! What a sync says while it works and at its end.

use std::error::Error;

use super::compare::Reason;
use super::manifest::Record;
use super::send::Outcome;
use super::walk::{LocalFile, Skipped, Tree, Why};

/// Something that happened, or in a dry run would have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// Something in the folder becomes no object.
    Skipped(&'a Skipped),
    /// So much is to be looked into, at most.
    Planned {
        /// Files that may have to be uploaded.
        files: usize,
        /// Their bytes.
        bytes: u64,
        /// Objects to be deleted.
        deletes: usize,
    },
    /// A file was read, and its object is right.
    Same {
        /// Its name.
        name: &'a str,
        /// Its size.
        bytes: u64,
    },
    /// A file is at the destination.
    Uploaded {
        /// Its name.
        name: &'a str,
        /// Its size.
        bytes: u64,
        /// Why it was uploaded.
        reason: Reason,
    },
    /// An object is gone.
    Deleted {
        /// Its name.
        name: &'a str,
    },
    /// A file could not be uploaded, or an object not deleted.
    Failed(&'a Failure),
}

/// What went wrong with one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The name.
    pub name: String,
    /// What went wrong, with its causes.
    pub error: String,
}

/// What a sync came to; in a dry run, what it would come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Files of the folder that take part.
    pub files: usize,
    /// Files whose objects are right.
    pub unchanged: usize,
    /// Files uploaded.
    pub uploaded: usize,
    /// Their bytes.
    pub uploaded_bytes: u64,
    /// Objects deleted.
    pub deleted: usize,
    /// Files that were not begun because of failures before.
    pub held_back: usize,
    /// Objects that were not deleted because of failures before.
    pub spared: usize,
    /// Files that the caller left alone.
    pub left_out: usize,
    /// Objects of such names that are at the destination all the same.
    pub left_there: usize,
    /// What went wrong.
    pub failures: Vec<Failure>,
    /// What becomes no object.
    pub skipped: Vec<Skipped>,
}

impl Report {
    /// Whether the destination is what the folder is, links and the like aside.
    pub fn is_complete(&self) -> bool {
        self.failures.is_empty() && self.skipped.iter().all(|skipped| skipped.why != Why::Name)
    }
}

/// The report in the making.
pub(super) struct Tally<'a> {
    report: Report,
    /// In a dry run nothing happens at a time of its own: it is told in the order of names.
    wanted: Vec<(String, u64, Reason)>,
    watch: &'a mut dyn FnMut(Event<'_>),
}

impl<'a> Tally<'a> {
    /// Of a tree of which `moved` files may have to be uploaded.
    pub fn begin(tree: &Tree, moved: usize, watch: &'a mut dyn FnMut(Event<'_>)) -> Tally<'a> {
        tree.skipped.iter().for_each(|skipped| watch(Event::Skipped(skipped)));
        let report = Report {
            files: tree.files.len(),
            unchanged: tree.files.len() - moved,
            skipped: tree.skipped.clone(),
            left_out: tree.left_out,
            ..Report::default()
        };
        Tally { report, wanted: Vec::new(), watch }
    }

    pub fn plan(&mut self, sizes: impl Iterator<Item = u64>, deletes: usize) {
        let (files, bytes) = sizes.fold((0, 0), |(files, sum), bytes| (files + 1, sum + bytes));
        (self.watch)(Event::Planned { files, bytes, deletes });
    }

    /// Counts what became of a file, and returns what is to be remembered of it.
    pub fn add(&mut self, file: &LocalFile, outcome: Outcome) -> Option<Record> {
        let name = file.name.as_str();
        match outcome {
            Outcome::Same(record) => {
                self.report.unchanged += 1;
                (self.watch)(Event::Same { name, bytes: file.bytes() });
                return Some(record);
            }
            Outcome::Sent(reason, bytes, record) => {
                self.uploaded(name, bytes, reason);
                return Some(record);
            }
            Outcome::Wanted(reason, bytes) => self.wanted.push((name.to_owned(), bytes, reason)),
            Outcome::Failed(fault) => self.fail(name, &fault),
        }
        None
    }

    pub fn end_phase(&mut self) {
        let mut wanted = std::mem::take(&mut self.wanted);
        wanted.sort_unstable_by(|one, two| one.0.cmp(&two.0));
        wanted.iter().for_each(|(name, bytes, reason)| self.uploaded(name, *bytes, *reason));
    }

    fn uploaded(&mut self, name: &str, bytes: u64, reason: Reason) {
        self.report.uploaded += 1;
        self.report.uploaded_bytes += bytes;
        (self.watch)(Event::Uploaded { name, bytes, reason });
    }

    pub fn deleted(&mut self, names: &[String]) {
        self.report.deleted += names.len();
        names.iter().for_each(|name| (self.watch)(Event::Deleted { name }));
    }

    pub fn fail(&mut self, name: &str, error: &dyn Error) {
        let failure = Failure { name: name.to_owned(), error: with_causes(error) };
        (self.watch)(Event::Failed(&failure));
        self.report.failures.push(failure);
    }

    pub fn has_failures(&self) -> bool {
        !self.report.failures.is_empty()
    }

    pub fn failures(&self) -> usize {
        self.report.failures.len()
    }

    pub fn hold_back(&mut self, files: usize) {
        self.report.held_back += files;
    }

    pub fn left_there(&mut self, objects: usize) {
        self.report.left_there = objects;
    }

    pub fn spare(&mut self, objects: usize) {
        self.report.spared += objects;
    }

    pub fn report(self) -> Report {
        self.report
    }
}

fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}
