//! Paths that caches are to drop.

use std::time::Duration;

use vodmill_clock::UnixMillis;

use super::outbox::DeliveryPolicy;
use super::state::BatchState;
use crate::error::Result;

/// Stale paths, sent to CDNs in batches.
///
/// # Contract
///
/// - A path is noted in the transaction of the [`Completion`](crate::Completion) that makes it
///   stale, or by [`mark_stale`](Self::mark_stale). Noting it twice before it is sent is noting it
///   once.
/// - A batch, and its reference, is durable before it is sent, and is the same at every attempt.
/// - No more paths of a distribution are in progress than the limits say, as far as this queue
///   knows.
pub trait Invalidations: Send + Sync {
    /// Notes stale paths that come with no completion.
    fn mark_stale(&self, pipeline: &str, paths: &[StalePath]) -> Result<()>;

    /// Takes the batch of a distribution that is due: one that is to be sent, one that is to be
    /// asked for, or one made of what waits. It comes again after `lease` unless its end is noted.
    fn claim_batch(
        &self,
        distribution: &str,
        limits: &BatchLimits,
        lease: Duration,
    ) -> Result<Option<Batch>>;

    /// Notes that a batch was accepted under the name `remote`; it is to be asked for after
    /// `look_in`. Its paths are counted, and the pipeline's subscribers are warned when the month's
    /// count passes its limit.
    fn batch_sent(
        &self,
        batch: &Batch,
        remote: &str,
        month: &MonthlyLimit<'_>,
        look_in: Duration,
    ) -> Result<()>;

    /// Notes that all caches have dropped its paths.
    fn batch_completed(&self, batch: &Batch) -> Result<()>;

    /// Notes that it could not be sent, or is not done yet: it comes again after a pause, or is
    /// given up if its time is over or there is no policy; then the pipeline's subscribers get
    /// `warning`.
    fn batch_failed(
        &self,
        batch: &Batch,
        error: &str,
        policy: Option<&DeliveryPolicy>,
        warning: &str,
    ) -> Result<BatchState>;

    /// Paths that are in no batch yet, at most `limit`.
    fn stale_paths(&self, limit: u32) -> Result<Vec<StalePath>>;

    /// Batches, the newest first, at most `limit`.
    fn batches(&self, limit: u32) -> Result<Vec<Batch>>;

    /// Months and how many paths were sent in each, the latest first, at most `limit`.
    fn stale_counts(&self, limit: u32) -> Result<Vec<(String, u64)>>;

    /// Forgets batches that ended longer than `keep` ago, and paths that have waited for longer; how
    /// many.
    fn forget_batches(&self, keep: Duration) -> Result<u64>;
}

/// A path whose old content a cache may still have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StalePath {
    /// The distribution: whose caches.
    pub distribution: String,
    /// The path there, with its leading slash.
    pub path: String,
}

/// How many paths may be in progress at a time for one distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// Paths that name one object each.
    pub paths: usize,
    /// Paths that end with a wildcard.
    pub wildcards: usize,
}

/// Paths that are sent together, held by their claimer until the claim expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Its name, random: the same at every attempt to send it.
    pub reference: String,
    /// Whose caches.
    pub distribution: String,
    /// The pipeline that noted the first of its paths.
    pub pipeline: String,
    /// The paths.
    pub paths: Vec<String>,
    /// Where it stands.
    pub state: BatchState,
    /// The CDN's name for it, once it was sent.
    pub remote: Option<String>,
    /// How often it was tried to send it, or to ask for it.
    pub attempts: u32,
    /// What came of the last attempt that failed.
    pub error: Option<String>,
    /// When it was put together.
    pub created_at: UnixMillis,
    /// When it was completed or given up.
    pub ended_at: Option<UnixMillis>,
    /// The fencing token.
    pub token: i64,
}

/// How paths are counted by month, and from which number on subscribers are warned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MonthlyLimit<'a> {
    /// The month, as `2026-11`.
    pub month: &'a str,
    /// The number of paths in a month above which subscribers are warned.
    pub limit: u64,
    /// The warning; opaque.
    pub warning: &'a str,
}
