//! What an original is.
use std::path::Path;
use vodmill_model::MediaInfo;
use vodmill_model::outcome::{Failed, MediaError};
use vodmill_model::pipeline::InputPolicy;
use vodmill_model::transcode::Watch;

pub(crate) fn probe(
    _original: &Path,
    _policy: &InputPolicy,
    _watch: &dyn Watch,
) -> Result<MediaInfo, MediaError> {
    Err(Failed::new("probe", "not built yet").into())
}
