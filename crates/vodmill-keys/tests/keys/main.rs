//! One binary for all tests of the crate's surface.
#![expect(
    clippy::unwrap_used,
    missing_docs,
    reason = "tests: nobody reads on, and they fail by panicking"
)]

mod aes128;
mod http;
mod kms;
mod sets;
mod stored;

pub fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    (0..digits.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&digits[i..i + 2], 16).unwrap())
        .collect()
}
