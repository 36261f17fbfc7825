//! A file for download: whole, and playable before its download ends.

mod ebml;
mod mp3;
mod mp4;
mod webm;

use std::path::Path;

use vodmill_model::pipeline::ProofLevel;
use vodmill_model::preset::FileContainer;
use vodmill_model::receipt::FileFact;
use vodmill_model::transcode::{InspectedStream, Media, StreamKind};
use vodmill_model::units::Ticks;

use crate::generation::facts_of;
use crate::proof::media::prove_decoded;
use crate::proof::{Findings, Prover};

pub(super) fn prove(prover: &Prover<'_>, fact: &FileFact) {
    let path = prover.root.join(&fact.name);
    let inspection = match prover.transcode.inspect(Media::File(&path)) {
        Ok(inspection) => inspection,
        Err(error) => return prover.find(&fact.name, "media_unreadable", error.to_string()),
    };
    for (code, detail) in structure(prover, fact, &path) {
        prover.find(&fact.name, code, detail);
    }
    if prover.level == ProofLevel::Full {
        let mut findings = Findings::about(&fact.name);
        let decoded = prover.transcode.decode(Media::File(&path));
        prove_decoded(decoded, &inspection, &mut findings);
        prover.add(findings.list);
    }
    for stream in &inspection.streams {
        prove_codec(prover, fact, stream);
    }
    let video = inspection.streams.iter().find(|stream| stream.kind == StreamKind::Video);
    if let (Some(video), Some(frames)) = (video, prover.receipt.frames)
        && video.packets != frames
    {
        prover.find(
            &fact.name,
            "frame_count",
            format!("{} frames instead of {frames}", video.packets),
        );
    }
    let end = inspection.streams.iter().map(|stream| stream.end).max().unwrap_or_default();
    let off = (end - prover.receipt.duration).0.abs();
    // The last frame of sound may reach beyond the last picture.
    if off > Ticks::from_seconds(1).0 / 8 {
        prover.find(
            &fact.name,
            "duration",
            format!("ends at {end} instead of {}", prover.receipt.duration),
        );
    }
}

/// What is wrong with the container, by readers of our own: code and detail.
fn structure(prover: &Prover<'_>, fact: &FileFact, path: &Path) -> Vec<(&'static str, String)> {
    let read = match fact.container {
        FileContainer::Mp4 => mp4::prove(path),
        FileContainer::Webm => {
            let frames = fact.size.and(prover.receipt.frames);
            webm::prove(path, frames, prover.receipt.duration)
        }
        FileContainer::Mp3 => mp3::prove(path, prover.receipt.duration),
    };
    read.unwrap_or_else(|error| vec![("container", error.to_string())])
}

fn prove_codec(prover: &Prover<'_>, fact: &FileFact, stream: &InspectedStream) {
    let found = match facts_of(stream) {
        Ok(found) => found,
        Err(error) => return prover.find(&fact.name, "codec", error.to_string()),
    };
    if !fact.codecs.contains(&found.codec) {
        let detail = format!("{}, not one of {:?}", found.codec, fact.codecs);
        prover.find(&fact.name, "codec", detail);
    }
    if stream.kind == StreamKind::Video && found.range != fact.range {
        let detail = format!("{:?} instead of {:?}", found.range, fact.range);
        prover.find(&fact.name, "video_range", detail);
    }
}
