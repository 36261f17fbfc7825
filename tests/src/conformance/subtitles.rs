//! WebVTT segments (RFC 8216, 3.5): whole, mapped to the media's clock, cues where they belong.

use super::package::{Kind, Package, Rendition};
use super::vtt::{cues, timestamp_map};
use super::{Report, timing};

pub fn check(package: &Package, report: &mut Report) {
    let media = package.of(Kind::Variant).next();
    let start = media.and_then(timing::starts).and_then(|times| times.first().copied());
    for rendition in package.of(Kind::Subtitles) {
        segments(rendition, start.unwrap_or(0.0), report);
    }
}

fn segments(rendition: &Rendition, start: f64, report: &mut Report) {
    let object = rendition.uri.as_str();
    let mut from = 0.0;
    for (index, piece) in rendition.pieces.iter().enumerate() {
        let to = from + rendition.playlist.segments[index].duration;
        if let Some(Some((ticks, local))) =
            report.try_or(timestamp_map(&piece.text), "timestamp map", object)
        {
            let off = ticks as f64 / 90_000.0 - local - start;
            let detail = format!("segment {index} is {off:.6} s off the media");
            report.must(off.abs() < 0.001, "timestamp map", object, detail);
        } else {
            report.add("timestamp map", object, format!("segment {index} has none"));
        }
        for cue in report.try_or(cues(&piece.text), "webvtt", object).unwrap_or_default() {
            let inside = cue.start < cue.end && cue.end > from - 0.001 && cue.start < to + 0.001;
            let detail = format!("segment {index} ({from:.3} to {to:.3}) has {cue:?}");
            report.must(inside, "webvtt", object, detail);
        }
        from = to;
    }
}
