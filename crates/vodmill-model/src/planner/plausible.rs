//! Facts that no original has. They come out of hostile bytes, by way of a process that reads them:
//! what is not refused here may be added and multiplied without a look.

use crate::media::{AudioTrack, MediaInfo, VideoTrack};
use crate::outcome::{Reason, Rejected};
use crate::units::{Ratio, Ticks};

/// A time may be a date, counted from 1970 or even from 1601.
const FURTHEST: Ticks = Ticks::from_seconds(1000 * 366 * 24 * 3600);

/// Sums of a few of these fit in 64 bits.
const LARGEST: u64 = 1 << 61;

/// Bytes, or packets.
const MOST: u64 = 1 << 53;

/// Pixels of a side; what may be decoded is far less.
const LONGEST_SIDE: u32 = 1 << 16;

/// Samples in a second, of one channel; direct streams have some millions.
const HIGHEST_RATE: u32 = 1 << 26;

/// Pictures in a second; what is faster is no film but a wrong clock.
const FASTEST: u32 = 1 << 20;

/// Refuses an original whose facts cannot be.
pub(super) fn refuse_impossible(media: &MediaInfo) -> Result<(), Rejected> {
    count("its size", media.bytes)?;
    count("its number of damaged packets", media.corrupt_packets)?;
    let of_programmes = media.programmes.iter().flat_map(|programme| &programme.clock_jumps);
    for jump in media.clock_jumps.iter().chain(of_programmes) {
        count("its number of packets", jump.packet)?;
        time("a jump of its clock", jump.shift)?;
    }
    media.declared_duration.map_or(Ok(()), |duration| time("its duration", duration))?;
    media.video.iter().try_for_each(of_video)?;
    media.audio.iter().try_for_each(of_audio)
}

fn of_video(track: &VideoTrack) -> Result<(), Rejected> {
    let VideoTrack { first, last, last_duration, gaps, time_base, coded, .. } = track;
    let times = [*first, *last, *last_duration, gaps.min, gaps.median, gaps.max];
    let points = track.seek_points.iter().map(|point| point.pts);
    for units in times.into_iter().chain(points) {
        if units.unsigned_abs() > LARGEST {
            return Err(impossible("a time", units));
        }
        time("a time", Ticks::from_units(units, *time_base))?;
    }
    if last < first {
        return Err(impossible("the time of its last picture", last));
    }
    let pictures = [track.packets, track.pictures.unwrap_or(0), track.before_first_key];
    let points = track.seek_points.iter().map(|point| point.packet);
    pictures.into_iter().chain(points).try_for_each(|it| count("its number of pictures", it))?;
    if coded.width > LONGEST_SIDE || coded.height > LONGEST_SIDE {
        let detail = format!("its pictures are {}x{}", coded.width, coded.height);
        return Err(Rejected::new(Reason::TooManyPixels, detail));
    }
    match track.nominal_rate.filter(|rate| rate.exceeds(Ratio::new(FASTEST, 1))) {
        Some(rate) => Err(impossible("its frame rate", rate)),
        None => Ok(()),
    }
}

fn of_audio(track: &AudioTrack) -> Result<(), Rejected> {
    time("the beginning of its sound", track.first)?;
    time("the end of its sound", track.end)?;
    count("its number of packets of sound", track.packets)?;
    if track.sample_rate > HIGHEST_RATE {
        return Err(impossible("its sample rate", track.sample_rate));
    }
    Ok(())
}

fn time(what: &str, time: Ticks) -> Result<(), Rejected> {
    match time.0.unsigned_abs() > FURTHEST.0.unsigned_abs() {
        true => Err(impossible(what, time)),
        false => Ok(()),
    }
}

fn count(what: &str, number: u64) -> Result<(), Rejected> {
    if number > MOST { Err(impossible(what, number)) } else { Ok(()) }
}

fn impossible(what: &str, value: impl std::fmt::Display) -> Rejected {
    Rejected::new(Reason::Damaged, format!("{what} cannot be {value}"))
}
