//! EXTINF is media time, and every rung is cut at the same frames.

use super::Report;
use super::package::{Kind, Package, Rendition};
use crate::media::AAC_FRAME;

pub fn check(package: &Package, report: &mut Report) {
    for rendition in &package.renditions {
        for (index, piece) in rendition.pieces.iter().enumerate() {
            for fault in &piece.contents.faults {
                report.add("container", &rendition.uri, format!("segment {index}: {fault}"));
            }
        }
        if matches!(rendition.kind, Kind::Variant | Kind::Audio) {
            extinf(rendition, report);
        }
    }
    boundaries(package, report);
}

/// Each EXTINF is the time from a segment's first frame to the first of the next, or to the end of
/// its last, to the tick of the media's clock and the digits that are written.
fn extinf(rendition: &Rendition, report: &mut Report) {
    let Some(times) = starts(rendition) else {
        return report.add("segment", &rendition.uri, "a segment without media");
    };
    for (index, segment) in rendition.playlist.segments.iter().enumerate() {
        let media = times[index + 1] - times[index];
        let rounding = 0.5 * 10_f64.powi(-(segment.decimals as i32)) + 1.1 / 90_000.0;
        let detail = format!("segment {index}: EXTINF {}, media {media:.6}", segment.duration);
        let off = (media - segment.duration).abs();
        report.must(off <= rounding, "extinf", &rendition.uri, detail);
    }
}

/// When each segment starts, and last when the last one ends, in seconds.
pub fn starts(rendition: &Rendition) -> Option<Vec<f64>> {
    let mut times = Vec::new();
    for piece in &rendition.pieces {
        let contents = &piece.contents;
        times.push(match (&contents.video, &contents.audio) {
            (Some(video), _) => video.start(),
            (None, Some(audio)) => audio.start(),
            (None, None) => return None,
        });
    }
    times.push(end(rendition)?);
    Some(times)
}

fn end(rendition: &Rendition) -> Option<f64> {
    if let Some(video) = rendition.video() {
        return Some(video.seconds(*video.times().last()?) + frame_duration(rendition)?);
    }
    let audio = rendition.pieces.last()?.contents.audio.as_ref()?;
    Some(audio.start() + audio.length())
}

/// The mean time from one picture to the next; for a single one, what the playlist says.
pub fn frame_duration(rendition: &Rendition) -> Option<f64> {
    let video = rendition.video()?;
    let times = video.times();
    let (first, last) = (*times.first()?, *times.last()?);
    match times.len() {
        1 => Some(rendition.playlist.duration()),
        count => Some(video.seconds(last - first) / (count - 1) as f64),
    }
}

fn boundaries(package: &Package, report: &mut Report) {
    let Some(first) = package.of(Kind::Variant).next() else { return };
    let Some(want) = starts(first) else { return };
    for rendition in package.of(Kind::Variant).chain(package.of(Kind::Audio)) {
        let Some(have) = starts(rendition) else { continue };
        let object = rendition.uri.as_str();
        if have.len() != want.len() {
            let detail = format!("{} segments, {} in {}", have.len(), want.len(), first.uri);
            report.add("boundaries", object, detail);
            continue;
        }
        // Sound is cut at the frame of AAC that starts next.
        let slack = match rendition.kind {
            Kind::Variant => 1.1 / 90_000.0,
            _ => sound_alone(rendition) + 0.06,
        };
        for (index, (have, want)) in have.iter().zip(&want).enumerate() {
            let detail = format!("boundary {index} at {have:.6}, {want:.6} in {}", first.uri);
            report.must((have - want).abs() <= slack, "boundaries", object, detail);
        }
    }
    together(package, report);
}

/// How long a frame of AAC lasts; nothing where there are pictures, which say how long it is.
fn sound_alone(rendition: &Rendition) -> f64 {
    let contents = rendition.pieces.first().map(|piece| &piece.contents);
    let audio = contents.filter(|it| it.video.is_none()).and_then(|it| it.audio.as_ref());
    audio.map_or(0.0, |audio| AAC_FRAME as f64 / f64::from(audio.rate))
}

/// Sound starts with the pictures, and goes on without a hole from segment to segment.
fn together(package: &Package, report: &mut Report) {
    let start = package.of(Kind::Variant).find_map(|one| Some(one.video()?.start()));
    for rendition in package.of(Kind::Variant).chain(package.of(Kind::Audio)) {
        let sounds = rendition.pieces.iter().enumerate();
        let mut due: Option<f64> = None;
        for (index, audio) in sounds.filter_map(|(i, one)| Some((i, one.contents.audio.as_ref()?)))
        {
            let (wanted, slack) = match due {
                Some(due) => (due, 2.0 / 90_000.0),
                None => (start.unwrap_or_else(|| audio.start()), 0.06),
            };
            let off = audio.start() - wanted;
            let detail = format!("sound of segment {index} is {off:.6} s off");
            report.must(off.abs() <= slack, "sound", &rendition.uri, detail);
            due = Some(audio.start() + audio.length());
        }
    }
}
