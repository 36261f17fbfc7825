//! Groups of pictures: closed, equally long, at the same frames in every rung.

use super::Report;
use super::package::{Kind, Package, Rendition};
use crate::media::{Picture, Video};
use crate::nal;

/// Most seconds from one key frame to the next.
const LONGEST_GROUP: f64 = 2.1;

pub fn check(package: &Package, report: &mut Report) {
    let mut first: Option<(String, Vec<usize>)> = None;
    for rendition in package.of(Kind::Variant) {
        let Some(video) = rendition.video() else { continue };
        segments_start_right(rendition, report);
        steady(&video, &rendition.uri, report);
        closed(&video, &rendition.uri, report);
        let keys = keys(&video);
        equal_groups(&video, &keys, &rendition.uri, report);
        match &first {
            None => first = Some((rendition.uri.clone(), keys)),
            Some((uri, want)) => {
                let detail = format!("key frames elsewhere than in {uri}");
                report.must(keys == *want, "groups", &rendition.uri, detail);
            }
        }
    }
}

/// Positions of IDR pictures in decode order.
pub fn keys(video: &Video) -> Vec<usize> {
    let pictures = video.pictures.iter().enumerate();
    pictures.filter(|(_, picture)| picture.idr()).map(|(index, _)| index).collect()
}

/// Each segment starts with an IDR and, in TS, with all that a decoder needs before it.
fn segments_start_right(rendition: &Rendition, report: &mut Report) {
    let object = rendition.uri.as_str();
    for (index, piece) in rendition.pieces.iter().enumerate() {
        let Some(video) = &piece.contents.video else { continue };
        let Some(picture) = video.pictures.first() else { continue };
        let ts = rendition.playlist.map.is_none();
        let detail = format!("segment {index} starts with NAL units {:?}", picture.nals);
        report.must(picture.idr() && picture.marked_key, "independent", object, detail.clone());
        let complete = [nal::SPS, nal::PPS].iter().all(|kind| picture.nals.contains(kind));
        report.must(!ts || complete, "parameter sets", object, detail);
        let delimited = |picture: &Picture| picture.nals.first() == Some(&nal::AUD);
        let all = !ts || video.pictures.iter().all(delimited);
        report.must(all, "delimiters", object, format!("segment {index} lacks AUDs"));
    }
}

/// Constant frame rate: every frame is where the grid has it, within a tick.
fn steady(video: &Video, object: &str, report: &mut Report) {
    let times = video.times();
    if times.len() < 2 {
        return;
    }
    let step = (times[times.len() - 1] - times[0]) as f64 / (times.len() - 1) as f64;
    let off = times
        .iter()
        .enumerate()
        .find(|(index, time)| (**time as f64 - times[0] as f64 - *index as f64 * step).abs() > 1.1);
    let detail = format!("frame {:?} is off the grid of {step:.3} ticks", off);
    report.must(off.is_none(), "frame rate", object, detail);
    let decode = video.pictures.windows(2).all(|pair| pair[0].dts < pair[1].dts);
    report.must(decode, "decode order", object, "decode times do not rise");
    let early = video.pictures.iter().all(|picture| picture.dts <= picture.pts);
    report.must(early, "decode order", object, "a frame is shown before it is decoded");
}

/// No picture after a key frame in decode order is shown before it, and none before it after it.
fn closed(video: &Video, object: &str, report: &mut Report) {
    let mut shown = i64::MIN;
    let mut key = i64::MIN;
    for (index, picture) in video.pictures.iter().enumerate() {
        if picture.idr() {
            report.must(picture.pts > shown, "closed groups", object, format!("frame {index}"));
            key = picture.pts;
        }
        report.must(picture.pts >= key, "closed groups", object, format!("frame {index} leads"));
        shown = shown.max(picture.pts);
    }
}

fn equal_groups(video: &Video, keys: &[usize], object: &str, report: &mut Report) {
    report.must(keys.first() == Some(&0), "groups", object, "does not start with an IDR");
    let lengths: Vec<usize> = keys.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let equal = lengths.windows(2).all(|pair| pair[0] == pair[1]);
    report.must(equal, "groups", object, format!("groups of {lengths:?} frames"));
    let times = video.times();
    for (index, pair) in keys.windows(2).enumerate() {
        let length = video.seconds(times[pair[1]] - times[pair[0]]);
        let detail = format!("group {index} lasts {length:.3} s");
        report.must(length <= LONGEST_GROUP, "groups", object, detail);
    }
    let last = times.len() - keys.last().copied().unwrap_or(0);
    let fits = lengths.first().is_none_or(|length| last <= *length);
    report.must(fits, "groups", object, format!("the last group has {last} frames"));
}
