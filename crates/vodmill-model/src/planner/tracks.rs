//! Which video track is the programme, and what is refused before anything is planned.

use std::cmp::Reverse;

use super::{Decisions, codec_name};
use crate::media::{MediaInfo, VideoTrack};
use crate::outcome::{Reason, Rejected};
use crate::pipeline::{DamagePolicy, InputPolicy};
use crate::plan::TrackFact;

/// A file that was cut off is refused unless the pipeline repairs.
pub(super) fn refuse_truncated(media: &MediaInfo, policy: &InputPolicy) -> Result<(), Rejected> {
    if media.truncated && policy.truncated == DamagePolicy::Refuse {
        let detail = "it ends before its index says";
        return Err(Rejected::new(Reason::Incomplete, detail));
    }
    Ok(())
}

/// The programme: the largest decodable track, the first of several. Cover art is none.
pub(crate) fn main_video(media: &MediaInfo) -> Option<&VideoTrack> {
    moving(media).filter(|track| track.decodable && track.packets > 0).min_by_key(|track| {
        let pixels = u64::from(track.coded.width) * u64::from(track.coded.height);
        (Reverse(pixels), track.index)
    })
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
            true => format!("track {} is the programme: larger, or first", main.index),
            false => format!("this build cannot decode {}", codec_name(&other.codec)),
        };
        decisions.add(format!("video track {}", other.index), "dropped", reason);
    }
    let reason = if moving(media).count() > 1 { "the largest, or first" } else { "the only one" };
    decisions.add("video", format!("track {}, {}", main.index, main.codec), reason);
    Ok(Some(main))
}

fn refuse_pixels(track: &VideoTrack, policy: &InputPolicy) -> Result<(), Rejected> {
    let pixels = u64::from(track.coded.width) * u64::from(track.coded.height);
    if pixels <= policy.max_pixels {
        return Ok(());
    }
    let limit = policy.max_pixels;
    let detail = format!("{} is {pixels} pixels, the limit is {limit}", track.coded);
    Err(Rejected::new(Reason::TooManyPixels, detail))
}
