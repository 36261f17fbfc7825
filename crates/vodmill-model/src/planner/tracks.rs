//! Which video track is the programme, and what is refused before anything is planned.

use std::cmp::Reverse;

use super::audio::codec_name;
use super::{Decisions, dolby_vision};
use crate::media::{MediaInfo, VideoTrack};
use crate::outcome::{Reason, Rejected};
use crate::pipeline::{DamagePolicy, InputPolicy};
use crate::plan::TrackFact;
use crate::units::Ticks;

/// A file that was cut off is refused unless the pipeline repairs.
pub(super) fn refuse_truncated(media: &MediaInfo, policy: &InputPolicy) -> Result<(), Rejected> {
    if media.truncated && policy.truncated == DamagePolicy::Refuse {
        let detail = "it ends before its index says";
        return Err(Rejected::new(Reason::Incomplete, detail));
    }
    Ok(())
}

/// The one rule of which track is the film. Stills, thumbnails and layers that serve another track
/// go first; of what is left, the default one, then the longest, then the one with the most
/// pictures, then the largest, then the first. Lengths and numbers are compared with a tolerance:
/// tracks of one film end some frames apart. Cover art is none.
pub fn main_video(media: &MediaInfo) -> Option<&VideoTrack> {
    let playable = |track: &&VideoTrack| track.decodable && track.packets > 0;
    let mut left: Vec<&VideoTrack> = moving(media).filter(playable).collect();
    prefer(&mut left, dolby_vision::has_base);
    prefer(&mut left, |track| !track.auxiliary);
    prefer(&mut left, |track| track.packets > 1);
    keep_near_most(&mut left, |track| track.packets, 10);
    keep_near_most(&mut left, length, 50);
    prefer(&mut left, |track| track.default);
    keep_near_most(&mut left, length, 90);
    keep_near_most(&mut left, |track| track.packets, 50);
    left.into_iter().min_by_key(|track| (Reverse(pixels(track)), track.index))
}

/// Drops the tracks that are not `good`, unless none is.
fn prefer(left: &mut Vec<&VideoTrack>, good: impl Fn(&VideoTrack) -> bool) {
    if left.iter().any(|track| good(track)) {
        left.retain(|track| good(track));
    }
}

/// Drops the tracks that have less than `per_cent` of what the one with the most has.
fn keep_near_most(
    left: &mut Vec<&VideoTrack>,
    measure: impl Fn(&VideoTrack) -> u64,
    per_cent: u128,
) {
    let most = left.iter().map(|track| measure(track)).max().unwrap_or(0);
    left.retain(|track| u128::from(measure(track)) * 100 >= u128::from(most) * per_cent);
}

/// From the first picture to the last, in ticks.
fn length(track: &VideoTrack) -> u64 {
    let span = Ticks::from_units(track.last.saturating_sub(track.first), track.time_base);
    u64::try_from(span.0).unwrap_or(0)
}

fn pixels(track: &VideoTrack) -> u64 {
    u64::from(track.coded.width) * u64::from(track.coded.height)
}

/// Video tracks that are no cover art.
pub(crate) fn moving(media: &MediaInfo) -> impl Iterator<Item = &VideoTrack> {
    media.video.iter().filter(|track| !track.attached_picture)
}

/// Every track of pictures, sound and text, and whether it is in the package.
pub(super) fn facts(media: &MediaInfo, is_published: impl Fn(u32) -> bool) -> Vec<TrackFact> {
    let fact = |kind: &str, index, codec: &str| TrackFact {
        index,
        kind: kind.to_owned(),
        codec: codec.to_owned(),
        language: None,
        title: None,
        channels: None,
        published: is_published(index),
    };
    let video = media.video.iter().map(|track| fact("video", track.index, &track.codec));
    let audio = media.audio.iter().map(|track| TrackFact {
        language: track.language.clone(),
        title: track.title.clone(),
        channels: Some(track.channels),
        ..fact("audio", track.index, &track.codec)
    });
    let subtitles = media.subtitles.iter().map(|track| TrackFact {
        language: track.language.clone(),
        title: track.title.clone(),
        ..fact("subtitles", track.index, &track.codec)
    });
    video.chain(audio).chain(subtitles).collect()
}

/// The programme's track with its reasons; a file whose pictures cannot be decoded is refused
/// rather than published as sound.
pub(super) fn video<'a>(
    media: &'a MediaInfo,
    policy: &InputPolicy,
    decisions: &mut Decisions,
) -> Result<Option<&'a VideoTrack>, Rejected> {
    for art in media.video.iter().filter(|track| track.attached_picture) {
        decisions.add(format!("video track {}", art.index), "left out", "it is cover art");
    }
    let Some(main) = main_video(media) else {
        return match moving(media).next() {
            Some(track) => {
                let codec = codec_name(&track.codec);
                let detail = format!("its pictures, {codec}, cannot be decoded");
                Err(Rejected::new(Reason::NothingDecodable, detail))
            }
            None => Ok(None),
        };
    };
    refuse_pixels(main, policy)?;
    for other in moving(media).filter(|track| track.index != main.index) {
        let reason = match other.decodable {
            true => format!("track {} is the programme", main.index),
            false => format!("this build cannot decode {}", codec_name(&other.codec)),
        };
        decisions.add(format!("video track {}", other.index), "dropped", reason);
    }
    let reason = match moving(media).count() {
        1 => "the only one",
        _ => "no still; the default, else the longest, else the largest",
    };
    decisions.add("video", format!("track {}, {}", main.index, main.codec), reason);
    Ok(Some(main))
}

