//! What the work of a plan may take: bounds for whoever watches over it, from above on purpose. A
//! piece of work that goes beyond is stuck, or does what nobody planned.

use super::outputs::{Made, Material};
use super::source::Source;
use crate::media::VideoTrack;
use crate::plan::{AudioEncode, Budget, ChunkPlan, OutputPlan, StillsPlan, Timeline, VideoEncode};
use crate::units::{Frames, Size, Ticks};

const MIB: u64 = 1 << 20;

/// A process with libav's libraries, its stacks and buffers.
const PROCESS: u64 = 96 * MIB;

/// Pictures that a decoder holds, references of H.264 and HEVC included, and those on their way.
const PICTURES_DECODED: u64 = 24;

/// Pictures that an encoder holds beside its lookahead: references, and those under way.
const PICTURES_ENCODED: u64 = 16;

/// Bytes of a pixel with everything that an encoder keeps about it: planes, half-size planes,
/// motion and costs. Measured on x264, rounded up.
const BYTES_A_PIXEL: u64 = 8;

/// Pixels in a millisecond that an encoder does on one busy core, by the name of its speed; a
/// quarter of what was measured.
const PACE: [(&str, u64); 9] = [
    ("ultrafast", 30_000),
    ("superfast", 18_000),
    ("veryfast", 11_000),
    ("faster", 6_000),
    ("fast", 4_000),
    ("medium", 2_700),
    ("slow", 1_500),
    ("slower", 600),
    ("veryslow", 300),
];

/// The same of libvpx for VP9, by its names of the effort.
const VP9_PACE: [(&str, u64); 9] = [
    ("realtime 8", 15_000),
    ("realtime 7", 12_000),
    ("realtime 6", 11_000),
    ("realtime 5", 7_000),
    ("good 5", 2_700),
    ("good 3", 2_400),
    ("good 2", 1_700),
    ("good 1", 1_200),
    ("good 0", 200),
];

/// The same of SVT-AV1, by the numbers of its presets.
const AV1_PACE: [(&str, u64); 9] = [
    ("12", 8_000),
    ("11", 6_000),
    ("10", 4_000),
    ("9", 3_200),
    ("8", 1_800),
    ("7", 1_200),
    ("6", 850),
    ("5", 450),
    ("4", 250),
];

/// Bytes that an encoder of SVT-AV1 takes, and more for each pixel: measured from 640x360 to 1920x1080
/// at its slowest preset here, rounded up.
const AV1_MEMORY: (u64, u64) = (64 * MIB, 200);

/// How much slower than x264 an encoder of HEVC is.
const HEVC: u64 = 6;

/// How much more memory than x264 an encoder of HEVC takes, with 10 bits, and one of VP9.
const MORE_MEMORY: u64 = 3;

/// Pixels in a millisecond that a slow decoder with its filters does.
const DECODED: u64 = 5_000;

/// What of a plan the budget hangs on.
struct Parts<'a> {
    source: &'a Source<'a>,
    timeline: &'a Timeline,
    video: &'a [VideoEncode],
    audio: &'a [AudioEncode],
    chunks: &'a [ChunkPlan],
    stills: Option<&'a StillsPlan>,
}

/// The bounds of what is planned.
pub(super) fn budget(material: &Material<'_>, made: &Made) -> Budget {
    let stills = made.outputs.iter().find_map(|output| match output {
        OutputPlan::Stills(stills) => Some(stills),
        OutputPlan::Hls(_) | OutputPlan::File(_) => None,
    });
    of_parts(&Parts {
        source: material.source,
        timeline: material.timeline,
        video: &material.pictures.encodes.list,
        audio: &made.audio,
        chunks: &material.pictures.chunks,
        stills,
    })
}

fn of_parts(parts: &Parts<'_>) -> Budget {
    let longest = parts.chunks.iter().map(|chunk| chunk.frames).max().unwrap_or(0);
    let coded = parts.source.video.map_or(0, |track| pixels(track.coded));
    let encodes = || parts.video.iter();
    let chunk_bytes = encodes().map(|encode| video_bytes(parts, encode, longest)).sum::<u64>()
        + still_bytes(parts.stills);
    let longest_sound = parts.audio.iter().map(|encode| audio_bytes(parts, encode)).max();
    Budget {
        frame_ms: 1 + coded / DECODED + encodes().map(frame_ms).sum::<u64>(),
        frames_in_flight: encodes()
            .map(|encode| PICTURES_ENCODED + lookahead(encode) + waiting(encode))
            .max()
            .unwrap_or(0),
        memory: PROCESS + 2 * coded * PICTURES_DECODED + encodes().map(encoder_memory).sum::<u64>(),
        chunk_bytes,
        audio_bytes: longest_sound.unwrap_or(0),
    }
}

/// Bytes of a pixel that a trial holds beside its encoder: pictures that wait for their trial to come
/// back from the decoder, and what a score is made of. Measured, rounded up.
const BYTES_A_TRIED_PIXEL: u64 = 110;

