//! Chance that can be repeated.

use std::hash::{BuildHasher as _, RandomState};

/// A small generator (xorshift), seeded anew each time; the seed is printed and can be given.
pub struct Random(u64);

impl Random {
    /// With the seed of VODMILL_SEED, or one of its own.
    pub fn new() -> Random {
        let given = std::env::var("VODMILL_SEED").ok().and_then(|text| text.parse().ok());
        let seed = given.unwrap_or_else(|| RandomState::new().hash_one(1) | 1);
        println!("VODMILL_SEED={seed}");
        Random(seed)
    }

    /// A number from 0 to one below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

impl Default for Random {
    fn default() -> Random {
        Random::new()
    }
}
