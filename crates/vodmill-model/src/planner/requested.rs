//! What a pipeline asks for: its presets, looked up.

use std::collections::BTreeMap;

use super::{Decisions, HdrHandling, colour};
use crate::catalogue;
use crate::media::VideoTrack;
use crate::outcome::{Reason, Rejected};
use crate::pipeline::Pipeline;
use crate::preset::{FileContainer, FilePreset, HdrPolicy, Ladder, Preset, VideoCommon};

/// The presets that a pipeline names.
pub(super) struct Requested<'a> {
    pub ladder: Option<&'a Ladder>,
    /// What stands beside it where there is high dynamic range to keep.
    hdr_ladder: Option<&'a Ladder>,
    pub files: Vec<(&'a str, &'a FilePreset)>,
    /// Whether HLS is encrypted; then what cannot be is kept from the public.
    encrypted: bool,
}

impl<'a> Requested<'a> {
    /// Looks the presets up; a validated catalogue has them all.
    pub fn find(
        pipeline: &'a Pipeline,
        presets: &'a BTreeMap<String, Preset>,
    ) -> Result<Requested<'a>, Rejected> {
        let missing = |name: &str| {
            Rejected::new(Reason::NothingToDo, format!("there is no preset {name:?} of that kind"))
        };
        let ladder = |name: &str| match name {
            "" => Ok(None),
            name => catalogue::ladder(presets, name).map(Some).ok_or_else(|| missing(name)),
        };
        let files = pipeline.file_presets().map(|name| {
            let preset = presets.get(name).and_then(Preset::file).ok_or_else(|| missing(name))?;
            Ok((name.as_str(), preset))
        });
        Ok(Requested {
            ladder: ladder(&pipeline.ladder)?,
            hdr_ladder: ladder(&pipeline.hdr_ladder)?,
            files: files.collect::<Result<_, _>>()?,
            encrypted: pipeline.encryption.is_some(),
        })
    }

    /// Without the ladder for high dynamic range, if the pictures have none.
    pub fn of_source(self, video: Option<&VideoTrack>, decisions: &mut Decisions) -> Requested<'a> {
        if self.hdr_ladder.is_none() || video.is_some_and(colour::is_hdr) {
            return self;
        }
        decisions.add("hdr ladder", "left out", "the source has no high dynamic range");
        Requested { hdr_ladder: None, ..self }
    }

    /// Every ladder, in the order of the playlist.
    pub fn ladders(&self) -> impl Iterator<Item = &'a Ladder> {
        self.ladder.into_iter().chain(self.hdr_ladder)
    }

    /// What becomes of high dynamic range.
    pub fn hdr_handling(&self) -> HdrHandling {
        let any = |policy| self.commons().any(|common| common.hdr == policy);
        match (any(HdrPolicy::Keep), any(HdrPolicy::ToneMap)) {
            (true, true) => HdrHandling::Both,
            (true, false) => HdrHandling::Kept,
            (false, _) => HdrHandling::ToneMapped,
        }
    }

    /// Name of the object of a file, which is clear: where HLS is encrypted it must not lie beside it
    /// under a prefix that everybody may read.
    pub fn file_object(&self, name: &str, container: FileContainer) -> String {
        let ending = container.as_str();
        let object = format!("{ending}/{name}.{ending}");
        if self.encrypted { format!("private/{object}") } else { object }
    }

    /// Whether any output holds pictures.
    pub fn has_pictures(&self) -> bool {
        self.commons().next().is_some()
    }

    /// The lowest of the limits, because one grid of frames serves all outputs.
    pub fn max_frame_rate(&self) -> u32 {
        self.commons().map(|common| common.max_frame_rate).min().unwrap_or(60)
    }

    /// The ladder's group of pictures rules the cuts; without a ladder the first file's.
    pub fn gop_seconds(&self) -> u32 {
        self.commons().next().map_or(2, |common| common.gop_seconds)
    }

    fn commons(&self) -> impl Iterator<Item = &'a VideoCommon> {
        let ladders = self.ladders().map(|ladder| &ladder.video);
        let files = self.files.iter().filter_map(|(_, preset)| preset.video.as_ref());
        ladders.chain(files.map(|video| &video.common))
    }
}