/// The bounds of trials of pictures that are compared at the size of the largest.
pub(super) fn of_trials(track: &VideoTrack, trials: &[&VideoEncode]) -> Budget {
    let coded = pixels(track.coded);
    let compared = trials.iter().map(|encode| pixels(encode.size)).max().unwrap_or(0);
    let trials_of = |bytes: u64| compared * bytes * trials.len() as u64;
    let encoders: u64 = trials.iter().map(|encode| encoder_memory(encode)).sum();
    // Decoded, encoded, decoded again, compared: each about as slow as the decoder of an original.
    let compared_ms = trials_of(2) / DECODED;
    let encoded_ms: u64 = trials.iter().map(|encode| frame_ms(encode)).sum();
    Budget {
        frame_ms: 1 + coded / DECODED + encoded_ms + compared_ms,
        frames_in_flight: trials
            .iter()
            .map(|encode| PICTURES_ENCODED + lookahead(encode))
            .max()
            .unwrap_or(0),
        memory: PROCESS + 2 * coded * PICTURES_DECODED + encoders + trials_of(BYTES_A_TRIED_PIXEL),
        chunk_bytes: 0,
        audio_bytes: 0,
    }
}

fn pixels(size: Size) -> u64 {
    u64::from(size.width) * u64::from(size.height)
}

fn option(encode: &VideoEncode, name: &str) -> Option<u64> {
    encode.options.get(name)?.parse().ok()
}

fn lookahead(encode: &VideoEncode) -> u64 {
    option(encode, "rc-lookahead").or(option(encode, "lag-in-frames")).unwrap_or(40)
}

fn encoder_memory(encode: &VideoEncode) -> u64 {
    if is_av1(encode) {
        let (bytes, bytes_a_pixel) = AV1_MEMORY;
        return bytes + bytes_a_pixel * pixels(encode.size);
    }
    pixels(encode.size) * BYTES_A_PIXEL * (PICTURES_ENCODED + lookahead(encode)) / 4
        * if is_hevc(encode) || is_vp9(encode) { MORE_MEMORY } else { 1 }
        + pixels(encode.size) * 3 / 2 * waiting(encode)
}

/// Frames, of 8 bits and 4:2:0, that wait in front of the encoder for their types.
fn waiting(encode: &VideoEncode) -> u64 {
    encode.types.as_ref().map_or(0, |types| types.waiting)
}

fn frame_ms(encode: &VideoEncode) -> u64 {
    let named = |name: &str| encode.options.get(name).map_or("", String::as_str);
    let pace = match encode.encoder.as_str() {
        "libvpx-vp9" => pace(&VP9_PACE, &format!("{} {}", named("deadline"), named("cpu-used"))),
        "libsvtav1" => pace(&AV1_PACE, named("preset")),
        _ => pace(&PACE, named("preset")),
    };
    pixels(encode.size) * slower(encode) / pace
}

fn pace(paces: &[(&str, u64)], speed: &str) -> u64 {
    paces.iter().find(|(name, _)| *name == speed).map_or(200, |(_, pace)| *pace)
}

fn slower(encode: &VideoEncode) -> u64 {
    if is_hevc(encode) { HEVC } else { 1 }
}

fn is_hevc(encode: &VideoEncode) -> bool {
    encode.encoder.contains("265")
}

fn is_vp9(encode: &VideoEncode) -> bool {
    encode.encoder.contains("vp9")
}

fn is_av1(encode: &VideoEncode) -> bool {
    encode.encoder.contains("av1")
}

/// The most that a rendition of so many frames takes: half as much again as the rate that bounds
/// it (twice as much of AV1, where a third was measured), and never more than a bit for each pixel where nothing does.
fn video_bytes(parts: &Parts<'_>, encode: &VideoEncode, frames: Frames) -> u64 {
    let Some(grid) = &parts.timeline.video else { return 0 };
    let bits = match option(encode, "maxrate") {
        Some(rate) => {
            rate.saturating_mul(frames) * u64::from(grid.rate.den) / u64::from(grid.rate.num.max(1))
        }
        None => pixels(encode.size).saturating_mul(frames),
    };
    let halves = if is_av1(encode) { 4 } else { 3 };
    bits / 8 * halves / 2 + option(encode, "bufsize").unwrap_or(0) / 8 + 4 * MIB
}

fn audio_bytes(parts: &Parts<'_>, encode: &AudioEncode) -> u64 {
    let seconds = (parts.timeline.duration.0 / Ticks::from_seconds(1).0).unsigned_abs() + 1;
    encode.bitrate.0.saturating_mul(seconds) / 8 * 2 + MIB
}

/// Stills lie there as raw pictures.
fn still_bytes(stills: Option<&StillsPlan>) -> u64 {
    stills.map_or(0, |plan| {
        let poster = pixels(plan.poster.size);
        let tiles = plan.storyboard.as_ref();
        let tiles = tiles.map_or(0, |it| pixels(it.tile) * it.frames.len() as u64);
        (poster + tiles) * 3 / 2
    })
}
