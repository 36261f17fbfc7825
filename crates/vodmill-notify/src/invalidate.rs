//! Stale paths to the caches of CloudFront, batch by batch.

use std::time::Duration;

use serde_json::json;
use vodmill_aws::Access;
use vodmill_clock::Clock;
use vodmill_queue::{Batch, BatchLimits, DeliveryPolicy, Invalidations, MonthlyLimit};

use crate::cloudfront::CloudFront;
use crate::error::Result;

/// What CloudFront has in progress at a time for one distribution (its quotas, 2026-11).
const LIMITS: BatchLimits = BatchLimits { paths: 3000, wildcards: 15 };

/// How long a batch is claimed for: longer than two requests.
const LEASE: Duration = Duration::from_secs(60);

/// From sending to the first question whether it is done.
const LOOK_IN: Duration = Duration::from_secs(10);

const DAY: Duration = Duration::from_secs(86_400);

/// How often it is tried to send a batch. The pointer's own `max-age` is a minute: after a day
/// nobody needs it any more.
const SENDING: DeliveryPolicy = DeliveryPolicy {
    base_delay: Duration::from_secs(10),
    max_delay: Duration::from_secs(300),
    at_least: Duration::ZERO,
    give_up_after: DAY,
};

/// How often it is asked for.
const ASKING: DeliveryPolicy = DeliveryPolicy {
    base_delay: Duration::from_secs(20),
    max_delay: Duration::from_secs(60),
    at_least: Duration::ZERO,
    give_up_after: DAY,
};

/// The distributions whose caches drop stale paths.
#[derive(Clone, Debug, Default)]
pub struct Distributions {
    /// Their ids, each once.
    pub ids: Vec<String>,
    /// How CloudFront is reached.
    pub access: Access,
    /// Paths in a month above which the subscribers of a pipeline are warned.
    pub alarm: u64,
}

/// Sends the batches of one distribution.
pub(crate) struct Invalidator<'a> {
    distribution: &'a str,
    all: &'a Distributions,
    // Opened when it is first needed: credentials may have to be asked for.
    cloudfront: Option<CloudFront<'a>>,
    clock: &'a dyn Clock,
    go_on: &'a dyn Fn(Duration) -> bool,
}

impl<'a> Invalidator<'a> {
    pub(crate) fn new(
        distribution: &'a str,
        all: &'a Distributions,
        clock: &'a dyn Clock,
        go_on: &'a dyn Fn(Duration) -> bool,
    ) -> Self {
        Invalidator { distribution, all, cloudfront: None, clock, go_on }
    }

    /// Takes one step with what is due; whether something was.
    pub(crate) fn step(&mut self, queue: &dyn Invalidations) -> vodmill_queue::Result<bool> {
        let claimed = queue.claim_batch(self.distribution, &LIMITS, LEASE)?;
        let Some(batch) = claimed else { return Ok(false) };
        match &batch.remote {
            None => self.send(queue, &batch)?,
            Some(remote) => self.ask(queue, &batch, remote)?,
        }
        Ok(true)
    }

    fn send(&mut self, queue: &dyn Invalidations, batch: &Batch) -> vodmill_queue::Result<()> {
        let sent = self.cloudfront().and_then(|cloudfront| {
            cloudfront.create(&batch.distribution, &batch.reference, &batch.paths)
        });
        let remote = match sent {
            Ok(remote) => remote,
            Err(error) => return put_off(queue, batch, &error.to_string(), &SENDING),
        };
        let month = self.month();
        let limit = self.all.alarm;
        let warning = json!({
            "code": "many_invalidations",
            "detail": format!("more than {limit} paths were invalidated in {month}"),
            "remedy": "Paths above the free ones of the account cost money: publish less often, or \
                       raise invalidation_alarm in vodmill.toml.",
        });
        let month = MonthlyLimit { month: &month, limit, warning: &warning.to_string() };
        queue.batch_sent(batch, &remote, &month, LOOK_IN)?;
        let (distribution, paths) = (&batch.distribution, batch.paths.len());
        tracing::info!(distribution, paths, invalidation = remote, "caches told to drop");
        Ok(())
    }

    fn ask(
        &mut self,
        queue: &dyn Invalidations,
        batch: &Batch,
        remote: &str,
    ) -> vodmill_queue::Result<()> {
        let asked = self.cloudfront().and_then(|it| it.is_completed(&batch.distribution, remote));
        match asked {
            Ok(true) => queue.batch_completed(batch),
            Ok(false) => put_off(queue, batch, "in progress", &ASKING),
            Err(error) => put_off(queue, batch, &error.to_string(), &ASKING),
        }
    }

    /// The present month, as `2026-11`.
    fn month(&self) -> String {
        let now = jiff::Timestamp::from_millisecond(self.clock.now()).unwrap_or_default();
        now.strftime("%Y-%m").to_string()
    }

    fn cloudfront(&mut self) -> Result<&CloudFront<'a>> {
        let opened = match self.cloudfront.take() {
            Some(opened) => opened,
            None => CloudFront::open(&self.all.access, self.go_on)?,
        };
        Ok(self.cloudfront.insert(opened))
    }
}

fn put_off(
    queue: &dyn Invalidations,
    batch: &Batch,
    why: &str,
    policy: &DeliveryPolicy,
) -> vodmill_queue::Result<()> {
    let warning = json!({
        "code": "invalidation_given_up",
        "detail": format!("paths of distribution {}: {why}", batch.distribution),
        "remedy": "Look at `vodmill invalidations`: the distribution's id and what the credentials \
                   may do. Caches hold a pointer for a minute by themselves.",
    });
    let state = queue.batch_failed(batch, why, Some(policy), &warning.to_string())?;
    let (distribution, reference) = (&batch.distribution, &batch.reference);
    tracing::debug!(distribution, reference, why, state = %state, "stale paths put off");
    Ok(())
}
