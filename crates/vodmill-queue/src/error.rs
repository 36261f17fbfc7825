//! What can go wrong, each naming the operation and its object.

use std::error::Error as StdError;
use std::fmt;

/// The result of a queue operation.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a queue operation did not happen. But for [`Database`](Self::Database), nothing was changed.
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
    /// No job has this id.
    #[error("{operation}: there is no job {job}")]
    NoSuchJob {
        /// What was tried.
        operation: &'static str,
        /// The id that was asked for.
        job: String,
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
    /// The job has ended, and is being settled just now.
    #[error("{operation} {job}: it is being put away; try again in {seconds} s")]
    BeingSettled {
        /// What was tried.
        operation: &'static str,
        /// The job's id.
        job: String,
        /// Seconds after which it is free again, if its settler does not come back.
        seconds: u64,
    },
    /// There is no queue at this place, and it may not be created.
    #[error("open queue: there is no database at {place}")]
    NoDatabase {
        /// Where it was looked for.
        place: String,
    },
    /// There is a database, but it is not a queue.
    #[error("open queue: {place} is not a vodmill queue")]
    NotAQueue {
        /// The file, or the server and database.
        place: String,
    },
    /// There was a queue here, and now the file is empty or missing.
    #[error(
        "open queue: {place} is empty or missing, though there was a queue: put it back from a \
         backup; or, to begin anew without its jobs, names of assets and numbers of generations, \
         remove {mark} too"
    )]
    Lost {
        /// The file.
        place: String,
        /// What shows that it was there.
        mark: String,
    },
    /// The file is not, or no longer, a whole database.
    #[error(
        "open queue: {place} is damaged: put it back from a backup; or, to begin anew without its \
         jobs, names of assets and numbers of generations, move it away with all files beside it \
         whose names begin so"
    )]
    Damaged {
        /// The file.
        place: String,
        /// What the engine said.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The database's address cannot be used.
    #[error("open queue: {place}: {problem}")]
    BadAddress {
        /// The address, without its password.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A newer vodmill has been here.
    #[error(
        "open queue: {place} was written by a newer vodmill (schema {found}; this one knows up to \
         {known}); use that version or a newer one"
    )]
    NewerSchema {
        /// The file, or the server and database.
        place: String,
        /// Its schema version.
        found: u32,
        /// The newest version that this build understands.
        known: u32,
    },
    /// An older vodmill wrote it, and only `open` may bring it up to date.
    #[error(
        "open queue: {place} has the older schema {found} (this vodmill uses {known}); start the \
         daemon once to bring it up to date"
    )]
    OlderSchema {
        /// The file, or the server and database.
        place: String,
        /// Its schema version.
        found: u32,
        /// The version of this build.
        known: u32,
    },
    /// The database itself failed: disk full, file damaged, locked or out of reach for longer than
    /// the queue is patient. Where its answer to a commit was lost, the operation may have
    /// happened; it is safe to repeat.
    #[error("{operation} {object}: database error")]
    Database {
        /// What was tried.
        operation: &'static str,
        /// On which job, task, asset or file.
        object: String,
        /// What the engine said.
        source: Box<dyn StdError + Send + Sync>,
    },
}

/// The result of a statement or of some of them.
pub(crate) type Sql<T> = std::result::Result<T, Fault>;

/// What goes wrong inside a transaction, before the operation's name is put to it.
#[derive(Debug)]
pub(crate) enum Fault {
    Database(Box<dyn StdError + Send + Sync>),
    /// A failure of the database that may pass: a new attempt is worth it.
    Passing(Box<dyn StdError + Send + Sync>),
    LeaseLost,
    NoSuchJob(String),
    Refused(String),
    BeingSettled {
        seconds: u64,
    },
}

impl Fault {
    /// Puts the names to it.
    pub(crate) fn during(self, operation: &'static str, object: Object<'_>) -> Error {
        match self {
            Fault::Database(source) | Fault::Passing(source) => {
                Error::Database { operation, object: object.to_string(), source }
            }
            Fault::Refused(problem) => {
                Error::Refused { operation, object: object.to_string(), problem }
            }
            Fault::BeingSettled { seconds } => {
                Error::BeingSettled { operation, job: object.name.to_owned(), seconds }
            }
            Fault::LeaseLost => Error::LeaseLost {
                operation,
                job: object.name.to_owned(),
                task: object.task.to_owned(),
            },
            Fault::NoSuchJob(job) => Error::NoSuchJob { operation, job },
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
