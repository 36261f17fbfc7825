//! Text subtitles.
use vodmill_model::outcome::{Failed, MediaError};
use vodmill_model::transcode::{Cue, SubtitleOrder};

pub(crate) fn extract(_order: &SubtitleOrder) -> Result<Vec<Cue>, MediaError> {
    Err(Failed::new("extract subtitles", "not built yet").into())
}
