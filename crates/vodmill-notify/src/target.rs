//! Receivers of notifications.

use std::time::Duration;

use vodmill_aws::Access;
use vodmill_queue::{DeliveryPolicy, Subscription};

use crate::error::Error;
use crate::sign::Secrets;

/// The wait after the first failure.
const FIRST_PAUSE: Duration = Duration::from_secs(5);

/// The longest wait: a receiver that is back has everything within this time.
const LAST_PAUSE: Duration = Duration::from_secs(600);

/// A receiver of a pipeline's events.
#[derive(Clone, Debug)]
pub struct Target {
    /// Which events it gets, and the name that deliveries go under.
    pub subscription: Subscription,
    /// Where it is reached.
    pub address: Address,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// After how long an event becomes a dead letter.
    pub give_up_after: Duration,
}

/// Where a target is reached.
#[derive(Clone, Debug)]
pub enum Address {
    /// A URL that takes a POST.
    Webhook {
        /// The URL; it may hold a secret of its own in its query, and is not logged.
        url: String,
        /// What signs.
        secrets: Secrets,
    },
    /// A topic of SNS.
    Sns {
        /// Its ARN.
        topic: String,
        /// How SNS is reached; the region is the topic's.
        access: Access,
    },
}

impl Target {
    pub(crate) fn name(&self) -> &str {
        &self.subscription.target
    }

    /// When to try again after this error; None where no further attempt can help.
    pub(crate) fn policy(&self, error: &Error) -> Option<DeliveryPolicy> {
        let policy = DeliveryPolicy {
            base_delay: FIRST_PAUSE,
            max_delay: LAST_PAUSE,
            at_least: error.retry_after(),
            give_up_after: self.give_up_after,
        };
        (!error.is_final()).then_some(policy)
    }
}
