//! Notifications: events to subscribers, by webhook or SNS, and stale paths to the caches of
//! CloudFront.
//!
//! The queue's database has both, durably ([`Outbox`](vodmill_queue::Outbox),
//! [`Invalidations`](vodmill_queue::Invalidations)); a [`Dispatcher`] sends them. It has a thread for each
//! target, so that one that is down or slow delays no other, and no job waits for any of them.

mod cloudfront;
mod dispatcher;
mod error;
mod http;
mod invalidate;
mod payload;
mod sign;
mod sns;
mod target;
mod webhook;
mod xml;

pub use dispatcher::Dispatcher;
pub use error::{Error, Result};
pub use invalidate::Distributions;
pub use payload::body;
pub use sign::{Secrets, signature};
pub use target::{Address, Target};
