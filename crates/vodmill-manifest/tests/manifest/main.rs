//! One binary for all tests of the crate's surface.
#![expect(
    clippy::unwrap_used,
    missing_docs,
    reason = "tests: nobody reads on, and they fail by panicking"
)]

mod bandwidth;
mod codec;
mod durations;
mod golden;
mod hostile;
mod multivariant;
mod playlist;
mod webvtt;

/// A small generator for property loops: the same numbers in every run.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % below
    }

    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next(256) as u8).collect()
    }
}

pub fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    (0..digits.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&digits[i..i + 2], 16).unwrap())
        .collect()
}
