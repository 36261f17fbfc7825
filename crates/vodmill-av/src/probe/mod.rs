//! What an original is: one pass over all its packets.

mod captions;
mod clock;
mod frames;
mod matrix;
mod meter;
mod names;
mod parse;
mod scan;
mod sound;
mod streams;
mod timing;
mod track;

use std::path::Path;
use std::thread;

use vodmill_model::MediaInfo;
use vodmill_model::media::{FieldOrder, VideoTrack};
use vodmill_model::outcome::{MediaError, Reason};
use vodmill_model::pipeline::InputPolicy;
use vodmill_model::transcode::Watch;
use vodmill_model::units::Ticks;

use self::meter::Meter;
use self::scan::Scan;
use crate::error;
use crate::original::Original;
use crate::source::{Source, container_is_cut};

/// Reads every packet of `original` and says what it is.
pub(crate) fn probe(
    original: &Path,
    policy: &InputPolicy,
    watch: &dyn Watch,
) -> Result<MediaInfo, MediaError> {
    let mut source = Source::open_within(original, policy.max_pixels)?;
    let whole = Original::open(original)?;
    let bytes = whole.bytes().map_err(|cause| error::file("read length of", original, &cause))?;
    let meter = Meter::new(watch, bytes);
    let (scan, sha256) = thread::scope(|scope| {
        let hash = scope.spawn(|| meter.hash(whole, original));
        let scan = Scan::run(&mut source, &meter);
        let hash = hash.join().unwrap_or_else(|_| {
            Err(error::failed("hash", original.display(), "the thread panicked"))
        });
        Ok::<_, MediaError>((scan?, hash?))
    })?;
    let mut info = streams::describe(&source, scan);
    (info.bytes, info.sha256) = (bytes, sha256);
    let samples = source.samples(bytes);
    info.truncated |= samples.some_are_beyond;
    info.truncated |= samples.some_are_left_out && is_shorter_than_declared(&info);
    info.truncated |= container_is_cut(original)? || sound_is_cut(&info);
    refuse(&info, policy)?;
    look_at_frames(original, &mut info, policy)?;
    meter.finish();
    Ok(info)
}

/// By more than a second and a hundredth.
fn is_shorter_than_declared(info: &MediaInfo) -> bool {
    info.declared_duration.is_some_and(|declared| {
        let missing = declared - length(info);
        missing > Ticks::from_seconds(1) && missing.0 > declared.0 / 100
    })
}

/// A FLAC file counts its samples in front (RFC 9639, 8.2), and so tells when some are missing.
fn sound_is_cut(info: &MediaInfo) -> bool {
    let end = info.audio.iter().map(|track| track.end).max();
    let missing = info.declared_duration.zip(end).map(|(declared, end)| declared - end);
    info.container == "flac" && missing.is_some_and(|missing| missing > Ticks::from_seconds(1))
}

/// The track that the planner takes.
fn main_video(info: &MediaInfo) -> Option<&VideoTrack> {
    info.video.iter().find(|track| track.decodable && !track.attached_picture)
}

fn refuse(info: &MediaInfo, policy: &InputPolicy) -> Result<(), MediaError> {
    let video = main_video(info);
    if video.is_none() && !info.audio.iter().any(|track| track.decodable) {
        return Err(match info.truncated {
            true => error::rejected(Reason::Incomplete, "none of its media is there"),
            false => error::rejected(Reason::NothingDecodable, streams::names(info)),
        });
    }
    if let Some(video) = video {
        let gap = Ticks::from_units(video.gaps.max, video.time_base);
        if gap > Ticks::from_seconds(policy.max_gap_seconds.into()) {
            let limit = policy.max_gap_seconds;
            let detail = format!("there is a hole of {gap} between frames; the limit is {limit} s");
            return Err(error::rejected(Reason::TimestampGap, detail));
        }
    }
    let length = length(info);
    if length > Ticks::from_seconds(policy.max_duration_seconds.into()) {
        let limit = policy.max_duration_seconds;
        let detail = format!("it lasts {length}; the limit is {limit} s");
        return Err(error::rejected(Reason::TooLong, detail));
    }
    Ok(())
}

/// From the first sample or frame of the decodable tracks to the end of the last.
fn length(info: &MediaInfo) -> Ticks {
    let video = main_video(info).map(|track| {
        let end = track.last.saturating_add(track.last_duration);
        (Ticks::from_units(track.first, track.time_base), Ticks::from_units(end, track.time_base))
    });
    let audio = info.audio.iter().filter(|track| track.decodable);
    let spans: Vec<_> = audio.map(|track| (track.first, track.end)).chain(video).collect();
    let first = spans.iter().map(|span| span.0).min().unwrap_or_default();
    let end = spans.iter().map(|span| span.1).max().unwrap_or_default();
    end - first
}

/// Containers and codecs often do not say that frames hold two fields, or what they were graded on;
/// frames do.
fn look_at_frames(
    original: &Path,
    info: &mut MediaInfo,
    policy: &InputPolicy,
) -> Result<(), MediaError> {
    let Some(index) = main_video(info).map(|track| track.index) else { return Ok(()) };
    let jumps = std::mem::take(&mut info.clock_jumps);
    let track = info.video.iter_mut().find(|track| track.index == index);
    if let Some(track) = track {
        let fields =
            track.field_order == FieldOrder::Progressive && frames::may_be_interlaced(&track.codec);
        if fields || track.colour.transfer == "smpte2084" {
            let found = frames::look(original, track, &jumps, policy.max_pixels)?;
            if fields {
                track.field_order = found.field_order;
            }
            track.hdr10.display = found.hdr10.display.or(track.hdr10.display);
            track.hdr10.light = found.hdr10.light.or(track.hdr10.light);
        }
    }
    info.clock_jumps = jumps;
    Ok(())
}
