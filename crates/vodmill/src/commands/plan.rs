//! `vodmill plan`: what would be done with a file, and why.

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::process::ExitCode;

use vodmill_model::Plan;
use vodmill_model::transcode::Progress;
use vodmill_pipeline::Bar;

use super::{FOREGROUND, build, input, pipeline, worker_settings};
use crate::cli;
use crate::config::Config;
use crate::output::{print, print_json, table};
use crate::progress::{Bars, Pace};

/// `vodmill plan`.
pub fn run(config: &Config, arguments: &cli::Plan) -> anyhow::Result<ExitCode> {
    let (name, _) = pipeline(config, arguments.pipeline.as_deref())?;
    let settings = worker_settings(config, FOREGROUND)?;
    let file = input(&arguments.file)?;
    let mut screen = std::io::stderr().is_terminal().then(Bars::default);
    let shown = arguments.file.to_string_lossy();
    let mut watch = |step| show(screen.as_mut(), &shown, step);
    let planned = vodmill_pipeline::plan(&settings, &file, name, &build(), &mut watch);
    screen.iter_mut().for_each(|bars| bars.end(ONLY));
    let plan = planned?;
    if arguments.json {
        print_json(&plan)?;
    } else {
        print(&describe(&plan))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Name of the one job on the screen.
const ONLY: &str = "plan";

/// Shows how far the trials are, which take most of the time.
fn show(screen: Option<&mut Bars>, file: &str, step: Progress) {
    let (Some(bars), Some(total)) = (screen, step.total) else { return };
    let bar = Bar { of: step.of, done: step.done, total, rate: None };
    bars.draw(ONLY, file, &bar, Pace { speed: None, left: None });
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
