//! Regression of presets: clips that are made for it, the baseline that is committed, verdicts in
//! words, and reports. Bytes and numbers in, bytes and words out: encoding and measuring is done by
//! whoever calls.

pub mod baseline;
pub mod clips;
pub mod compare;
mod diffable;
pub mod limits;
pub mod playlists;
pub mod report;
pub mod settings;

pub use baseline::Baseline;
pub use clips::Clip;
pub use compare::{Level, Verdicts, compare};
pub use limits::Limits;
