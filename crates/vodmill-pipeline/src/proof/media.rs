//! The content of a segment: frames counted, times compared, codecs read.

use vodmill_model::pipeline::ProofLevel;
use vodmill_model::receipt::{Holds, PlaylistFact};
use vodmill_model::transcode::{Decoded, InspectedStream, Inspection, Media, StreamKind};
use vodmill_model::units::{Frames, Ratio, Ticks};
use vodmill_model::{MediaError, Transcode};

use super::{Finding, Findings};
use crate::generation::facts_of;

/// What segments are held against.
#[derive(Clone, Copy)]
pub(crate) struct SegmentProof<'a> {
    pub transcode: &'a dyn Transcode,
    /// Whether what is looked at is decoded as well.
    pub level: ProofLevel,
    /// Time of the first frame.
    pub base: Ticks,
    /// Frames per second; none for sound alone.
    pub rate: Option<Ratio>,
}

/// Where a segment should be.
pub(super) struct Expected<'a> {
    pub name: &'a str,
    pub start: Ticks,
    pub end: Ticks,
    /// What EXTINF says, or will say.
    pub told: Ticks,
    /// AAC frames by which EXTINF of sound alone may differ from the media.
    pub slack: i64,
}

/// EXTINF of sound alone is what a decoder puts out; the last frame may declare less.
pub(super) const SLACK_WHEN_MADE: i64 = 1;
/// Packages of 0.1.0 left out the encoder's delay and what fills the last frame.
pub(super) const SLACK_WHEN_CHECKED: i64 = 2;

/// What is wrong with a segment, which has its init segment in front where there is one.
pub(super) fn prove_segment(
    proof: &SegmentProof<'_>,
    fact: &PlaylistFact,
    expected: &Expected<'_>,
    media: &[u8],
) -> Vec<Finding> {
    let mut findings = Findings::about(expected.name);
    let inspection = match proof.transcode.inspect(Media::Bytes(media)) {
        Ok(inspection) => inspection,
        Err(error) => return findings.with("media_unreadable", error.to_string()),
    };
    let video = inspection.streams.iter().find(|stream| stream.kind == StreamKind::Video);
    let frames = || frames(proof, expected);
    match (fact.holds, video) {
        (Holds::Video, Some(video)) => {
            prove_pictures(proof, expected, video, frames(), &mut findings)
        }
        (Holds::IFrames, Some(video)) => prove_pictures(proof, expected, video, 1, &mut findings),
        (Holds::Video | Holds::IFrames, None) => findings.add("no_pictures", "it holds none"),
        _ => {}
    }
    if proof.level == ProofLevel::Full {
        let decoded = proof.transcode.decode(Media::Bytes(media));
        prove_decoded(decoded, &inspection, &mut findings);
    }
    for stream in &inspection.streams {
        prove_codec(fact, stream, &mut findings);
        prove_clock(proof, fact.holds, expected, stream, &mut findings);
    }
    findings.list
}

/// Frames of the grid between two times.
fn frames(proof: &SegmentProof<'_>, expected: &Expected<'_>) -> Frames {
    let rate = proof.rate.unwrap_or(Ratio::ONE);
    let number = |time: Ticks| {
        let scaled = i128::from(time.0) * i128::from(rate.num);
        let per_frame = i128::from(rate.den) * 90_000;
        ((scaled + per_frame / 2) / per_frame) as u64
    };
    number(expected.end).saturating_sub(number(expected.start))
}

