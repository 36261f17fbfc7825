//! What a job is to make: inputs and outputs, complete in itself.
//!
//! A pipeline with its presets is a template for it ([`JobSpec::of_pipeline`]). The planner knows
//! nothing else of what is wanted, so that whatever writes a `JobSpec` can have it made.

mod template;

use serde::{Deserialize, Serialize};

use crate::audience::Audience;
use crate::outcome::{Reason, Rejected};
use crate::pipeline::{AudioPlacement, Container, Encryption, InputPolicy, ProofLevel, Thumbnails};
use crate::preset::{FilePreset, Ladder};

/// Everything that is wanted of one job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobSpec {
    /// Name of the pipeline that it was made for.
    pub pipeline: String,
    /// What it is made from, in the order of the programme; exactly one here and now.
    pub inputs: Vec<Input>,
    /// What is made, each under a name that no other has.
    pub outputs: Vec<Output>,
    /// What viewers choose from: outputs behind one multivariant playlist; at most one here and now.
    pub playlists: Vec<Playlist>,
    /// Poster and storyboard.
    pub thumbnails: Option<Thumbnails>,
    /// Seconds of a segment.
    pub segment_seconds: u32,
    /// Seconds of a chunk.
    pub chunk_seconds: u32,
    /// How deeply the package is proved.
    pub proof: ProofLevel,
    /// Who is expected to watch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<Audience>,
}

/// What is accepted of one original. The originals themselves stand beside the spec in the job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// What is refused and what is mended.
    pub policy: InputPolicy,
}

/// One thing that is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Its name: of the preset, where a pipeline is the template.
    pub name: String,
    /// How it is made.
    pub preset: OutputPreset,
}

/// How an output is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputPreset {
    /// Rungs in segments, to be named by a playlist.
    Ladder(Ladder),
    /// One file.
    File(FilePreset),
}

/// One multivariant playlist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Playlist {
    /// Names of the outputs whose rungs it offers, in its order.
    pub outputs: Vec<String>,
    /// Container of segments.
    pub container: Container,
    /// Where sound goes.
    pub audio: AudioPlacement,
    /// Whether I-frame playlists are written.
    pub iframes: bool,
    /// Whether text subtitles are published.
    pub subtitles: bool,
    /// Encryption of segments.
    pub encryption: Option<Encryption>,
}

impl JobSpec {
    /// The one input that can be worked on.
    ///
    /// # Errors
    /// [`Rejected`] where there is none, or more than one.
    pub fn input(&self) -> Result<&Input, Rejected> {
        match &self.inputs[..] {
            [input] => Ok(input),
            inputs => {
                let detail = format!("the job has {} inputs; one can be worked on", inputs.len());
                Err(Rejected::new(Reason::NothingToDo, detail))
            }
        }
    }

    /// The one playlist, if there is any.
    ///
    /// # Errors
    /// [`Rejected`] where there are several.
    pub fn playlist(&self) -> Result<Option<&Playlist>, Rejected> {
        match &self.playlists[..] {
            [] => Ok(None),
            [playlist] => Ok(Some(playlist)),
            playlists => {
                let detail = format!("the job has {} playlists; one can be made", playlists.len());
                Err(Rejected::new(Reason::NothingToDo, detail))
            }
        }
    }

    /// Whether pictures of an original are to be looked at before it is planned.
    pub fn wants_analysis(&self) -> bool {
        let ladders = self.outputs.iter().filter_map(|output| match &output.preset {
            OutputPreset::Ladder(ladder) => Some(ladder),
            OutputPreset::File(_) => None,
        });
        ladders.into_iter().any(|ladder| !ladder.quality.is_fixed())
    }

    /// The preset of an output.
    pub fn output(&self, name: &str) -> Option<&OutputPreset> {
        self.outputs.iter().find(|output| output.name == name).map(|output| &output.preset)
    }
}
