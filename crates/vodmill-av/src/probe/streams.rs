//! The facts of the file and of its tracks, put together.

use ffmpeg_next::{ffi, media};
use vodmill_model::MediaInfo;
use vodmill_model::units::Ticks;

use super::scan::Scan;
use super::track;
use crate::source::Source;

/// Everything but the hash, the size in bytes and the order of fields.
pub(super) fn describe(source: &Source, scan: Scan) -> MediaInfo {
    let mut info = MediaInfo {
        container: source.input().format().name().to_owned(),
        bytes: 0,
        sha256: String::new(),
        declared_duration: declared_duration(source),
        video: Vec::new(),
        audio: Vec::new(),
        subtitles: Vec::new(),
        other: Vec::new(),
        clock_jumps: scan.jumps,
        truncated: scan.torn,
        corrupt_packets: scan.corrupt,
        programmes: Vec::new(),
        clocks_disagree: scan.clocks_disagree,
        photograph: None,
    };
    let mut scans = scan.tracks.into_iter();
    for stream in source.input().streams() {
        let scan = scans.next().unwrap_or_default();
        match stream.parameters().medium() {
            media::Type::Video => info.video.push(track::video(&stream, scan)),
            media::Type::Audio => info.audio.push(track::audio(&stream, &scan)),
            media::Type::Subtitle => info.subtitles.push(track::subtitle(&stream)),
            _ => info.other.push(track::other(&stream)),
        }
    }
    info
}

/// What the container itself says; libav's estimates are not it.
fn declared_duration(source: &Source) -> Option<Ticks> {
    // SAFETY: the context is open.
    let (duration, method) = unsafe {
        let context = &*source.input().as_ptr();
        (context.duration, context.duration_estimation_method)
    };
    let declared = method == ffi::AVDurationEstimationMethod::AVFMT_DURATION_FROM_STREAM;
    let microseconds = Some(duration).filter(|&duration| declared && duration > 0)?;
    let ticks = i128::from(microseconds) * 90 / 1000;
    i64::try_from(ticks).ok().map(Ticks)
}
