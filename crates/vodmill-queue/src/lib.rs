//! Durable jobs, tasks and leases; one SQLite file is the truth.
//!
//! A **job** is a unit of intent, its identity computed by the caller. It is made of **tasks**, a
//! graph in which a task is ready once everything it waits for is done. A **lease** is the right to
//! work on one task until it expires; each carries a fencing token, and every write of a holder is
//! refused with [`Error::LeaseLost`] once the token is old, the lease has expired or the task was
//! taken away with its job. Payloads, results, progress and reasons are opaque strings (JSON by
//! convention): this crate knows no media.
//!
//! Each public method is one transaction: it happens whole, and durably, or not at all.
//!
//! # Contract
//!
//! - A job is in exactly one [`JobState`]. Once ended it changes only through [`SqliteQueue::retry`]
//!   and [`SqliteQueue::restart`].
//! - Ending a job cancels all its unfinished tasks in the same transaction. Only tasks added by the
//!   very [`Completion`] that ends it live on (a notification, say); they cannot change its state.
//! - A job that has not ended always has an unfinished task: a completion that would strand it is
//!   refused.
//! - Ready tasks are claimed by priority (the job's plus the task's, highest first), then by how long
//!   they have been ready, then in order of insertion.
//!
//! [`SqliteQueue`] is concrete on purpose. A `Queue` trait arrives together with its second
//! implementation; until then the SQL keeps to what PostgreSQL understands as well (placeholders
//! aside), and the tests of the contract are written to be run on another engine.

mod assets;
mod backlog;
mod clock;
mod error;
mod finish;
mod graph;
mod jobs;
mod lease;
mod pause;
mod queue;
mod reap;
mod schema;
mod state;
mod steer;
mod tasks;

pub use backlog::{Backlog, JobCount, TaskCount};
pub use clock::{Clock, ManualClock, SystemClock, UnixMillis};
pub use error::{Error, Result};
pub use finish::{Completion, Failure, JobOutcome, RetryPolicy};
pub use graph::NewTask;
pub use jobs::{Enqueued, JobFilter, JobInfo, NewJob};
pub use lease::{ClaimFilter, Lease};
pub use queue::SqliteQueue;
pub use reap::{DEFAULT_MAX_LOST_LEASES, MAX_LOST_LEASES};
pub use state::{JobState, TaskState};
pub use tasks::TaskInfo;
