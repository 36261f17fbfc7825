//! Durable jobs, tasks and leases; one database is the truth.
//!
//! A **job** is a unit of intent, its identity computed by the caller. It is made of **tasks**, a
//! graph in which a task is ready once everything it waits for is done. A **lease** is the right to
//! work on one task until it expires; each carries a fencing token, and every write of a holder is
//! refused with [`Error::LeaseLost`] once the token is old, the lease has expired or the task was
//! taken away with its job. Payloads, results, progress and reasons are opaque strings (JSON by
//! convention): this crate knows no media.
//!
//! [`Queue`] is the contract. There are two engines: [`SqliteQueue`], one file for one machine, and
//! [`PostgresQueue`], one server for many. The operations are written once, over the trait `Engine`
//! (`engine.rs`), and the tests of the contract are run on both.
//!
//! Beside jobs the queue holds what their work shares and must agree on: asset names and generation
//! numbers, the rows of renditions, wrapped keys, settings, sums by month. And it holds what is to leave the house:
//! events ([`Outbox`]) and paths that caches are to drop ([`StaleCaches`]).

mod around;
mod assets;
mod audience;
mod backlog;
mod chance;
mod claim;
mod clock;
mod courier;
mod engine;
mod error;
mod finish;
mod graph;
mod jobs;
mod leap;
mod lease;
mod operations;
mod outbox;
mod postgres;
mod quarantine;
mod queue;
mod reap;
mod renditions;
mod settings;
mod settle;
mod signal;
mod sqlite;
mod stale;
mod state;
mod steer;
mod sums;
mod tasks;
mod vault;

pub use audience::{Audience, Listener};
pub use backlog::{Backlog, JobCount, KindBacklog, LeaseInfo};
pub use clock::{Clock, ManualClock, SystemClock, UnixMillis};
pub use courier::{Outbox, StaleCaches};
pub use error::{Error, Result};
pub use finish::{Cause, Completion, Failure, JobOutcome, RetryPolicy};
pub use graph::NewTask;
pub use jobs::{Enqueued, JobFilter, JobInfo, NewJob};
pub use lease::{ClaimFilter, Lease};
pub use outbox::{DeadLetters, Delivery, DeliveryInfo, DeliveryPolicy, Event, Retention};
pub use postgres::{PostgresOptions, PostgresQueue};
pub use quarantine::QuarantinedTask;
pub use queue::Queue;
pub use reap::{DEFAULT_MAX_LOST_LEASES, MAX_LOST_LEASES};
pub use renditions::RenditionInfo;
pub use sqlite::SqliteQueue;
pub use stale::{Batch, BatchLimits, Counted, StalePath};
pub use state::{BatchState, DeliveryState, EventKind, JobState, TaskState};
pub use sums::{Sum, Tally};
pub use tasks::TaskInfo;
pub use vault::{Kept, Secret};
