//! The nouns of vodmill and its pure planner: no I/O, clock, randomness or async.
//!
//! Data flows one way: [`MediaInfo`] (what an original is) and [`Pipeline`] (what is wanted)
//! become a [`Plan`] (exactly what will be done), which the stages carry out without a choice
//! left to them.

pub mod analysis;
pub mod asset;
pub mod audience;
pub mod audio_map;
pub mod catalogue;
pub mod generation;
pub mod hazard;
pub mod loudness;
pub mod measurement;
pub mod media;
pub mod notify;
pub mod original;
pub mod outcome;
pub mod pipeline;
pub mod plan;
pub mod planner;
pub mod preset;
mod preset_file;
mod printable;
pub mod quality;
pub mod receipt;
pub mod role;
pub mod spec;
pub mod transcode;
pub mod units;
pub mod validate;

pub use analysis::{Analysis, AnalysisPlan};
pub use asset::{Asset, AssetDocument};
pub use catalogue::Catalogue;
pub use generation::{GenerationName, GenerationNumber};
pub use measurement::Measurement;
pub use media::{AudioTrack, MediaInfo, SubtitleTrack, VideoTrack};
pub use outcome::{Failed, MediaError, Rejected};
pub use pipeline::Pipeline;
pub use plan::Plan;
pub use planner::{HdrHandling, PlanInput, analysis_plan, diagnose, plan};
pub use preset::{Ladder, Preset, QualityTarget, Rung};
pub use printable::{is_hidden, printable, printable_lines};
pub use receipt::Receipt;
pub use spec::JobSpec;
pub use transcode::Transcode;
pub use units::{BitsPerSecond, Frames, Gop, Ratio, Size, Ticks};
