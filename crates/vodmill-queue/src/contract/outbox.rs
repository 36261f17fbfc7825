//! Events on their way to targets outside.

use std::time::Duration;

use vodmill_clock::UnixMillis;

use super::state::{DeliveryState, EventKind};
use super::subscriptions::Subscriptions;
use crate::error::Result;

/// A durable outbox of events.
///
/// # Contract
///
/// - An event is written in the very transaction of what it reports: `progressing` when the first
///   task of a waiting job is claimed, `published`, `rejected` and `failed` when the job ends so,
///   `warning` with the completion that has one. A cancelled job has no event: an operator did that.
/// - Each target in the [`Subscriptions`] of *that process* gets a delivery of its own. Nothing is
///   written that has no subscriber.
/// - **At least once.** A delivery is handed to one claimer at a time. A claimer that is gone for
///   longer than its lease is taken for dead, and the event goes out once more, with the same id.
/// - Deliveries that fail hold up neither others of their target nor those of other targets.
pub trait Outbox: Send + Sync {
    /// Replaces the subscriptions of this process. There are none until this is called.
    fn subscribe(&self, subscriptions: Subscriptions);

    /// Writes a warning about a pipeline and no job of it. `detail` is opaque.
    fn announce(&self, pipeline: &str, detail: &str) -> Result<()>;

    /// Takes the delivery to `target` that is due first, if one is; it comes again after `lease`
    /// unless its end is noted. Costs one look where there is none.
    fn claim_delivery(&self, target: &str, lease: Duration) -> Result<Option<Delivery>>;

    /// Notes that the target has it; whether the claim still held.
    fn delivered(&self, delivery: &Delivery) -> Result<bool>;

    /// Notes that it failed: it comes again after a pause, or is a dead letter if its time is over,
    /// or if there is no policy. Where the claim no longer holds, nothing changes.
    fn delivery_failed(
        &self,
        delivery: &Delivery,
        error: &str,
        policy: Option<&DeliveryPolicy>,
    ) -> Result<DeliveryState>;

    /// Deliveries, the newest first, at most `limit`.
    fn deliveries(&self, state: Option<DeliveryState>, limit: u32) -> Result<Vec<DeliveryInfo>>;

    /// Takes dead letters up again, with all the time of new ones; how many.
    fn retry_deliveries(&self, which: DeadLetters<'_>) -> Result<u64>;

    /// Forgets what ended long enough ago, and gives up what has waited too long; how many were
    /// forgotten.
    fn forget_deliveries(&self, keep: &Retention) -> Result<u64>;
}

/// Something that happened, as it was when it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its id: random, and the same for all targets and at every attempt.
    pub id: String,
    /// What happened.
    pub kind: EventKind,
    /// The job that it happened to, if it was a job.
    pub job: Option<String>,
    /// The job's pipeline, or the one that it is about.
    pub pipeline: String,
    /// What people call the job; empty without one.
    pub name: String,
    /// The asset that the job publishes, as far as that was decided.
    pub asset: Option<String>,
    /// The task that ended the job, if one did.
    pub task: Option<String>,
    /// More of it: a result, a reason, an error; opaque.
    pub detail: String,
    /// When it happened.
    pub at: UnixMillis,
}

/// An event on its way to one target, held by its claimer until the claim expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its number.
    pub id: i64,
    /// The fencing token.
    pub token: i64,
    /// Where it goes.
    pub target: String,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// What is delivered.
    pub event: Event,
}

/// How far apart deliveries that fail are tried, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryPolicy {
    /// The wait after the first failure; it doubles with each further one. Every wait is cut at
    /// random, to half of it at most.
    pub base_delay: Duration,
    /// The longest wait.
    pub max_delay: Duration,
    /// No shorter wait than this, as far as the longest goes: what the other side has asked for.
    pub at_least: Duration,
    /// How long after the event, or after it was last taken up again, it becomes a dead letter.
    pub give_up_after: Duration,
}

/// A delivery as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryInfo {
    /// Its number.
    pub id: i64,
    /// Where it goes.
    pub target: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next, if it is waiting.
    pub run_at: UnixMillis,
    /// What came of the last attempt that failed.
    pub error: Option<String>,
    /// When it was delivered or given up.
    pub ended_at: Option<UnixMillis>,
    /// What is delivered.
    pub event: Event,
}

/// For how long deliveries are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// After they were delivered.
    pub delivered: Duration,
    /// After they were given up.
    pub dead: Duration,
    /// Without an end, before they are given up: longer than any policy, for targets that nobody
    /// serves any more.
    pub unserved: Duration,
}

/// Which dead letters to take up again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadLetters<'a> {
    /// The delivery of this number.
    One(i64),
    /// All of a target.
    Of(&'a str),
    /// All there are.
    All,
}
