//! I-frame playlists (RFC 8216, 4.3.3.6): each key frame of the variant, alone.

use super::package::{Kind, Package, Rendition};
use super::{Report, pictures};

pub fn check(package: &Package, report: &mut Report) {
    let moving = package.of(Kind::Variant).filter(|rendition| rendition.video().is_some());
    let all: Vec<&Rendition> = package.of(Kind::IFrames).collect();
    if all.is_empty() {
        return;
    }
    for variant in moving {
        let directory = |uri: &str| uri.rsplit_once('/').map(|(before, _)| before.to_owned());
        let own = all.iter().find(|one| directory(&one.uri) == directory(&variant.uri));
        match own {
            None => report.add("iframes", &variant.uri, "no I-frame playlist beside it"),
            Some(own) => same_pictures(variant, own, report),
        }
    }
}

fn same_pictures(variant: &Rendition, iframes: &Rendition, report: &mut Report) {
    let object = iframes.uri.as_str();
    let Some(video) = variant.video() else { return };
    let keys = pictures::keys(&video);
    let want: Vec<f64> = keys.iter().map(|key| video.seconds(video.pictures[*key].pts)).collect();
    let have: Vec<f64> = iframes
        .pieces
        .iter()
        .filter_map(|piece| piece.contents.video.as_ref())
        .map(|video| video.start())
        .collect();
    let detail = format!("{} key frames, {} in {}", have.len(), want.len(), variant.uri);
    report.must(have.len() == want.len(), "iframes", object, detail);
    for (index, (have, want)) in have.iter().zip(&want).enumerate() {
        let detail = format!("frame {index} at {have:.6}, {want:.6} in {}", variant.uri);
        report.must((have - want).abs() <= 1.1 / 90_000.0, "iframes", object, detail);
    }
    alone(iframes, report);
    apart(iframes, report);
    durations(iframes, &have, report);
}

fn alone(iframes: &Rendition, report: &mut Report) {
    for (index, piece) in iframes.pieces.iter().enumerate() {
        let alone = piece.contents.audio.is_none()
            && piece
                .contents
                .video
                .as_ref()
                .is_some_and(|video| video.pictures.len() == 1 && video.pictures[0].idr());
        report.must(alone, "iframes", &iframes.uri, format!("{index} is not one IDR alone"));
    }
}

/// What is needed to read any of them stands behind EXT-X-MAP, and in none of them.
fn apart(iframes: &Rendition, report: &mut Report) {
    report.must(iframes.playlist.map.is_some(), "map", &iframes.uri, "no EXT-X-MAP");
    for (index, piece) in iframes.pieces.iter().enumerate() {
        let detail = format!("the range of {index} holds an init segment");
        report.must(!piece.holds_init, "map", &iframes.uri, detail);
    }
}

/// EXTINF is the time to the next key frame.
fn durations(iframes: &Rendition, times: &[f64], report: &mut Report) {
    let segments = &iframes.playlist.segments;
    for (index, pair) in times.windows(2).enumerate() {
        let Some(segment) = segments.get(index) else { return };
        let rounding = 0.5 * 10_f64.powi(-(segment.decimals as i32)) + 1.1 / 90_000.0;
        let off = segment.duration - (pair[1] - pair[0]);
        let detail = format!("EXTINF of frame {index} is {off:.6} s off");
        report.must(off.abs() <= rounding, "extinf", &iframes.uri, detail);
    }
}
