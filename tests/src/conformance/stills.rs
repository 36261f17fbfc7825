//! Poster and storyboard.

use std::fs;
use std::path::Path;

use super::package::{Kind, Package};
use super::{Report, files, jpeg, vtt};

pub fn check(package: &Package, report: &mut Report) {
    let directory = package.generation.join("thumbnails");
    if !directory.exists() {
        return;
    }
    let mut index = None;
    for (name, path) in files::all(&directory) {
        let object = format!("thumbnails/{name}");
        if name.ends_with(".jpg") {
            report.try_or(size(&path), "jpeg", &object);
        } else if name.ends_with(".vtt") {
            index = Some(path);
        } else {
            report.add("layout", &object, "neither a JPEG nor its index");
        }
    }
    report.must(directory.join("poster.jpg").exists(), "poster", "thumbnails", "no poster.jpg");
    if let Some(index) = index {
        storyboard(package, &index, report);
    }
}

fn size(path: &Path) -> Result<(u32, u32), String> {
    jpeg::size(&fs::read(path).map_err(|why| why.to_string())?)
}

/// Cues follow each other from zero to the end, each a part of a sheet that is there.
fn storyboard(package: &Package, index: &Path, report: &mut Report) {
    let object = "thumbnails/*.vtt";
    let text = fs::read_to_string(index).map_err(|why| why.to_string());
    let cues = report.try_or(text.and_then(|text| vtt::cues(&text)), "storyboard", object);
    let cues = cues.unwrap_or_default();
    report.must(!cues.is_empty(), "storyboard", object, "no cue");
    let mut due = 0.0;
    for cue in &cues {
        let follows = (cue.start - due).abs() < 0.0015 && cue.end > cue.start;
        report.must(follows, "storyboard", object, format!("{cue:?} where {due:.3} is due"));
        due = cue.end;
        report.try_or(tile(index, &cue.text), "storyboard", object);
    }
    if let Some(rendition) = package.of(Kind::Variant).next() {
        let end = rendition.playlist.duration();
        let detail = format!("ends at {due:.3}, the package at {end:.3}");
        report.must((due - end).abs() < 0.05, "storyboard", object, detail);
    }
}

/// `sheet.jpg#xywh=x,y,w,h` names a part of a sheet beside the index.
fn tile(index: &Path, text: &str) -> Result<(), String> {
    let (sheet, part) = text.trim().split_once("#xywh=").ok_or_else(|| format!("{text:?}"))?;
    let numbers: Vec<u32> = part.split(',').filter_map(|number| number.parse().ok()).collect();
    let [x, y, width, height] = numbers[..] else { return Err(format!("{text:?}")) };
    let (across, down) = size(&index.with_file_name(sheet))?;
    let inside = width > 0 && height > 0 && x + width <= across && y + height <= down;
    if inside { Ok(()) } else { Err(format!("{text} is outside {across}x{down}")) }
}
