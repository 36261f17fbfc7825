//! Progressive MP4s: streamable, complete, as long as the HLS.

use std::fs;
use std::path::{Path, PathBuf};

use super::codecs::suits_the_web;
use super::package::{Kind, Package};
use super::{Report, timing};
use crate::mp4::{Codec, Movie, Track};
use crate::sps;

/// Neighbours in a file are at most this many seconds apart.
const INTERLEAVING: f64 = 1.5;

/// Every file under a directory: its name relative to it, and its path.
pub fn all(directory: &Path) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(here) = open.pop() {
        for path in fs::read_dir(here).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                open.push(path);
            } else if let Ok(name) = path.strip_prefix(directory) {
                found.push((name.to_string_lossy().into_owned(), path.clone()));
            }
        }
    }
    found.sort();
    found
}

/// The progressive MP4s: clear media, so under `private/` where the HLS is encrypted.
pub fn movies(package: &Package) -> Vec<(String, PathBuf)> {
    let files = all(&package.generation).into_iter();
    files.filter(|(name, _)| name.ends_with(".mp4") && !name.starts_with("hls/")).collect()
}

pub fn check(package: &Package, report: &mut Report) {
    for (object, path) in movies(package) {
        let prefix = if package.keys.is_empty() { "mp4/" } else { "private/mp4/" };
        report.must(object.starts_with(prefix), "layout", &object, format!("not in {prefix}"));
        let movie = fs::read(&path).map_err(|why| why.to_string()).and_then(|it| Movie::read(&it));
        if let Some(movie) = report.try_or(movie, "mp4", &object) {
            streamable(&movie, &object, report);
            whole(package, &movie, &object, report);
        }
    }
}

fn streamable(movie: &Movie, object: &str, report: &mut Report) {
    let order: Vec<&str> = movie.order.iter().map(String::as_str).collect();
    let first = order.first() == Some(&"ftyp") && order.get(1) == Some(&"moov");
    report.must(first && order.contains(&"mdat"), "moov first", object, format!("{order:?}"));
    let apart = movie.interleaving();
    let detail = format!("neighbours are {apart:.2} s apart");
    report.must(apart <= INTERLEAVING, "interleaving", object, detail);
    report.must(!movie.tracks.is_empty(), "tracks", object, "none");
    for track in &movie.tracks {
        report.must(!track.samples.is_empty(), "samples", object, "a track without samples");
        match &track.codec {
            Codec::Video { sps, .. } => pictures(track, sps, object, report),
            Codec::Aac { object_type, .. } => sound(track, *object_type, object, report),
            Codec::Other(kind) => report.add("codec", object, kind.clone()),
        }
    }
}

fn pictures(track: &Track, set: &[u8], object: &str, report: &mut Report) {
    if let Some(sps) = report.try_or(sps::parse(set), "codec", object) {
        suits_the_web(&sps, object, report);
    }
    let keys: Vec<usize> = (0..track.samples.len()).filter(|at| track.samples[*at].sync).collect();
    let groups: Vec<usize> = keys.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let equal = groups.windows(2).all(|pair| pair[0] == pair[1]) && keys.first() == Some(&0);
    report.must(equal, "sync samples", object, format!("groups of {groups:?} frames"));
    let start = track.start();
    report.must(start.abs() < 0.001, "edit list", object, format!("starts at {start:.6} s"));
}

/// Sound starts with the pictures; what the encoder puts before it is edited away.
fn sound(track: &Track, object_type: u8, object: &str, report: &mut Report) {
    report.must(object_type == 2, "codec", object, format!("AAC type {object_type}"));
    let start = track.start();
    let detail = format!("sound starts at {start:.4} s");
    report.must((-0.06..=0.001).contains(&start), "edit list", object, detail);
}

/// As many frames as the HLS has, and as long.
fn whole(package: &Package, movie: &Movie, object: &str, report: &mut Report) {
    let Some(rendition) = package.of(Kind::Variant).next() else { return };
    let (Some(hls), Some(mp4)) = (rendition.video(), movie.video()) else { return };
    let (want, have) = (hls.pictures.len(), mp4.samples.len());
    report.must(want == have, "frames", object, format!("{have}, the HLS has {want}"));
    let Some(frame) = timing::frame_duration(rendition) else { return };
    let length = mp4.end as f64 / f64::from(mp4.timescale);
    let off = length - rendition.playlist.duration();
    report.must(off.abs() <= frame, "duration", object, format!("{off:.4} s longer than the HLS"));
}
