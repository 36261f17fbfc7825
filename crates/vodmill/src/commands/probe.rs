//! `vodmill probe`: what a file is, and what is odd about it.

use std::fmt::Write as _;
use std::process::ExitCode;

use vodmill_model::diagnose::diagnose;
use vodmill_model::pipeline::InputPolicy;
use vodmill_model::plan::Hazard;
use vodmill_model::{AudioTrack, HdrHandling, JobSpec, MediaInfo, SubtitleTrack, VideoTrack};

use super::{FOREGROUND, input, pipeline, worker_settings};
use crate::cli::Probe;
use crate::config::Config;
use crate::output::{bytes, print, print_json, table};

/// `vodmill probe`.
pub fn run(config: &Config, arguments: &Probe) -> anyhow::Result<ExitCode> {
    let (policy, handling) = match &arguments.pipeline {
        Some(name) => {
            let template = pipeline(config, Some(name))?.1;
            let spec = JobSpec::of_pipeline(name, template, &config.catalogue.presets)?;
            (template.input.clone(), HdrHandling::of(&spec)?)
        }
        None => (InputPolicy::default(), HdrHandling::default()),
    };
    let settings = worker_settings(config, FOREGROUND)?;
    let media = vodmill_pipeline::probe(&settings, &input(&arguments.file)?, &policy)?;
    let hazards = diagnose(&media, &policy, None, handling);
    if arguments.json {
        let mut value = serde_json::to_value(&media)?;
        value["hazards"] = serde_json::to_value(&hazards)?;
        print_json(&value)?;
    } else {
        print(&describe(&media, &hazards))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn describe(media: &MediaInfo, hazards: &[Hazard]) -> String {
    let mut text = format!("{}, {}", media.container, bytes(media.bytes));
    // Writing into a String cannot fail.
    if let Some(duration) = media.declared_duration {
        let _ = write!(text, ", declares {duration}");
    }
    let _ = write!(text, "\nsha256 {}\n\nTracks\n", media.sha256);
    let mut rows: Vec<(u32, &str, String)> = Vec::new();
    rows.extend(media.video.iter().map(|track| (track.index, "video", video(track))));
    rows.extend(media.audio.iter().map(|track| (track.index, "audio", audio(track))));
    rows.extend(media.subtitles.iter().map(|track| (track.index, "subtitles", subtitles(track))));
    let other = media.other.iter();
    rows.extend(
        other.map(|track| (track.index, "other", format!("{} {}", track.kind, track.codec))),
    );
    rows.sort();
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|(index, kind, facts)| vec![format!("  {index}"), kind.to_owned(), facts])
        .collect();
    text.push_str(&table(&rows));
    text.push_str(&describe_hazards(hazards));
    text
}

fn video(track: &VideoTrack) -> String {
    let mut facts = vec![track.codec.clone(), track.coded.to_string(), track.pixel_format.clone()];
    if track.attached_picture {
        facts.push("cover art".to_owned());
    }
    if let Some(rate) = track.nominal_rate {
        facts.push(format!("{rate} frames/s"));
    }
    facts.push(format!("{} frames", track.packets));
    if !track.decodable {
        facts.push("not decodable here".to_owned());
    }
    facts.join(", ")
}

fn audio(track: &AudioTrack) -> String {
    let layout = match track.layout.as_str() {
        "" => format!("{} channels", track.channels),
        layout => layout.to_owned(),
    };
    let mut facts = vec![track.codec.clone(), format!("{} Hz", track.sample_rate), layout];
    facts.extend(track.language.clone());
    facts.extend(track.title.as_ref().map(|title| format!("{title:?}")));
    facts.push(format!("{} to {}", track.first, track.end));
    if !track.decodable {
        facts.push("not decodable here".to_owned());
    }
    facts.join(", ")
}

fn subtitles(track: &SubtitleTrack) -> String {
    let mut facts = vec![track.codec.clone()];
    facts.push(if track.text { "text" } else { "pictures" }.to_owned());
    facts.extend(track.language.clone());
    facts.extend(track.title.as_ref().map(|title| format!("{title:?}")));
    facts.join(", ")
}

fn describe_hazards(hazards: &[Hazard]) -> String {
    if hazards.is_empty() {
        return "\nNothing odd about it.\n".to_owned();
    }
    let mut text = "\nWhat is odd, and what is done about it\n".to_owned();
    for hazard in hazards {
        let Hazard { code, detail, remedy, .. } = hazard;
        let _ = writeln!(text, "  {code}: {detail}\n    {remedy}");
    }
    text
}
