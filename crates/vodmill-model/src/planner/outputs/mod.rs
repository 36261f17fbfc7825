//! What is published: a file for each kind of output, and the table of kinds ([`plan`]).

mod file;
pub(super) mod hls;
mod score;
mod stills;

use super::audio::AudioEncodes;
use super::pictures::Pictures;
use super::requested::Requested;
use super::source::Source;
use super::{Decisions, subtitles};
use crate::media::MediaInfo;
use crate::plan::{AudioEncode, OutputPlan, SubtitlePlan, Timeline};

/// What outputs are made from.
pub(super) struct Material<'a> {
    pub media: &'a MediaInfo,
    pub requested: &'a Requested<'a>,
    pub source: &'a Source<'a>,
    pub pictures: &'a Pictures<'a>,
    pub timeline: &'a Timeline,
}

/// The outputs, and what has to be made for them besides pictures.
pub(super) struct Made {
    pub outputs: Vec<OutputPlan>,
    pub audio: Vec<AudioEncode>,
    pub subtitles: Vec<SubtitlePlan>,
}

/// Plans the outputs of every kind.
pub(super) fn plan(material: &Material<'_>, decisions: &mut Decisions) -> Made {
    let mut sounds = AudioEncodes::new(material.timeline, material.media);
    let stills = stills::plan(material, decisions);
    let (subtitles, alternatives) = subtitles::plan(material, decisions);
    let hls = hls::plan(material, alternatives, &mut sounds, decisions);
    let files = file::plan(material, &mut sounds, decisions);
    let mut outputs: Vec<OutputPlan> = hls.into_iter().map(OutputPlan::Hls).collect();
    outputs.extend(files.into_iter().map(OutputPlan::File));
    outputs.extend(stills.map(OutputPlan::Stills));
    Made { outputs, audio: sounds.list, subtitles }
}
