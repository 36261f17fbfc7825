//! What can go wrong, each naming the operation and its object.

use std::fmt;
use std::path::PathBuf;

/// The result of a queue operation.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a queue operation did not happen. In every case nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The lease has expired, was taken away with its job, or the task is already finished. The
    /// holder must drop its work.
    #[error("{operation}: the lease on task {task} of job {job} is lost")]
    LeaseLost {
        /// What the holder tried.
        operation: &'static str,
        /// The job of the lease.
        job: String,
        /// The task's key.
        task: String,
    },
    /// No job has this id, or an id that begins so.
    #[error("{operation}: there is no job {job}")]
    NoSuchJob {
        /// What was tried.
        operation: &'static str,
        /// The id or prefix that was asked for.
        job: String,
    },
    /// More than one job's id begins with this prefix.
    #[error("find job: more than one job's id begins with {prefix}")]
    AmbiguousJob {
        /// The prefix that was asked for.
        prefix: String,
    },
    /// The request contradicts itself or the present state.
    #[error("{operation} {object}: {problem}")]
    Refused {
        /// What was tried.
        operation: &'static str,
        /// On which job, task or asset.
        object: String,
        /// Why it cannot be done.
        problem: String,
    },
    /// There is no database at this path, and it may not be created.
    #[error("open queue: there is no database at {}", path.display())]
    NoDatabase {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file is a database, but not a queue.
    #[error("open queue: {} is not a vodmill queue", path.display())]
    NotAQueue {
        /// The file.
        path: PathBuf,
    },
    /// A newer vodmill has been here.
    #[error(
        "open queue: {} was written by a newer vodmill (schema {found}; this one knows up to \
         {known}); use that version or a newer one",
        path.display()
    )]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: u32,
        /// The newest version that this build understands.
        known: u32,
    },
    /// An older vodmill wrote it, and only [`open`](crate::SqliteQueue::open) may bring it up to
    /// date.
    #[error(
        "open queue: {} has the older schema {found} (this vodmill uses {known}); start the \
         daemon once to bring it up to date",
        path.display()
    )]
    OlderSchema {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: u32,
        /// The version of this build.
        known: u32,
    },
    /// The database itself failed (disk full, file damaged, locked for longer than 30 s).
    #[error("{operation} {object}: database error")]
    Database {
        /// What was tried.
        operation: &'static str,
        /// On which job, task, asset or file.
        object: String,
        /// What the engine said.
        source: rusqlite::Error,
    },
}

/// What goes wrong inside a transaction, before the operation's name is put to it.
#[derive(Debug)]
pub(crate) enum Fault {
    Sql(rusqlite::Error),
    LeaseLost,
    NoSuchJob(String),
    AmbiguousJob(String),
    Refused(String),
}

impl Fault {
    /// Puts the names to it.
    pub(crate) fn during(self, operation: &'static str, object: Object<'_>) -> Error {
        match self {
            Fault::Sql(source) => Error::Database { operation, object: object.to_string(), source },
            Fault::Refused(problem) => {
                Error::Refused { operation, object: object.to_string(), problem }
            }
            Fault::LeaseLost => {
                let (job, task) = (object.name.to_owned(), object.task.to_owned());
                Error::LeaseLost { operation, job, task }
            }
            Fault::NoSuchJob(job) => Error::NoSuchJob { operation, job },
            Fault::AmbiguousJob(prefix) => Error::AmbiguousJob { prefix },
        }
    }
}

/// What an operation is about: a job, pipeline, asset or setting, or one task of a job.
#[derive(Clone, Copy)]
pub(crate) struct Object<'a> {
    name: &'a str,
    task: &'a str,
}

impl<'a> Object<'a> {
    pub(crate) fn task(job: &'a str, task: &'a str) -> Self {
        Self { name: job, task }
    }
}

impl<'a> From<&'a str> for Object<'a> {
    fn from(name: &'a str) -> Self {
        Self { name, task: "" }
    }
}

impl fmt::Display for Object<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        if self.task.is_empty() { Ok(()) } else { write!(f, " task {}", self.task) }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Fault::Sql(error)
    }
}
