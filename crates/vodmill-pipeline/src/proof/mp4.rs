//! A progressive MP4: whole, and playable before its download ends.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use vodmill_model::pipeline::ProofLevel;
use vodmill_model::transcode::{InspectedStream, Media, StreamKind};
use vodmill_model::units::Ticks;

use super::media::prove_decoded;
use super::{Findings, Prover};
use crate::package::facts_of;
use crate::receipt::Mp4Fact;

pub(super) fn prove(prover: &Prover<'_>, fact: &Mp4Fact) {
    let path = prover.root.join(&fact.name);
    let inspection = match prover.transcode.inspect(Media::File(&path)) {
        Ok(inspection) => inspection,
        Err(error) => return prover.find(&fact.name, "media_unreadable", error.to_string()),
    };
    if !is_streamable(&path).unwrap_or(false) {
        prover.find(&fact.name, "not_streamable", "its index (moov) is not in front of its media");
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
    // The last AAC frame may reach beyond the last picture.
    if off > Ticks::from_seconds(1).0 / 8 {
        prover.find(
            &fact.name,
            "duration",
            format!("ends at {end} instead of {}", prover.receipt.duration),
        );
    }
}

fn prove_codec(prover: &Prover<'_>, fact: &Mp4Fact, stream: &InspectedStream) {
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

/// Whether the `moov` box comes before `mdat` (ISO/IEC 14496-12, 6.2.3).
fn is_streamable(path: &Path) -> std::io::Result<bool> {
    let mut file = File::open(path)?;
    // A file has a handful of boxes at its top level.
    for _ in 0..64 {
        let mut header = [0; 16];
        file.read_exact(&mut header[..8])?;
        match &header[4..8] {
            b"moov" => return Ok(true),
            b"mdat" => return Ok(false),
            _ => {}
        }
        let short = u32::from_be_bytes([header[0], header[1], header[2], header[3]]);
        let skip = match short {
            1 => {
                file.read_exact(&mut header[8..])?;
                i64::from_be_bytes(std::array::from_fn(|index| header[8 + index])) - 16
            }
            size => i64::from(size) - 8,
        };
        if skip < 0 {
            return Ok(false);
        }
        file.seek(SeekFrom::Current(skip))?;
    }
    Ok(false)
}
