//! Codec strings from what is in finished media.

use vodmill_hls::codec::{CodecError, audio_config, avc_sps, avc_sps_from_avcc};
use vodmill_model::Failed;
use vodmill_model::transcode::{InspectedStream, StreamKind};

/// The RFC 6381 string of a stream, from its own configuration.
pub(crate) fn codec_of(stream: &InspectedStream) -> Result<String, Failed> {
    let codec = match (stream.kind, stream.config.first()) {
        // An avcC record begins with its version, an Annex B stream with a start code.
        (StreamKind::Video, Some(1)) => avc_sps_from_avcc(&stream.config).map(|sps| sps.codec()),
        (StreamKind::Video, _) => avc_sps(&stream.config).map(|sps| sps.codec()),
        (StreamKind::Audio, _) => audio_config(&stream.config).map(|config| config.codec()),
    };
    codec.map_err(|error: CodecError| {
        Failed::from_error(format!("read {} configuration", stream.codec), &error)
    })
}
