//! What a queue promises, contract by contract.
//!
//! | contract | who needs it |
//! |---|---|
//! | [`Jobs`] | inboxes and commands: jobs enqueued, looked at, cancelled, retried |
//! | [`Leases`] | workers: tasks claimed, kept and ended |
//! | [`Settling`] | workers: ended jobs put away |
//! | [`Control`] | operators: backlog, quarantine, paused pipelines, settings |
//! | [`Names`] | tasks that publish: names of assets, numbers of generations |
//! | [`RenditionIndex`] | tasks that encode: renditions found by digest |
//! | [`Secrets`] | key stores: wrapped secrets, found by name |
//! | [`Totals`] | reports: figures by pipeline and month |
//! | [`Outbox`] | the dispatcher of notifications |
//! | [`Invalidations`] | the dispatcher of paths that caches are to drop |
//!
//! Both engines implement all of them; [`Queue`] is the sum.
//!
//! # What holds for all
//!
//! - A method is one transaction: it happens whole, and durably, or not at all. The exceptions are
//!   [`Leases::wait`], [`Leases::reap_expired`] and [`Outbox::subscribe`].
//! - **Everything is safe to repeat**, for an answer can be lost with its connection.
//! - All methods block, and none may be called from within an async runtime.
//! - Each method may fail with [`Error::Database`](crate::Error). A method without a section
//!   `Errors` fails in no other way.

mod control;
mod invalidations;
mod jobs;
mod leases;
mod names;
mod outbox;
mod renditions;
mod secrets;
mod settling;
mod state;
mod subscriptions;
mod totals;

pub use control::{
    Backlog, Control, DEFAULT_MAX_LOST_LEASES, JobCount, KindBacklog, LeaseInfo, MAX_LOST_LEASES,
    QuarantinedTask,
};
pub use invalidations::{Batch, BatchLimits, Invalidations, MonthlyLimit, StalePath};
pub use jobs::{Enqueued, JobFilter, JobInfo, Jobs, NewJob, NewTask, TaskInfo};
pub use leases::{Cause, ClaimFilter, Completion, Failure, JobOutcome, Lease, Leases, RetryPolicy};
pub use names::Names;
pub use outbox::{DeadLetters, Delivery, DeliveryInfo, DeliveryPolicy, Event, Outbox, Retention};
pub use renditions::{RenditionIndex, RenditionInfo};
pub use secrets::{Kept, Secret, Secrets};
pub use settling::Settling;
pub use state::{BatchState, DeliveryState, EventKind, JobState, TaskState};
pub use subscriptions::{Subscription, Subscriptions};
pub use totals::{MonthFigures, Total, Totals};

/// All contracts together: for a worker, which needs nearly all of them.
pub trait Queue:
    Jobs
    + Leases
    + Settling
    + Control
    + Names
    + RenditionIndex
    + Secrets
    + Totals
    + Outbox
    + Invalidations
{
}

impl<Q> Queue for Q where
    Q: Jobs
        + Leases
        + Settling
        + Control
        + Names
        + RenditionIndex
        + Secrets
        + Totals
        + Outbox
        + Invalidations
{
}
