//! Where an engine keeps the subscriptions of its process.

use std::sync::{Arc, Mutex, PoisonError};

use crate::contract::Subscriptions;

/// Subscriptions that can be replaced while others read them.
#[derive(Debug, Default)]
pub(crate) struct SharedSubscriptions(Mutex<Arc<Subscriptions>>);

impl SharedSubscriptions {
    pub(crate) fn replace(&self, subscriptions: Subscriptions) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(subscriptions);
    }

    pub(crate) fn current(&self) -> Arc<Subscriptions> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
