//! What was decided, and why.

use crate::plan::Decision;

/// Decisions in the order of deciding.
#[derive(Default)]
pub(super) struct Decisions(Vec<Decision>);

impl Decisions {
    pub(super) fn add(
        &mut self,
        about: impl Into<String>,
        choice: impl Into<String>,
        reason: impl Into<String>,
    ) {
        self.0.push(Decision { about: about.into(), choice: choice.into(), reason: reason.into() });
    }

    pub(super) fn list(self) -> Vec<Decision> {
        self.0
    }
}
