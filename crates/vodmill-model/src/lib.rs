//! The nouns of vodmill and its pure planner: no I/O, clock, randomness or async.
//!
//! Data flows one way: [`MediaInfo`] (what an original is) and [`Pipeline`] (what is wanted)
//! become a [`Plan`] (exactly what will be done), which the stages carry out without a choice
//! left to them.

pub mod media;
pub mod outcome;
pub mod pipeline;
pub mod plan;
pub mod preset;
pub mod transcode;
pub mod units;

pub use media::{AudioTrack, MediaInfo, SubtitleTrack, VideoTrack};
pub use outcome::{Failed, MediaError, Rejected};
pub use pipeline::Pipeline;
pub use plan::Plan;
pub use preset::{Ladder, Preset, Rung};
pub use transcode::Transcode;
pub use units::{BitsPerSecond, Frames, Gop, Ratio, Size, Ticks};
