//! The facts of the file and of its tracks, put together.

use std::path::Path;

use ffmpeg_next::{ffi, media};
use vodmill_model::MediaInfo;
use vodmill_model::outcome::MediaError;
use vodmill_model::units::Ticks;

use super::crop::{self, Of};
use super::scan::Scan;
use super::track;
use crate::error;
use crate::original::Original;
use crate::source::{Source, photograph_at};

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
        clock_jumps: Vec::new(),
        truncated: scan.torn,
        corrupt_packets: scan.corrupt,
        programmes: Vec::new(),
        clocks_disagree: false,
        photograph: None,
    };
    clocks(source, &scan, &mut info);
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

/// What containers cut off pictures, as far as libav does not say.
pub(super) fn crop(path: &Path, source: &Source, info: &mut MediaInfo) -> Result<(), MediaError> {
    if !info.container.starts_with("mov,") && !info.container.starts_with("matroska") {
        return Ok(());
    }
    let mut original = Original::open(path)?;
    let crops =
        crop::read(&mut original).map_err(|cause| error::file("read cropping of", path, &cause))?;
    for (of, crop) in crops {
        let mut tracks = info.video.iter_mut().filter(|track| !track.attached_picture);
        let track = match of {
            Of::Video(place) => tracks.nth(place),
            Of::Id(id) => tracks.find(|track| {
                let stream = source.input().stream(track.index as usize);
                stream.is_some_and(|stream| stream.id().cast_unsigned() == id)
            }),
        };
        if let Some(track) = track {
            track.crop = Some(crop);
        }
    }
    Ok(())
}

/// What kind of photograph it is: an image file with one picture and no sound. Files of cameras
/// with one picture are films; they have a clock.
pub(super) fn photograph(path: &Path, info: &MediaInfo) -> Result<Option<String>, MediaError> {
    let pictures: u64 = info.video.iter().map(|track| track.packets).sum();
    let sound = info.audio.iter().any(|track| track.packets > 0);
    let is_image = info.container.ends_with("_pipe") || (pictures <= 1 && !sound);
    let kind = if is_image { photograph_at(path)? } else { None };
    Ok(kind.map(str::to_owned))
}

/// One clock for the file, or one for each of several programmes.
fn clocks(source: &Source, scan: &Scan, info: &mut MediaInfo) {
    (info.clock_jumps, info.clocks_disagree) = scan.clocks.of_programme(0);
    let mut programmes = source.programmes();
    if programmes.len() < 2 {
        return;
    }
    for programme in &mut programmes {
        let first = programme.tracks.first().and_then(|&track| scan.tracks.get(track as usize));
        let clock = scan.clocks.of_programme(first.map_or(0, |track| track.programme));
        (programme.clock_jumps, programme.clocks_disagree) = clock;
    }
    info.programmes = programmes;
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
