//! Tests of media work against real media.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod av1;
mod decode;
mod hevc;
mod mux;
#[cfg(feature = "vmaf")]
mod quality;
