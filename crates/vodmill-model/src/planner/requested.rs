//! What a job asks for, looked up and ordered for the planner.

use super::Decisions;
use super::colour::{self, HdrHandling};
use crate::media::VideoTrack;
use crate::outcome::{Reason, Rejected};
use crate::pipeline::InputPolicy;
use crate::preset::{FilePreset, HdrPolicy, Ladder, VideoCommon};
use crate::spec::{JobSpec, OutputPreset, Playlist};

/// What is asked for.
pub(super) struct Requested<'a> {
    pub spec: &'a JobSpec,
    /// What is accepted of the original.
    pub policy: &'a InputPolicy,
    pub playlist: Option<&'a Playlist>,
    /// The ladders of the playlist, in its order; the first rules sound and cuts.
    pub ladders: Vec<&'a Ladder>,
    pub files: Vec<(&'a str, &'a FilePreset)>,
}

impl<'a> Requested<'a> {
    /// What `spec` asks for.
    pub fn of(spec: &'a JobSpec) -> Result<Requested<'a>, Rejected> {
        let playlist = spec.playlist()?;
        let files = spec.outputs.iter().filter_map(|output| match &output.preset {
            OutputPreset::File(file) => Some((output.name.as_str(), file)),
            OutputPreset::Ladder(_) => None,
        });
        Ok(Requested {
            spec,
            policy: &spec.input()?.policy,
            playlist,
            ladders: ladders(spec, playlist)?,
            files: files.collect(),
        })
    }

    /// Without the ladders that keep high dynamic range beside another, if the pictures have none.
    pub fn of_source(
        mut self,
        video: Option<&VideoTrack>,
        decisions: &mut Decisions,
    ) -> Requested<'a> {
        if video.is_some_and(colour::is_hdr) {
            return self;
        }
        let all = self.ladders.len();
        let mut is_first = true;
        self.ladders
            .retain(|ladder| std::mem::take(&mut is_first) || ladder.video.hdr != HdrPolicy::Keep);
        if self.ladders.len() < all {
            decisions.add("hdr ladder", "left out", "the source has no high dynamic range");
        }
        self
    }

    /// What becomes of high dynamic range.
    pub fn hdr_handling(&self) -> HdrHandling {
        let keeps = self.commons().any(|common| common.hdr == HdrPolicy::Keep);
        let maps = self.commons().any(|common| common.hdr == HdrPolicy::ToneMap);
        match (keeps, maps) {
            (true, true) => HdrHandling::Both,
            (true, false) => HdrHandling::Kept,
            (false, _) => HdrHandling::ToneMapped,
        }
    }

    /// Whether HLS is encrypted; then what cannot be is kept from the public.
    pub fn is_encrypted(&self) -> bool {
        self.playlist.is_some_and(|playlist| playlist.encryption.is_some())
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
        let ladders = self.ladders.iter().map(|ladder| &ladder.video);
        let files = self.files.iter().filter_map(|(_, preset)| preset.video.as_ref());
        ladders.chain(files.map(|video| &video.common))
    }
}

/// The ladders that a playlist names.
fn ladders<'a>(
    spec: &'a JobSpec,
    playlist: Option<&Playlist>,
) -> Result<Vec<&'a Ladder>, Rejected> {
    let mut ladders = Vec::new();
    for name in playlist.iter().flat_map(|playlist| &playlist.outputs) {
        match spec.output(name) {
            Some(OutputPreset::Ladder(ladder)) => ladders.push(ladder),
            Some(OutputPreset::File(_)) | None => {
                let detail = format!("the playlist names {name:?}, which is no ladder of the job");
                return Err(Rejected::new(Reason::NothingToDo, detail));
            }
        }
    }
    Ok(ladders)
}

impl HdrHandling {
    /// In the outputs of a job.
    ///
    /// # Errors
    /// [`Rejected`] where nobody could make them.
    pub fn of(spec: &JobSpec) -> Result<HdrHandling, Rejected> {
        Ok(Requested::of(spec)?.hdr_handling())
    }
}
