//! What is refused whatever outputs a pipeline makes of it.

use super::audio::{self, is_usable};
use super::tracks::main_video;
use super::{dolby_vision, programme};
use crate::media::{AudioTrack, MediaInfo, VideoTrack};
use crate::outcome::{Reason, Rejected};
use crate::pipeline::{InputPolicy, StillPolicy};
use crate::units::Ticks;

/// Channels of the largest layout in use: 22.2, and ambisonics of the fifth order.
const MOST_CHANNELS: u32 = 36;

/// Refuses what cannot be published. Only the tracks of the programme count, and of pictures only
/// the film: what will be dropped refuses nothing.
pub fn admit(media: &MediaInfo, policy: &InputPolicy) -> Result<(), Rejected> {
    refuse_pixels(media, policy)?;
    let media = programme::chosen(media);
    let film = main_video(&media);
    refuse_photograph(&media, policy)?;
    refuse_nothing_to_play(&media, film)?;
    if media.clocks_disagree {
        let detail = "the times of its tracks go back and forth";
        return Err(Rejected::new(Reason::ClocksDisagree, detail));
    }
    for track in media.audio.iter().filter(|track| is_usable(track)) {
        refuse_channels(track)?;
    }
    if let Some(track) = film {
        refuse_dolby_vision(track)?;
        refuse_gap(track, policy)?;
    }
    refuse_length(&media, film, policy)
}

/// Refuses a file none of whose tracks is small enough. Of several, one is published, and no other is
/// decoded.
fn refuse_pixels(media: &MediaInfo, policy: &InputPolicy) -> Result<(), Rejected> {
    let limit = policy.max_pixels;
    let pixels = |track: &VideoTrack| u64::from(track.coded.width) * u64::from(track.coded.height);
    let shown = || media.video.iter().filter(|track| !track.attached_picture);
    if shown().any(|track| pixels(track) <= limit) {
        return Ok(());
    }
    let Some(track) = shown().next_back() else { return Ok(()) };
    let detail =
        format!("its pictures are {}, {} pixels; the limit is {limit}", track.coded, pixels(track));
    Err(Rejected::new(Reason::TooManyPixels, detail))
}

fn refuse_photograph(media: &MediaInfo, policy: &InputPolicy) -> Result<(), Rejected> {
    match &media.photograph {
        Some(kind) if policy.stills == StillPolicy::Refuse => {
            Err(Rejected::new(Reason::Photograph, format!("it is a photograph ({kind})")))
        }
        _ => Ok(()),
    }
}

fn refuse_nothing_to_play(media: &MediaInfo, film: Option<&VideoTrack>) -> Result<(), Rejected> {
    if film.is_some() || media.audio.iter().any(|track| track.decodable) {
        return Ok(());
    }
    match media.truncated {
        true => Err(Rejected::new(Reason::Incomplete, "none of its media is there")),
        false => Err(audio::refuse_nothing(media)),
    }
}

fn refuse_channels(track: &AudioTrack) -> Result<(), Rejected> {
    if track.channels <= MOST_CHANNELS {
        return Ok(());
    }
    let (index, channels) = (track.index, track.channels);
    let detail =
        format!("audio track {index} has {channels} channels; the limit is {MOST_CHANNELS}");
    Err(Rejected::new(Reason::BeyondLimits, detail))
}

fn refuse_dolby_vision(track: &VideoTrack) -> Result<(), Rejected> {
    match dolby_vision::of(track) {
        Some(vision) if !dolby_vision::has_base(track) => {
            let detail = format!(
                "video track {} is Dolby Vision of profile {}.{}, which has no base layer that \
                 other screens show",
                track.index, vision.profile, vision.compatibility
            );
            Err(Rejected::new(Reason::DolbyVisionOnly, detail))
        }
        _ => Ok(()),
    }
}

fn refuse_gap(track: &VideoTrack, policy: &InputPolicy) -> Result<(), Rejected> {
    let gap = Ticks::from_units(track.gaps.max, track.time_base);
    let limit = Ticks::from_seconds(policy.max_gap_seconds.into());
    if gap <= limit {
        return Ok(());
    }
    let detail = format!("there is no picture for {gap}, the limit is {limit}");
    Err(Rejected::new(Reason::TimestampGap, detail))
}

fn refuse_length(
    media: &MediaInfo,
    film: Option<&VideoTrack>,
    policy: &InputPolicy,
) -> Result<(), Rejected> {
    let length = length(media, film);
    let limit = Ticks::from_seconds(policy.max_duration_seconds.into());
    if length <= limit {
        return Ok(());
    }
    let detail = format!("it lasts {length}, the limit is {limit}");
    Err(Rejected::new(Reason::TooLong, detail))
}

/// From the first sample or picture to the end of the last.
fn length(media: &MediaInfo, film: Option<&VideoTrack>) -> Ticks {
    let pictures = film.map(|track| {
        let end = track.last.saturating_add(track.last_duration);
        (Ticks::from_units(track.first, track.time_base), Ticks::from_units(end, track.time_base))
    });
    let sound = media.audio.iter().filter(|track| is_usable(track));
    let spans: Vec<_> = sound.map(|track| (track.first, track.end)).chain(pictures).collect();
    let first = spans.iter().map(|span| span.0.0).min().unwrap_or_default();
    let end = spans.iter().map(|span| span.1.0).max().unwrap_or_default();
    Ticks(end.saturating_sub(first))
}
