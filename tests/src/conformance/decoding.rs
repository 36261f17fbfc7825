//! The second opinion: FFmpeg decodes everything without a complaint and counts the same frames.

use super::package::{Kind, Package};
use super::{Report, files};
use crate::tools;

pub fn check(package: &Package, report: &mut Report) {
    let mut frames = None;
    for rendition in package.of(Kind::Variant).chain(package.of(Kind::Audio)) {
        let planned = rendition.video().map(|video| video.pictures.len() as u64);
        let decoded = tools::decode(rendition.clear.path());
        frames = frames.or(planned);
        compare(decoded, planned, &rendition.uri, report);
    }
    for (object, path) in files::movies(package) {
        let decoded = tools::decode(&path);
        let moving = decoded.as_ref().is_ok_and(|all| all.iter().any(|one| one.kind == "video"));
        compare(decoded, frames.filter(|_| moving), &object, report);
    }
}

fn compare(
    decoded: Result<Vec<tools::Decoded>, String>,
    planned: Option<u64>,
    object: &str,
    report: &mut Report,
) {
    let Some(decoded) = report.try_or(decoded, "decoding", object) else { return };
    let video = decoded.iter().find(|stream| stream.kind == "video").map(|stream| stream.frames);
    if planned.is_some() {
        let detail = format!("{video:?} frames decoded, {planned:?} counted");
        report.must(video == planned, "decoding", object, detail);
    }
    let silent = decoded.iter().find(|stream| stream.frames == 0);
    report.must(silent.is_none(), "decoding", object, format!("nothing in {silent:?}"));
}
