//! The tracks that everything is made from.

use super::requested::Requested;
use super::sounds::{self, Sound, sounds};
use super::{Decisions, audio, tracks};
use crate::media::{MediaInfo, VideoTrack};
use crate::outcome::{Reason, Rejected};

/// The tracks that the outputs are made from.
pub(super) struct Source<'a> {
    pub video: Option<&'a VideoTrack>,
    pub audio: Vec<Sound<'a>>,
}

impl<'a> Source<'a> {
    pub fn choose(
        media: &'a MediaInfo,
        requested: &Requested<'_>,
        decisions: &mut Decisions,
    ) -> Result<Source<'a>, Rejected> {
        let video = tracks::video(media, requested.policy, decisions)?;
        let sounds = sounds(media, requested.policy)?;
        sounds::explain(media, &sounds, decisions);
        let audio = sounds.list;
        if video.is_none() && audio.is_empty() {
            return Err(audio::refuse_nothing(media));
        }
        let video = video.filter(|_| requested.has_pictures());
        if video.is_none() && audio.is_empty() {
            let detail = "the pipeline makes sound only, and the file has none";
            return Err(Rejected::new(Reason::NothingToDo, detail));
        }
        Ok(Source { video, audio })
    }
}
