//! The clock of the package: origin, grid of frames, duration, ends of segments.

use super::Decisions;
use super::rate::{self, hertz};
use super::requested::Requested;
use super::sounds::Sound;
use super::source::Source;
use crate::media::VideoTrack;
use crate::outcome::{Reason, Rejected};
use crate::plan::{Timeline, VideoTimeline};
use crate::units::{Frames, Gop, Ratio, TICKS_PER_SECOND, Ticks};

/// Sound that outlasts the pictures by more than this has the last picture held for it; less is what
/// encoders pad sound with.
pub(crate) const LONGEST_CUT: Ticks = Ticks(TICKS_PER_SECOND / 10);

/// The clock for these tracks.
pub(super) fn timeline(
    source: &Source<'_>,
    requested: &Requested<'_>,
    decisions: &mut Decisions,
) -> Result<Timeline, Rejected> {
    let audio = &source.audio[..];
    let timeline = match source.video {
        Some(track) => with_pictures(track, audio, requested, decisions),
        None => sound_alone(audio, requested, decisions),
    };
    let limit = Ticks::from_seconds(requested.policy.max_duration_seconds.into());
    if timeline.duration > limit {
        let detail = format!("it lasts {}, the limit is {limit}", timeline.duration);
        return Err(Rejected::new(Reason::TooLong, detail));
    }
    if timeline.duration <= Ticks::ZERO {
        return Err(Rejected::new(Reason::NothingDecodable, "its tracks have no duration"));
    }
    Ok(Timeline { segment_ends: segment_ends(&timeline, requested), ..timeline })
}

/// Time from the first picture to the end of the last one.
pub(crate) fn picture_span(track: &VideoTrack, max_gap_seconds: u32) -> Ticks {
    let base = track.time_base;
    let longest = base.inverse().scale(i64::from(max_gap_seconds.max(1)), 1);
    let declared = Some(track.last_duration).filter(|&last| last > 0 && last <= longest);
    let last = declared.unwrap_or(track.gaps.median).max(0);
    Ticks::from_units(track.last.saturating_sub(track.first).saturating_add(last), base)
}

fn with_pictures(
    track: &VideoTrack,
    audio: &[Sound<'_>],
    requested: &Requested<'_>,
    decisions: &mut Decisions,
) -> Timeline {
    let choice = rate::choose(track, requested.max_frame_rate());
    decisions.add("frame rate", hertz(choice.rate), choice.reason);
    let origin = Ticks::from_units(track.first, track.time_base);
    let pictures = frames_in(picture_span(track, requested.policy.max_gap_seconds), choice.rate);
    let frames = with_held_picture(pictures, choice.rate, origin, audio, decisions);
    let grid = grid(choice.rate, frames, requested, decisions);
    decisions.add(
        "origin",
        origin.to_string(),
        "the first picture is time zero; earlier sound is cut, later sound begins with silence",
    );
    Timeline {
        origin,
        duration: choice.rate.frame_start(frames),
        video: Some(grid),
        segment_ends: Vec::new(),
    }
}

/// Frames of the grid in `span`, at least one.
pub(super) fn frames_in(span: Ticks, rate: Ratio) -> Frames {
    let ticks = i128::from(span.0) * i128::from(rate.num);
    let frame = i128::from(rate.den) * i128::from(TICKS_PER_SECOND);
    Frames::try_from((ticks + frame / 2) / frame).unwrap_or(0).max(1)
}

/// The end of the last of these sounds.
pub(crate) fn sound_end(audio: &[Sound<'_>]) -> Option<Ticks> {
    audio.iter().map(Sound::end).max()
}

fn with_held_picture(
    pictures: Frames,
    rate: Ratio,
    origin: Ticks,
    audio: &[Sound<'_>],
    decisions: &mut Decisions,
) -> Frames {
    let about = "duration";
    let video_end = rate.frame_start(pictures);
    let excess = sound_end(audio).map_or(Ticks::ZERO, |end| end - origin - video_end);
    if excess > LONGEST_CUT {
        let sound = Ticks(video_end.0 + excess.0);
        let frames = frames_in(sound, rate).max(pictures);
        let reason = format!("sound goes on for {excess} after the last picture, which is held");
        decisions.add(about, format!("{frames} frames"), reason);
        return frames;
    }
    let reason = if excess > rate.frame_start(1) {
        format!("the pictures decide; {excess} of sound after the last one is cut")
    } else {
        "from the first picture to the end of the last".to_owned()
    };
    decisions.add(about, format!("{pictures} frames, {video_end}"), reason);
    pictures
}

fn grid(
    rate: Ratio,
    frames: Frames,
    requested: &Requested<'_>,
    decisions: &mut Decisions,
) -> VideoTimeline {
    let gop_seconds = requested.gop_seconds().max(1);
    let gop = gop(gop_seconds, rate);
    let groups = (requested.spec.segment_seconds / gop_seconds).max(1);
    let segment_frames = Frames::from(gop.0) * Frames::from(groups);
    decisions.add(
        "segments",
        format!("{segment_frames} frames, {groups} groups of {} frames", gop.0),
        "whole frames and whole groups, so that every rung is cut at the same pictures",
    );
    VideoTimeline { rate, frames, gop, segment_frames }
}

/// Frames of a group of pictures that lasts about `seconds`.
pub(super) fn gop(seconds: u32, rate: Ratio) -> Gop {
    Gop(u32::try_from(rate.scale(i64::from(seconds), 1)).unwrap_or(1).max(1))
}

fn sound_alone(
    audio: &[Sound<'_>],
    requested: &Requested<'_>,
    decisions: &mut Decisions,
) -> Timeline {
    let origin = audio.iter().map(Sound::first).min().unwrap_or(Ticks::ZERO);
    let duration = sound_end(audio).unwrap_or(origin) - origin;
    let seconds = requested.spec.segment_seconds;
    decisions.add("duration", duration.to_string(), "from the first sound to the end of the last");
    decisions.add("segments", format!("{seconds} s"), "there are no pictures to cut at");
    Timeline { origin, duration, video: None, segment_ends: Vec::new() }
}

fn segment_ends(timeline: &Timeline, requested: &Requested<'_>) -> Vec<Ticks> {
    let segment = i64::from(requested.spec.segment_seconds.max(1));
    let end_of = |number: u64| match &timeline.video {
        Some(grid) => grid.rate.frame_start((number * grid.segment_frames).min(grid.frames)),
        None => Ticks::from_seconds(segment * number as i64).min(timeline.duration),
    };
    let mut ends = Vec::new();
    while ends.last() != Some(&timeline.duration) {
        ends.push(end_of(ends.len() as u64 + 1));
    }
    if timeline.video.is_none() {
        join_short_end(&mut ends);
    }
    ends
}

/// The longest frame of AAC that an encode may have: 1,024 samples at 16 kHz.
const LONGEST_AAC_FRAME: Ticks = Ticks(1024 * TICKS_PER_SECOND / 16_000);

/// In a segment of sound that is shorter than a frame, none may begin: the one before it takes it in.
fn join_short_end(ends: &mut Vec<Ticks>) {
    if let [.., before, last] = ends.as_slice()
        && *last - *before < LONGEST_AAC_FRAME
    {
        ends.remove(ends.len() - 2);
    }
}
