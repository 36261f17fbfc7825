//! Who is told of what happens.

use std::sync::{Arc, Mutex, PoisonError};

use crate::state::EventKind;

/// Who is told of what, for the pipelines of one process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audience {
    listeners: Vec<Listener>,
}

/// Somebody who is told of a pipeline's events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// The pipeline.
    pub pipeline: String,
    /// The name that deliveries to it go under.
    pub target: String,
    /// The kinds of events that it is told of.
    pub kinds: Vec<EventKind>,
}

impl Audience {
    /// An audience of these.
    pub fn new(listeners: Vec<Listener>) -> Self {
        Self { listeners }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.listeners.is_empty()
    }

    /// The targets that are told of such an event.
    pub(crate) fn targets(&self, pipeline: &str, kind: EventKind) -> Vec<String> {
        let listens = |one: &&Listener| one.pipeline == pipeline && one.kinds.contains(&kind);
        self.listeners.iter().filter(listens).map(|one| one.target.clone()).collect()
    }
}

/// Where an engine keeps its audience.
#[derive(Debug, Default)]
pub(crate) struct Hall(Mutex<Arc<Audience>>);

impl Hall {
    pub(crate) fn admit(&self, audience: Audience) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(audience);
    }

    pub(crate) fn present(&self) -> Arc<Audience> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
