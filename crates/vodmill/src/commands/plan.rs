//! `vodmill plan`: what would be done with a file, and why.

use std::fmt::Write as _;
use std::process::ExitCode;

use vodmill_model::Plan;

use super::{FOREGROUND, build, input, pipeline, worker_settings};
use crate::cli;
use crate::config::Config;
use crate::output::{print, print_json, table};

/// `vodmill plan`.
pub fn run(config: &Config, arguments: &cli::Plan) -> anyhow::Result<ExitCode> {
    let (name, _) = pipeline(config, arguments.pipeline.as_deref())?;
    let settings = worker_settings(config, FOREGROUND)?;
    let plan = vodmill_pipeline::plan(&settings, &input(&arguments.file)?, name, &build())?;
    if arguments.json {
        print_json(&plan)?;
    } else {
        print(&describe(&plan))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn describe(plan: &Plan) -> String {
    let mut text = format!("plan {} of pipeline {}\n", &plan.digest()[..16], plan.pipeline);
    let sections = [
        ("What is odd, and what is done about it", hazards(plan)),
        ("Decisions", decisions(plan)),
        ("Encodes", encodes(plan)),
        ("Outputs", outputs(plan)),
    ];
    for (title, rows) in sections.iter().filter(|(_, rows)| !rows.is_empty()) {
        // Writing into a String cannot fail.
        let _ = write!(text, "\n{title}\n{}", table(rows));
    }
    let _ = write!(text, "\n{}", work(plan));
    text
}

fn row<const N: usize>(cells: [&dyn std::fmt::Display; N]) -> Vec<String> {
    let mut row = vec![format!("  {}", cells[0])];
    row.extend(cells[1..].iter().map(ToString::to_string));
    row
}

fn hazards(plan: &Plan) -> Vec<Vec<String>> {
    plan.hazards.iter().map(|hazard| row([&hazard.detail, &hazard.remedy])).collect()
}

fn decisions(plan: &Plan) -> Vec<Vec<String>> {
    let decisions = plan.decisions.iter();
    decisions.map(|one| row([&one.about, &one.choice, &one.reason])).collect()
}

fn encodes(plan: &Plan) -> Vec<Vec<String>> {
    let video = plan.video.iter().map(|encode| {
        let option = |name: &str| encode.options.get(name).map(|value| format!("{name} {value}"));
        let options: Vec<String> =
            ["preset", "crf", "b", "maxrate"].iter().filter_map(|name| option(name)).collect();
        row([&encode.id, &encode.encoder, &encode.size, &options.join(", ")])
    });
    let audio = plan.audio.iter().map(|encode| {
        let form = format!("{} Hz, {}", encode.sample_rate, encode.layout);
        row([&encode.id, &encode.encoder, &form, &encode.bitrate])
    });
    video.chain(audio).collect()
}

fn outputs(plan: &Plan) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let named = |name: &Option<String>| name.clone().unwrap_or_default();
    if let Some(hls) = plan.hls() {
        for variant in &hls.variants {
            let object = format!("{}/index.m3u8", variant.prefix);
            rows.push(row([&object, &named(&variant.video), &named(&variant.muxed_audio)]));
        }
        for audio in &hls.audio {
            rows.push(row([&format!("{}/index.m3u8", audio.prefix), &audio.audio, &audio.name]));
        }
        for subtitle in &hls.subtitles {
            let object = format!("{}/index.m3u8", subtitle.prefix);
            rows.push(row([&object, &subtitle.subtitle, &subtitle.name]));
        }
    }
    for file in plan.files() {
        let audio: Vec<&str> = file.audio.iter().map(|track| track.audio.as_str()).collect();
        rows.push(row([&file.object, &named(&file.video), &audio.join(", ")]));
    }
    if let Some(stills) = plan.stills() {
        rows.push(row([&stills.poster.object, &stills.poster.size]));
        for sheet in stills.storyboard.iter().flat_map(|board| &board.sheets) {
            rows.push(row([sheet]));
        }
    }
    rows
}

fn work(plan: &Plan) -> String {
    let timeline = &plan.timeline;
    let segments = timeline.segment_ends.len();
    let mut text = format!("{} long, {segments} segments", timeline.duration);
    if let Some(video) = &timeline.video {
        let chunks = plan.chunks.len();
        let _ = write!(text, ", {} frames at {}/s, {chunks} chunks", video.frames, video.rate);
    }
    if let Some(encryption) = plan.hls().and_then(|hls| hls.encryption.as_ref()) {
        let _ = write!(text, ", {} keys", encryption.periods);
    }
    text.push('\n');
    text
}
