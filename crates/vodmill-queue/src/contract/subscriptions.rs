//! Which targets get which events.

use super::state::EventKind;

/// The subscriptions of one process, for all its pipelines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subscriptions(Vec<Subscription>);

/// A target's subscription to events of one pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The pipeline.
    pub pipeline: String,
    /// The name that deliveries go under.
    pub target: String,
    /// The kinds of events.
    pub kinds: Vec<EventKind>,
}

impl Subscriptions {
    /// These subscriptions.
    pub fn new(subscriptions: Vec<Subscription>) -> Self {
        Self(subscriptions)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The targets of an event of this pipeline and kind.
    pub(crate) fn targets(&self, pipeline: &str, kind: EventKind) -> Vec<String> {
        let matching = self.0.iter().filter(|one| one.matches(pipeline, kind));
        matching.map(|one| one.target.clone()).collect()
    }
}

impl Subscription {
    fn matches(&self, pipeline: &str, kind: EventKind) -> bool {
        self.pipeline == pipeline && self.kinds.contains(&kind)
    }
}
