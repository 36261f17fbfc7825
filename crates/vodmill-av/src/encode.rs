//! Video: one chunk, decoded once, encoded for every rung.
use vodmill_model::outcome::{Failed, MediaError};
use vodmill_model::transcode::{VideoDone, VideoOrder, Watch};

pub(crate) fn encode_video(
    _order: &VideoOrder,
    _watch: &dyn Watch,
) -> Result<VideoDone, MediaError> {
    Err(Failed::new("encode video", "not built yet").into())
}