fn refuse_pixels(track: &VideoTrack, policy: &InputPolicy) -> Result<(), Rejected> {
    let pixels = pixels(track);
    if pixels <= policy.max_pixels {
        return Ok(());
    }
    let limit = policy.max_pixels;
    let detail = format!("{} is {pixels} pixels, the limit is {limit}", track.coded);
    Err(Rejected::new(Reason::TooManyPixels, detail))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::media::DolbyVision;

    /// A file with these tracks, each a change of a plain film of 250 pictures in 10 s.
    fn film_of(tracks: &[&dyn Fn(&mut VideoTrack)]) -> Option<u32> {
        let fixture = include_str!("../../tests/fixtures/plain-1080p25.json");
        let mut media: MediaInfo = serde_json::from_str(fixture).unwrap();
        let mut plain = media.video.remove(0);
        plain.packets = 250;
        (plain.first, plain.last) = (0, plain.time_base.inverse().scale(10, 1));
        for (index, change) in (0..).zip(tracks) {
            let mut track = VideoTrack { index, default: false, ..plain.clone() };
            change(&mut track);
            media.video.push(track);
        }
        main_video(&media).map(|track| track.index)
    }

    fn film(_: &mut VideoTrack) {}
    fn still(track: &mut VideoTrack) {
        (track.packets, track.last) = (1, track.first);
    }
    fn large(track: &mut VideoTrack) {
        (track.coded.width, track.coded.height) = (7680, 4320);
    }
    fn shorter_by(per_cent: i64) -> impl Fn(&mut VideoTrack) {
        move |track| {
            track.last -= track.last * per_cent / 100;
            track.packets -= track.packets * per_cent as u64 / 100;
        }
    }

    #[test]
    fn a_still_is_not_the_film_however_large_or_flagged() {
        let flagged = |track: &mut VideoTrack| {
            still(track);
            large(track);
            track.default = true;
        };
        assert_eq!(film_of(&[&flagged, &film]), Some(1));
        assert_eq!(film_of(&[&film, &flagged]), Some(0));
        assert_eq!(film_of(&[&flagged]), Some(0), "a file of one picture stays one");
        let thumbnails = |track: &mut VideoTrack| {
            track.packets = 10;
            large(track);
        };
        assert_eq!(film_of(&[&thumbnails, &film]), Some(1), "a picture a second");
        let far_apart = |track: &mut VideoTrack| {
            still(track);
            (track.packets, track.last) = (2, i64::MAX);
        };
        assert_eq!(film_of(&[&far_apart, &film]), Some(1));
    }

    #[test]
    fn the_default_then_the_longest_then_the_largest_then_the_first() {
        let default = |track: &mut VideoTrack| track.default = true;
        let default_short = |track: &mut VideoTrack| {
            shorter_by(20)(track);
            track.default = true;
        };
        let trailer = |track: &mut VideoTrack| {
            shorter_by(80)(track);
            track.default = true;
        };
        assert_eq!(film_of(&[&large, &default]), Some(1));
        assert_eq!(film_of(&[&film, &default_short]), Some(1));
        assert_eq!(film_of(&[&trailer, &film]), Some(1), "too short to be what it says");
        assert_eq!(
            film_of(&[
                &|track| {
                    large(track);
                    shorter_by(30)(track)
                },
                &film
            ]),
            Some(1)
        );
        assert_eq!(
            film_of(&[&film, &|track| {
                large(track);
                shorter_by(1)(track)
            }]),
            Some(1)
        );
        assert_eq!(film_of(&[&film, &large]), Some(1));
        assert_eq!(film_of(&[&film, &film]), Some(0));
    }

    #[test]
    fn what_serves_another_track_or_cannot_be_shown_is_not_the_film() {
        let vision = |profile, compatibility, base_layer: bool| {
            move |track: &mut VideoTrack| {
                large(track);
                let enhancement_layer = !base_layer;
                track.dolby_vision =
                    Some(DolbyVision { profile, compatibility, base_layer, enhancement_layer });
            }
        };
        assert_eq!(film_of(&[&vision(5, 0, true), &film]), Some(1), "false colours");
        assert_eq!(film_of(&[&vision(7, 6, false), &film]), Some(1), "a layer on another");
        assert_eq!(film_of(&[&vision(8, 1, true), &film]), Some(0));
        let auxiliary = |track: &mut VideoTrack| {
            large(track);
            track.auxiliary = true;
        };
        let broken = |track: &mut VideoTrack| {
            large(track);
            track.decodable = false;
        };
        assert_eq!(film_of(&[&auxiliary, &film]), Some(1));
        assert_eq!(film_of(&[&broken, &film]), Some(1));
        assert_eq!(film_of(&[&|track| track.packets = 0]), None);
    }
}
