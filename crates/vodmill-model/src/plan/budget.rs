//! What the work of a plan may take.

use serde::{Deserialize, Serialize};

use crate::units::Frames;

/// What the work of a plan may take, from above: less is expected, more is a fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Milliseconds that a frame takes on a busy core, decoded and encoded for every rung.
    pub frame_ms: u64,
    /// Frames that are under way at a time in the slowest encoder.
    pub frames_in_flight: Frames,
    /// Bytes of memory of a process that encodes a chunk.
    pub memory: u64,
    /// Bytes that everything made of a chunk takes.
    pub chunk_bytes: u64,
    /// Bytes of the largest audio rendition.
    pub audio_bytes: u64,
}
