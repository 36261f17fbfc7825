//! The threads that send what the outbox holds.

use std::time::Duration;

use aws_sdk_sns::Client;
use vodmill_clock::{Clock, spawn_scoped};
use vodmill_queue::{Delivery, DeliveryState, Outbox, Queue, Retention, Subscriptions};

use crate::error::Result;
use crate::http::{Http, Patience};
use crate::invalidate::{Distributions, Invalidator};
use crate::payload::body;
use crate::target::{Address, Target};
use crate::{sns, webhook};

/// Pause of a thread that has nothing to send before it looks again.
const IDLE: Duration = Duration::from_secs(1);

/// Its pause when the queue does not answer.
const TROUBLED: Duration = Duration::from_secs(5);

/// How much longer a claim lasts than an attempt may take.
const MARGIN: Duration = Duration::from_secs(30);

/// From one sweep of what is old to the next.
const SWEEP: Duration = Duration::from_secs(3600);

const DAY: Duration = Duration::from_secs(86_400);

/// How long deliveries are kept.
const KEEP: Retention = Retention {
    delivered: DAY.saturating_mul(7),
    dead: DAY.saturating_mul(30),
    unserved: DAY.saturating_mul(31),
};

/// How long batches of stale paths are kept.
const KEEP_BATCHES: Duration = DAY.saturating_mul(30);

/// Sends events to their targets, and stale paths to the caches, for all pipelines of a process.
#[derive(Clone, Debug, Default)]
pub struct Dispatcher {
    targets: Vec<Target>,
    distributions: Distributions,
}

impl Dispatcher {
    /// A dispatcher for these targets and distributions.
    pub fn new(targets: Vec<Target>, distributions: Distributions) -> Dispatcher {
        Dispatcher { targets, distributions }
    }

    /// The subscriptions of its targets: for the queue, which writes deliveries for them.
    pub fn subscriptions(&self) -> Subscriptions {
        Subscriptions::new(self.targets.iter().map(|target| target.subscription.clone()).collect())
    }

    /// Sends until `go_on` says no: it waits for the time that it is given, or less, and says
    /// whether to go on. What is being sent then has two more seconds. Any number of processes may
    /// send from one queue.
    pub fn run(
        &self,
        queue: &dyn Queue,
        clock: &dyn Clock,
        go_on: &(dyn Fn(Duration) -> bool + Sync),
    ) {
        std::thread::scope(|scope| {
            spawn_scoped(clock, scope, || sweep(queue, clock, go_on));
            for target in &self.targets {
                spawn_scoped(clock, scope, || {
                    let mut sender = Sender { target, go_on, http: None, sns: None };
                    repeat(go_on, || sender.step(queue));
                });
            }
            for id in &self.distributions.ids {
                spawn_scoped(clock, scope, || {
                    let mut invalidator = Invalidator::new(id, &self.distributions, clock, go_on);
                    repeat(go_on, || invalidator.step(queue));
                });
            }
        });
    }
}

/// Takes steps until `go_on` says no.
fn repeat(go_on: &dyn Fn(Duration) -> bool, mut step: impl FnMut() -> vodmill_queue::Result<bool>) {
    let mut pause = Duration::ZERO;
    while go_on(pause) {
        pause = match step() {
            Ok(true) => Duration::ZERO,
            Ok(false) => IDLE,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "outbox does not answer");
                TROUBLED
            }
        };
    }
}

/// Removes old deliveries and batches, so that the outbox stays small.
fn sweep(queue: &dyn Queue, clock: &dyn Clock, go_on: &dyn Fn(Duration) -> bool) {
    let mut next = clock.uptime();
    while go_on(IDLE) {
        if clock.uptime() < next {
            continue;
        }
        next = clock.uptime() + SWEEP;
        let swept = queue.forget_deliveries(&KEEP).and_then(|_| queue.forget_batches(KEEP_BATCHES));
        if let Err(error) = swept {
            tracing::warn!(error = &error as &dyn std::error::Error, "old deliveries not swept");
        }
    }
}

/// Sends events to one target.
struct Sender<'a> {
    target: &'a Target,
    go_on: &'a dyn Fn(Duration) -> bool,
    http: Option<Http>,
    sns: Option<Client>,
}

impl Sender<'_> {
    fn step(&mut self, queue: &dyn Outbox) -> vodmill_queue::Result<bool> {
        let lease = self.target.timeout + MARGIN;
        let Some(delivery) = queue.claim_delivery(self.target.name(), lease)? else {
            return Ok(false);
        };
        let (event, target, attempt) = (&delivery.event, &delivery.target, delivery.attempt);
        match self.send(&delivery) {
            Ok(()) => {
                queue.delivered(&delivery)?;
                tracing::debug!(event = event.id, kind = %event.kind, target, "event delivered");
            }
            Err(error) => {
                let policy = self.target.policy(&error);
                let state =
                    queue.delivery_failed(&delivery, &error.to_string(), policy.as_ref())?;
                let (id, kind) = (&event.id, event.kind);
                if state == DeliveryState::Dead {
                    tracing::error!(event = id, %kind, target, %error, "event given up");
                } else {
                    tracing::warn!(event = id, %kind, target, attempt, %error, "event not delivered");
                }
            }
        }
        Ok(true)
    }

    fn send(&mut self, delivery: &Delivery) -> Result<()> {
        let http = match self.http.take() {
            Some(http) => http,
            None => Http::new(self.target.timeout)?,
        };
        let http = &*self.http.insert(http);
        let event = &delivery.event;
        let patience = Patience { timeout: self.target.timeout, go_on: self.go_on };
        let body = body(event);
        match &self.target.address {
            Address::Webhook { url, secrets } => {
                webhook::send(http, url, secrets, &event.id, body.into_bytes(), patience)
            }
            Address::Sns { topic, access } => {
                let client = match self.sns.take() {
                    Some(client) => client,
                    None => sns::open(http, topic, access, patience)?,
                };
                sns::send(http, self.sns.insert(client), topic, event, body, patience)
            }
        }
    }
}
