//! Audio: one track, decoded and encoded whole.
use vodmill_model::outcome::{Failed, MediaError};
use vodmill_model::transcode::{AudioDone, AudioOrder, Watch};

pub(crate) fn encode_audio(
    _order: &AudioOrder,
    _watch: &dyn Watch,
) -> Result<AudioDone, MediaError> {
    Err(Failed::new("encode audio", "not built yet").into())
}
