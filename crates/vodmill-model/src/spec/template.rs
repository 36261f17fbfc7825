//! Pipelines as templates of jobs.

use std::collections::BTreeMap;

use super::{Input, JobSpec, Output, OutputPreset, Playlist};
use crate::outcome::{Reason, Rejected};
use crate::pipeline::Pipeline;
use crate::preset::Preset;

impl JobSpec {
    /// What the pipeline of that name asks of every original.
    ///
    /// # Errors
    /// [`Rejected`] if a preset is missing or of another kind; a validated catalogue has them all.
    pub fn of_pipeline(
        name: &str,
        pipeline: &Pipeline,
        presets: &BTreeMap<String, Preset>,
    ) -> Result<JobSpec, Rejected> {
        let ladders = ladders(pipeline, presets)?;
        let playlists = playlist(pipeline, &ladders).into_iter().collect();
        let files = files(pipeline, presets)?;
        Ok(JobSpec {
            pipeline: name.to_owned(),
            inputs: vec![Input { policy: pipeline.input.clone() }],
            outputs: [ladders, files].concat(),
            playlists,
            thumbnails: pipeline.thumbnails.clone(),
            segment_seconds: pipeline.hls.segment_seconds,
            chunk_seconds: pipeline.chunk_seconds,
            proof: pipeline.proof,
            audience: pipeline.audience.clone(),
        })
    }
}

fn ladders(
    pipeline: &Pipeline,
    presets: &BTreeMap<String, Preset>,
) -> Result<Vec<Output>, Rejected> {
    let mut outputs = Vec::new();
    for name in pipeline.ladders() {
        match presets.get(name) {
            Some(Preset::Ladder(ladder)) => {
                let mut ladder = ladder.clone();
                if let Some(quality) = pipeline.quality.filter(|_| *name == pipeline.ladder) {
                    ladder.quality = quality;
                }
                let preset = OutputPreset::Ladder(ladder);
                outputs.push(Output { name: name.clone(), preset });
            }
            _ => return Err(missing(name)),
        }
    }
    Ok(outputs)
}

fn files(pipeline: &Pipeline, presets: &BTreeMap<String, Preset>) -> Result<Vec<Output>, Rejected> {
    let mut outputs = Vec::new();
    for name in pipeline.file_presets() {
        let file = presets.get(name).and_then(Preset::file).ok_or_else(|| missing(name))?;
        outputs.push(Output { name: name.clone(), preset: OutputPreset::File(file.clone()) });
    }
    Ok(outputs)
}

fn playlist(pipeline: &Pipeline, ladders: &[Output]) -> Option<Playlist> {
    let outputs: Vec<String> = ladders.iter().map(|output| output.name.clone()).collect();
    let hls = &pipeline.hls;
    (!outputs.is_empty()).then(|| Playlist {
        outputs,
        container: hls.container,
        audio: hls.audio,
        iframes: hls.iframes,
        subtitles: hls.subtitles,
        encryption: pipeline.encryption.clone(),
    })
}

fn missing(name: &str) -> Rejected {
    Rejected::new(Reason::NothingToDo, format!("there is no preset {name:?} of that kind"))
}
