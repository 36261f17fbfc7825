//! The contract of what leaves the house: events for those who are told, stale paths for caches.

use std::time::Duration;

use crate::around::{always, around};
use crate::audience::Audience;
use crate::engine::Engine;
use crate::error::Result;
use crate::leap;
use crate::outbox::{self, DeadLetters, Delivery, DeliveryInfo, DeliveryPolicy, Retention};
use crate::stale::{self, Batch, BatchLimits, Counted, StalePath};
use crate::state::{BatchState, DeliveryState};

/// A durable outbox of events.
///
/// # Contract
///
/// - An event is written in the very transaction of what it tells of: `progressing` when the first
///   task of a waiting job is claimed, `published`, `rejected` and `failed` when the job ends so,
///   `warning` with the completion that has one. A job that is cancelled tells nothing: somebody
///   did that.
/// - Each target of the [`Audience`] of *that process* gets a delivery of its own. Nothing is
///   written of what nobody listens to.
/// - **At least once.** A delivery is handed to one claimer at a time; who is gone for longer than
///   its lease is taken for dead, and the event goes out once more, with the same id.
/// - Deliveries that fail keep neither others of their target waiting nor those of other targets.
pub trait Outbox: Send + Sync {
    /// From now on these are told of what happens in this process. Nobody is, until this is called.
    fn tell(&self, audience: Audience);

    /// Tells of something that happened to a pipeline and no job of it: a warning. `detail` is
    /// opaque.
    ///
    /// # Errors
    /// Only the database's.
    fn announce(&self, pipeline: &str, detail: &str) -> Result<()>;

    /// Takes the delivery to `target` that is due first, if one is; it comes again after `lease`
    /// unless its end is told. Costs one look where there is none.
    ///
    /// # Errors
    /// Only the database's.
    fn claim_delivery(&self, target: &str, lease: Duration) -> Result<Option<Delivery>>;

    /// Notes that the target has it; whether the claim still held.
    ///
    /// # Errors
    /// Only the database's.
    fn delivered(&self, delivery: &Delivery) -> Result<bool>;

    /// Notes that it failed: it comes again after a pause, or is a dead letter if its time is over,
    /// or if there is no policy. Where the claim no longer holds, nothing changes.
    ///
    /// # Errors
    /// Only the database's.
    fn delivery_failed(
        &self,
        delivery: &Delivery,
        error: &str,
        policy: Option<&DeliveryPolicy>,
    ) -> Result<DeliveryState>;

    /// Deliveries, the newest first, at most `limit`.
    ///
    /// # Errors
    /// Only the database's.
    fn deliveries(&self, state: Option<DeliveryState>, limit: u32) -> Result<Vec<DeliveryInfo>>;

    /// Takes dead letters up again, with all the time of new ones; how many.
    ///
    /// # Errors
    /// Only the database's.
    fn retry_deliveries(&self, which: DeadLetters<'_>) -> Result<u64>;

    /// Forgets what ended long enough ago, and gives up what nobody has carried for too long; how
    /// many were forgotten.
    ///
    /// # Errors
    /// Only the database's.
    fn forget_deliveries(&self, keep: &Retention) -> Result<u64>;
}

/// Paths that caches are to drop, sent in batches.
///
/// # Contract
///
/// - A path is wished for in the transaction of the [`Completion`](crate::Completion) that makes it
///   stale, or by [`mark_stale`](Self::mark_stale). Wishing twice before it is sent is wishing once.
/// - A batch, and its reference, is durable before it is sent, and is the same at every attempt.
/// - Of one distribution never more is in progress than the limits say, as far as this queue knows.
pub trait StaleCaches: Send + Sync {
    /// Wishes for paths to be dropped that no completion makes stale.
    ///
    /// # Errors
    /// Only the database's.
    fn mark_stale(&self, pipeline: &str, paths: &[StalePath]) -> Result<()>;

    /// Takes the batch of a distribution that is due: one that is to be sent, one that is to be
    /// asked for, or one made of what waits. It comes again after `lease` unless its end is told.
    ///
    /// # Errors
    /// Only the database's.
    fn claim_batch(
        &self,
        distribution: &str,
        limits: &BatchLimits,
        lease: Duration,
    ) -> Result<Option<Batch>>;

    /// Notes that a batch was taken on under the name `remote`; it is to be asked for after
    /// `look_in`. Its paths are counted, and the pipeline's listeners are warned when the month's
    /// count passes its limit.
    ///
    /// # Errors
    /// Only the database's.
    fn batch_sent(
        &self,
        batch: &Batch,
        remote: &str,
        counted: &Counted<'_>,
        look_in: Duration,
    ) -> Result<()>;

    /// Notes that all caches have dropped its paths.
    ///
    /// # Errors
    /// Only the database's.
    fn batch_completed(&self, batch: &Batch) -> Result<()>;

    /// Notes that it could not be sent, or is not done yet: it comes again after a pause, or is given up if its time
    /// is over or there is no policy; then the pipeline's listeners are told `warning`.
    ///
    /// # Errors
    /// Only the database's.
    fn batch_failed(
        &self,
        batch: &Batch,
        error: &str,
        policy: Option<&DeliveryPolicy>,
        warning: &str,
    ) -> Result<BatchState>;

