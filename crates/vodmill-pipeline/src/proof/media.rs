//! The content of a segment: frames counted, times compared, codecs read.

use vodmill_model::transcode::{InspectedStream, Media, StreamKind};
use vodmill_model::units::{Frames, Ticks};

use super::Prover;
use crate::package::codec_of;
use crate::receipt::{Holds, PlaylistFact};

/// Where a segment should be.
pub(super) struct Expected<'a> {
    pub name: &'a str,
    pub start: Ticks,
    pub end: Ticks,
}

pub(super) fn prove_segment(
    prover: &Prover<'_>,
    fact: &PlaylistFact,
    expected: &Expected<'_>,
    media: &[u8],
) {
    let inspection = match prover.transcode.inspect(Media::Bytes(media)) {
        Ok(inspection) => inspection,
        Err(error) => return prover.find(expected.name, "media_unreadable", error.to_string()),
    };
    let video = inspection.streams.iter().find(|stream| stream.kind == StreamKind::Video);
    match (fact.holds, video) {
        (Holds::Video, Some(video)) => {
            prove_pictures(prover, expected, video, frames(prover, expected))
        }
        (Holds::IFrames, Some(video)) => prove_pictures(prover, expected, video, 1),
        (Holds::Video | Holds::IFrames, None) => {
            prover.find(expected.name, "no_pictures", "it holds none")
        }
        _ => {}
    }
    for stream in &inspection.streams {
        prove_codec(prover, fact, expected, stream);
        prove_clock(prover, expected, stream);
    }
}

/// Frames of the grid between two times.
fn frames(prover: &Prover<'_>, expected: &Expected<'_>) -> Frames {
    let rate = prover.receipt.frame_rate.unwrap_or(vodmill_model::Ratio::ONE);
    let number = |time: Ticks| {
        let scaled = i128::from(time.0) * i128::from(rate.num);
        let per_frame = i128::from(rate.den) * 90_000;
        ((scaled + per_frame / 2) / per_frame) as u64
    };
    number(expected.end).saturating_sub(number(expected.start))
}

fn prove_pictures(
    prover: &Prover<'_>,
    expected: &Expected<'_>,
    video: &InspectedStream,
    frames: Frames,
) {
    if video.packets != frames {
        prover.find(
            expected.name,
            "frame_count",
            format!("{} frames instead of {frames}", video.packets),
        );
    }
    if !video.starts_with_key {
        prover.find(expected.name, "no_key_frame", "it does not begin with a key frame");
    }
    let start = prover.receipt.base + expected.start;
    // An fMP4 timescale and 90 kHz round apart by one tick.
    if (video.start - start).0.abs() > 1 {
        prover.find(
            expected.name,
            "start_time",
            format!("begins at {} instead of {start}", video.start),
        );
    }
}

fn prove_codec(
    prover: &Prover<'_>,
    fact: &PlaylistFact,
    expected: &Expected<'_>,
    stream: &InspectedStream,
) {
    match codec_of(stream) {
        Ok(codec) if fact.codecs.contains(&codec) => {}
        Ok(codec) => {
            prover.find(expected.name, "codec", format!("{codec}, not one of {:?}", fact.codecs))
        }
        Err(error) => prover.find(expected.name, "codec", error.to_string()),
    }
    if stream.kind == StreamKind::Video && stream.size != fact.size {
        prover.find(
            expected.name,
            "picture_size",
            format!("{:?} instead of {:?}", stream.size, fact.size),
        );
    }
}

/// Sound starts and ends with its segment, within the length of an AAC frame and its priming.
fn prove_clock(prover: &Prover<'_>, expected: &Expected<'_>, stream: &InspectedStream) {
    if !stream.monotonic {
        prover.find(expected.name, "clock", format!("{} goes back in time", stream.codec));
    }
    if stream.kind == StreamKind::Video || stream.sample_rate == 0 {
        return;
    }
    let frame = Ticks(1024 * 90_000 / i64::from(stream.sample_rate) + 1);
    let (start, end) = (prover.receipt.base + expected.start, prover.receipt.base + expected.end);
    let early = stream.start < start - frame - frame;
    let late = stream.start > start + frame + frame;
    let long = stream.end > end + frame + frame;
    let short = stream.end < end - frame - frame;
    if early || late || long || short {
        let detail = format!(
            "{} from {} to {}, the segment from {start} to {end}",
            stream.codec, stream.start, stream.end
        );
        prover.find(expected.name, "audio_time", detail);
    }
}
