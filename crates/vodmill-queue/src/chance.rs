//! A little chance: for pauses, and for names that nobody else has.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

/// A number that nobody foresees; no secret may depend on it.
fn number() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Between half of it and all, so that those who failed together do not come back together.
pub(crate) fn jittered(pause: Duration) -> Duration {
    let chance = u32::try_from(number() % 1000).unwrap_or(0);
    pause / 2 + (pause / 2) * chance / 1000
}

/// A name of 32 hex digits.
pub(crate) fn random_id() -> String {
    format!("{:016x}{:016x}", number(), number())
}