    /// Paths that are in no batch yet, at most `limit`.
    ///
    /// # Errors
    /// Only the database's.
    fn stale_paths(&self, limit: u32) -> Result<Vec<StalePath>>;

    /// Batches, the newest first, at most `limit`.
    ///
    /// # Errors
    /// Only the database's.
    fn batches(&self, limit: u32) -> Result<Vec<Batch>>;

    /// Months and how many paths were sent in each, the latest first, at most `limit`.
    ///
    /// # Errors
    /// Only the database's.
    fn stale_counts(&self, limit: u32) -> Result<Vec<(String, u64)>>;

    /// Forgets batches that ended so long ago, and wishes that nobody has sent for so long; how many.
    ///
    /// # Errors
    /// Only the database's.
    fn forget_batches(&self, keep: Duration) -> Result<u64>;
}

impl<E: Engine> Outbox for E {
    fn tell(&self, audience: Audience) {
        Engine::audience(self).admit(audience);
    }

    fn announce(&self, pipeline: &str, detail: &str) -> Result<()> {
        self.write("announce", pipeline.into(), |tx| outbox::announce(tx, pipeline, detail))
    }

    fn claim_delivery(&self, target: &str, lease: Duration) -> Result<Option<Delivery>> {
        let operation = "claim delivery to";
        leap::catch_up(self)?;
        if !self.read(operation, target.into(), |tx| outbox::is_due(tx, target))? {
            return Ok(None);
        }
        let object = target.into();
        around!("claim_delivery")
            .write(self, operation, object, Option::is_some, |tx| outbox::claim(tx, target, lease))
    }

    fn delivered(&self, delivery: &Delivery) -> Result<bool> {
        let object = delivery.target.as_str().into();
        let operation = "note delivery to";
        around!("delivered").write(
            self,
            operation,
            object,
            |done| *done,
            |tx| outbox::delivered(tx, delivery),
        )
    }

    fn delivery_failed(
        &self,
        delivery: &Delivery,
        error: &str,
        policy: Option<&DeliveryPolicy>,
    ) -> Result<DeliveryState> {
        let object = delivery.target.as_str().into();
        let operation = "note failed delivery to";
        around!("delivery_failed").write(self, operation, object, always, |tx| {
            outbox::failed(tx, delivery, error, policy)
        })
    }

    fn deliveries(&self, state: Option<DeliveryState>, limit: u32) -> Result<Vec<DeliveryInfo>> {
        self.read("list deliveries", "to all".into(), |tx| outbox::list(tx, state, limit))
    }

    fn retry_deliveries(&self, which: DeadLetters<'_>) -> Result<u64> {
        self.write("retry", "dead letters".into(), |tx| outbox::retry(tx, which))
    }

    fn forget_deliveries(&self, keep: &Retention) -> Result<u64> {
        self.write("forget", "deliveries".into(), |tx| outbox::forget(tx, keep))
    }
}

impl<E: Engine> StaleCaches for E {
    fn mark_stale(&self, pipeline: &str, paths: &[StalePath]) -> Result<()> {
        let operation = "mark stale paths of";
        around!("mark_stale")
            .write(self, operation, pipeline.into(), always, |tx| stale::wish(tx, pipeline, paths))
    }

    fn claim_batch(
        &self,
        distribution: &str,
        limits: &BatchLimits,
        lease: Duration,
    ) -> Result<Option<Batch>> {
        let operation = "claim stale paths of";
        leap::catch_up(self)?;
        if !self.read(operation, distribution.into(), |tx| stale::is_due(tx, distribution))? {
            return Ok(None);
        }
        let object = distribution.into();
        around!("claim_batch").write(self, operation, object, Option::is_some, |tx| {
            stale::claim(tx, distribution, limits, lease)
        })
    }

    fn batch_sent(
        &self,
        batch: &Batch,
        remote: &str,
        counted: &Counted<'_>,
        look_in: Duration,
    ) -> Result<()> {
        let object = batch.reference.as_str().into();
        around!("batch_sent").write(self, "note sent batch", object, always, |tx| {
            stale::sent(tx, batch, remote, counted, look_in)
        })
    }

    fn batch_completed(&self, batch: &Batch) -> Result<()> {
        let object = batch.reference.as_str().into();
        around!("batch_completed")
            .write(self, "note completed batch", object, always, |tx| stale::completed(tx, batch))
    }

    fn batch_failed(
        &self,
        batch: &Batch,
        error: &str,
        policy: Option<&DeliveryPolicy>,
        warning: &str,
    ) -> Result<BatchState> {
        let object = batch.reference.as_str().into();
        around!("batch_failed").write(self, "note failed batch", object, always, |tx| {
            stale::failed(tx, batch, error, policy, warning)
        })
    }

    fn stale_paths(&self, limit: u32) -> Result<Vec<StalePath>> {
        self.read("list", "stale paths".into(), |tx| stale::waiting(tx, limit))
    }

    fn batches(&self, limit: u32) -> Result<Vec<Batch>> {
        self.read("list batches", "of all distributions".into(), |tx| stale::batches(tx, limit))
    }

    fn stale_counts(&self, limit: u32) -> Result<Vec<(String, u64)>> {
        self.read("count", "stale paths".into(), |tx| stale::counts(tx, limit))
    }

    fn forget_batches(&self, keep: Duration) -> Result<u64> {
        self.write("forget", "batches".into(), |tx| stale::forget(tx, keep))
    }
}