/// Everything that is in it comes out of a decoder, undamaged.
pub(super) fn prove_decoded(
    decoded: Result<Decoded, MediaError>,
    inspection: &Inspection,
    findings: &mut Findings<'_>,
) {
    let packets = |kind| {
        let streams = inspection.streams.iter().filter(move |stream| stream.kind == kind);
        streams.map(|stream| stream.packets).sum::<u64>()
    };
    let (pictures, sounds) = (packets(StreamKind::Video), packets(StreamKind::Audio));
    match decoded {
        Err(error) => findings.add("undecodable", error.to_string()),
        Ok(Decoded { errors, .. }) if errors > 0 => {
            findings.add("undecodable", format!("{errors} errors of the decoder"));
        }
        Ok(Decoded { frames, .. }) if frames != pictures => {
            findings.add("undecodable", format!("{frames} pictures came out of {pictures}"));
        }
        Ok(Decoded { samples: 0, .. }) if sounds > 0 => {
            findings.add("undecodable", "no sound came out");
        }
        Ok(_) => {}
    }
}

fn prove_pictures(
    proof: &SegmentProof<'_>,
    expected: &Expected<'_>,
    video: &InspectedStream,
    frames: Frames,
    findings: &mut Findings<'_>,
) {
    if video.packets != frames {
        findings.add("frame_count", format!("{} frames instead of {frames}", video.packets));
    }
    if !video.starts_with_key {
        findings.add("no_key_frame", "it does not begin with a key frame");
    }
    let start = proof.base + expected.start;
    // An fMP4 timescale and 90 kHz round apart by one tick.
    if (video.start - start).0.abs() > 1 {
        findings.add("start_time", format!("begins at {} instead of {start}", video.start));
    }
}

fn prove_codec(fact: &PlaylistFact, stream: &InspectedStream, findings: &mut Findings<'_>) {
    match facts_of(stream) {
        Ok(found) => {
            if !fact.codecs.contains(&found.codec) {
                let detail = format!("{}, not one of {:?}", found.codec, fact.codecs);
                findings.add("codec", detail);
            }
            if stream.kind == StreamKind::Video && found.range != fact.range {
                let detail = format!("{:?} instead of {:?}", found.range, fact.range);
                findings.add("video_range", detail);
            }
        }
        Err(error) => findings.add("codec", error.to_string()),
    }
    if stream.kind == StreamKind::Video && stream.size != fact.size {
        findings.add("picture_size", format!("{:?} instead of {:?}", stream.size, fact.size));
    }
}

/// Sound starts and ends with its segment, within the length of an AAC frame and its priming.
fn prove_clock(
    proof: &SegmentProof<'_>,
    holds: Holds,
    expected: &Expected<'_>,
    stream: &InspectedStream,
    findings: &mut Findings<'_>,
) {
    if !stream.monotonic {
        findings.add("clock", format!("{} goes back in time", stream.codec));
    }
    if stream.kind == StreamKind::Video || stream.sample_rate == 0 {
        return;
    }
    let frame = Ticks(1024 * 90_000 / i64::from(stream.sample_rate) + 1);
    let (start, end) = (proof.base + expected.start, proof.base + expected.end);
    let early = stream.start < start - frame - frame;
    let late = stream.start > start + frame + frame;
    let long = stream.end > end + frame + frame;
    let short = stream.end < end - frame - frame;
    if early || late || long || short {
        let detail = format!(
            "{} from {} to {}, the segment from {start} to {end}",
            stream.codec, stream.start, stream.end
        );
        findings.add("audio_time", detail);
    }
    let media = stream.end - stream.start;
    if holds == Holds::Audio && (media - expected.told).0.abs() > expected.slack * frame.0 {
        findings.add("extinf", format!("EXTINF {}, media {media}", expected.told));
    }
}

/// Whether a piece begins with its Media Initialization Section: a PAT before anything but a service
/// description (RFC 8216, 3.2), or the boxes of an init segment (3.3).
pub(super) fn begins_with_init(piece: &[u8]) -> bool {
    const PACKET: usize = 188;
    let packets = piece.chunks_exact(PACKET).take_while(|packet| packet[0] == 0x47);
    let pids = packets.take(2).map(|packet| u16::from_be_bytes([packet[1] & 0x1f, packet[2]]));
    let tables = pids.into_iter().any(|pid| pid == 0);
    tables || matches!(piece.get(4..8), Some(b"ftyp" | b"moov"))
}
