//! Codec strings and the range of light, from what is in finished media.

use vodmill_manifest::codec::{
    CodecError, Colour, audio_config, av1_sequence_from_av1c, avc_sps, avc_sps_from_avcc, hevc_sps,
    hevc_sps_from_hvcc, vp9_header,
};
use vodmill_model::Failed;
use vodmill_model::asset::VideoRange;
use vodmill_model::transcode::{InspectedStream, StreamKind};

/// What the configuration of a stream says.
pub(crate) struct CodecFacts {
    /// The RFC 6381 string.
    pub codec: String,
    /// The range of its light; none for SDR and for sound.
    pub range: Option<VideoRange>,
}

/// What a stream is, from its own configuration.
pub(crate) fn facts_of(stream: &InspectedStream) -> Result<CodecFacts, Failed> {
    read(stream).map_err(|error: CodecError| {
        Failed::from_error(format!("read {} configuration", stream.codec), &error)
    })
}

/// The RFC 6381 string of a stream, from its own configuration.
pub(crate) fn codec_of(stream: &InspectedStream) -> Result<String, Failed> {
    facts_of(stream).map(|facts| facts.codec)
}

/// The range of the pictures among `streams`.
pub(crate) fn range_of(streams: &[InspectedStream]) -> Result<Option<VideoRange>, Failed> {
    let video = streams.iter().find(|stream| stream.kind == StreamKind::Video);
    Ok(video.map(facts_of).transpose()?.and_then(|facts| facts.range))
}

fn read(stream: &InspectedStream) -> Result<CodecFacts, CodecError> {
    // Records for MP4 begin with their version, an Annex B stream with a start code.
    let record = stream.config.first() == Some(&1);
    let config = stream.config.as_slice();
    let (codec, colour) = match (stream.kind, stream.codec.as_str(), record) {
        (StreamKind::Audio, "mp3", _) => ("mp3".to_owned(), None),
        (StreamKind::Audio, "opus", _) => ("opus".to_owned(), None),
        (StreamKind::Audio, _, _) => (audio_config(config)?.codec(), None),
        (StreamKind::Video, "vp9", _) => (vp9_header(config)?.codec(millihertz(stream))?, None),
        (StreamKind::Video, "av1", _) => {
            let sequence = av1_sequence_from_av1c(config)?;
            (sequence.codec(), Some(sequence.colour))
        }
        (StreamKind::Video, "hevc", record) => {
            let sps = if record { hevc_sps_from_hvcc(config) } else { hevc_sps(config) }?;
            (sps.codec(), sps.colour)
        }
        (StreamKind::Video, _, record) => {
            let sps = if record { avc_sps_from_avcc(config) } else { avc_sps(config) }?;
            (sps.codec(), sps.colour)
        }
    };
    Ok(CodecFacts { codec, range: colour.and_then(range) })
}

/// Thousandths of a picture in a second.
fn millihertz(stream: &InspectedStream) -> u64 {
    let ticks = (stream.end - stream.start).0.unsigned_abs().max(1);
    stream.packets.saturating_mul(90_000_000) / ticks
}

/// ITU-T H.273, table 3.
fn range(colour: Colour) -> Option<VideoRange> {
    match colour.transfer {
        16 => Some(VideoRange::Pq),
        18 => Some(VideoRange::Hlg),
        _ => None,
    }
}
