//! What an original is: one pass over all its packets.

mod captions;
mod clock;
mod clocks;
mod crop;
mod drift;
mod frames;
mod matrix;
mod meter;
pub(crate) mod names;
mod parse;
mod pictures;
mod scan;
mod side_data;
mod silence;
mod sound;
mod streams;
mod timing;
mod track;

use std::thread;

use vodmill_model::MediaInfo;
use vodmill_model::media::VideoTrack;
use vodmill_model::outcome::MediaError;
use vodmill_model::transcode::{ProbeOrder, ProgressSink};
use vodmill_model::units::Ticks;

use self::meter::Meter;
use self::scan::Scan;
use crate::error;
use crate::original::Original;
use crate::source::{Source, container_is_truncated};

/// What the tracks of a file in memory are cropped by.
pub fn cropping(bytes: &[u8]) -> Vec<vodmill_model::media::Crop> {
    crop::of_bytes(bytes)
}

/// Tracks of pictures whose frames are looked at.
const MOST_LOOKED_AT: usize = 16;

/// Reads every packet of an original and says what it is.
pub(crate) fn probe(order: &ProbeOrder, watch: &dyn ProgressSink) -> Result<MediaInfo, MediaError> {
    let original = order.original.as_path();
    let mut source = Source::open_within(original, order.max_pixels)?;
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
    info.truncated |= container_is_truncated(original)? || sound_is_truncated(&info);
    streams::crop(original, &source, &mut info)?;
    info.photograph = streams::photograph(original, &info)?;
    look_at_frames(order, &mut info)?;
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
fn sound_is_truncated(info: &MediaInfo) -> bool {
    let end = info.audio.iter().map(|track| track.end).max();
    let missing = info.declared_duration.zip(end).map(|(declared, end)| declared - end);
    info.container == "flac" && missing.is_some_and(|missing| missing > Ticks::from_seconds(1))
}

/// From the first sample or frame of any decodable track to the end of the last.
fn length(info: &MediaInfo) -> Ticks {
    let video = info.video.iter().filter(|track| track.decodable && !track.attached_picture);
    let video = video.map(|track| {
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
/// frames do. Which track is published is not decided here: each one is looked at.
fn look_at_frames(order: &ProbeOrder, info: &mut MediaInfo) -> Result<(), MediaError> {
    let mut tracks = std::mem::take(&mut info.video);
    let shown = |track: &&mut VideoTrack| track.decodable && !track.attached_picture;
    for track in tracks.iter_mut().filter(shown).take(MOST_LOOKED_AT) {
        if frames::tell_more(track) {
            let jumps = info.clock_jumps_of(track.index);
            frames::look(&order.original, track, jumps, order.max_pixels)?.amend(track);
        }
    }
    info.video = tracks;
    Ok(())
}
