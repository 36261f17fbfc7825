//! What a pipeline asks for: its presets, looked up.

use std::collections::BTreeMap;

use crate::catalogue;
use crate::outcome::{Reason, Rejected};
use crate::pipeline::Pipeline;
use crate::preset::{Ladder, Mp4Preset, Preset, VideoCommon};

/// The presets that a pipeline names.
pub(super) struct Wanted<'a> {
    pub ladder: Option<&'a Ladder>,
    pub mp4: Vec<(&'a str, &'a Mp4Preset)>,
    /// Whether HLS is encrypted; then what cannot be is kept from the public.
    encrypted: bool,
}

impl<'a> Wanted<'a> {
    /// Looks the presets up; a validated catalogue has them all.
    pub fn find(
        pipeline: &'a Pipeline,
        presets: &'a BTreeMap<String, Preset>,
    ) -> Result<Wanted<'a>, Rejected> {
        let missing = |name: &str| {
            Rejected::new(Reason::NothingToDo, format!("there is no preset {name:?} of that kind"))
        };
        let ladder = match pipeline.ladder.as_str() {
            "" => None,
            name => Some(catalogue::ladder(presets, name).ok_or_else(|| missing(name))?),
        };
        let mp4 = pipeline.mp4.iter().map(|name| {
            let preset = catalogue::mp4(presets, name).ok_or_else(|| missing(name))?;
            Ok((name.as_str(), preset))
        });
        Ok(Wanted {
            ladder,
            mp4: mp4.collect::<Result<_, _>>()?,
            encrypted: pipeline.encryption.is_some(),
        })
    }

    /// Name of the object of an MP4, which is clear: where HLS is encrypted it must not lie beside it
    /// under a prefix that everybody may read.
    pub fn mp4_object(&self, name: &str) -> String {
        if self.encrypted { format!("private/mp4/{name}.mp4") } else { format!("mp4/{name}.mp4") }
    }

    /// Whether any output holds pictures.
    pub fn has_pictures(&self) -> bool {
        self.commons().next().is_some()
    }

    /// The lowest of the limits, because one grid of frames serves all outputs.
    pub fn max_frame_rate(&self) -> u32 {
        self.commons().map(|common| common.max_frame_rate).min().unwrap_or(60)
    }

    /// The ladder's group of pictures rules the cuts; without a ladder the first MP4's.
    pub fn gop_seconds(&self) -> u32 {
        self.commons().next().map_or(2, |common| common.gop_seconds)
    }

    fn commons(&self) -> impl Iterator<Item = &'a VideoCommon> {
        let ladder = self.ladder.map(|ladder| &ladder.video);
        let mp4 = self.mp4.iter().filter_map(|(_, preset)| preset.video.as_ref());
        ladder.into_iter().chain(mp4.map(|video| &video.common))
    }
}
