//! Tags of the playlists (RFC 8216, 4.3 and 7; Apple's authoring rules).

use super::Report;
use super::package::{Kind, Package, Rendition};
use crate::m3u8::{Alternative, Media};

pub fn check(package: &Package, report: &mut Report) {
    multivariant(package, report);
    groups(package, report);
    for rendition in &package.renditions {
        media(rendition, report);
    }
    same_target(package, report);
}

fn multivariant(package: &Package, report: &mut Report) {
    let playlist = &package.multivariant;
    let object = "index.m3u8";
    if playlist.variants.is_empty() && !package.asset.join(object).exists() {
        return;
    }
    report.must(!playlist.variants.is_empty(), "variants", object, "no variant stream");
    report.must(playlist.version.is_some(), "version", object, "no EXT-X-VERSION");
    report.must(playlist.independent, "independent", object, "no EXT-X-INDEPENDENT-SEGMENTS");
    let name = package.generation.file_name().unwrap_or_default().to_string_lossy();
    for rendition in &package.renditions {
        let inside = rendition.uri.starts_with(&format!("{name}/hls/"));
        report.must(inside, "layout", &rendition.uri, format!("not under {name}/hls/"));
    }
}

fn media(rendition: &Rendition, report: &mut Report) {
    let (playlist, object) = (&rendition.playlist, rendition.uri.as_str());
    let needed = needed_version(playlist);
    let declared = playlist.version.unwrap_or(0);
    report.must(
        (needed..=10).contains(&declared),
        "version",
        object,
        format!("EXT-X-VERSION is {declared}, its tags need {needed}"),
    );
    report.must(playlist.vod, "playlist type", object, "not VOD");
    report.must(playlist.ended, "endlist", object, "no EXT-X-ENDLIST");
    report.must(!playlist.map_after_key, "map", object, "EXT-X-MAP after EXT-X-KEY");
    report.must(!playlist.segments.is_empty(), "segments", object, "no segment");
    let iframes = rendition.kind == Kind::IFrames;
    report.must(playlist.iframes_only == iframes, "iframes", object, "EXT-X-I-FRAMES-ONLY");
    report.must(
        playlist.independent || rendition.kind == Kind::Subtitles,
        "independent",
        object,
        "no EXT-X-INDEPENDENT-SEGMENTS",
    );
    for (index, segment) in playlist.segments.iter().enumerate() {
        let fits = segment.duration.round() <= playlist.target as f64;
        let detail = format!("segment {index} lasts {} s", segment.duration);
        report.must(fits, "target duration", object, detail);
        report.must(segment.duration > 0.0, "extinf", object, format!("segment {index} is 0 s"));
    }
}

/// RFC 8216, 7.
fn needed_version(playlist: &Media) -> u64 {
    let segments = &playlist.segments;
    let mut needed = 1;
    let mut need = |holds: bool, version: u64| {
        if holds && version > needed {
            needed = version;
        }
    };
    need(segments.iter().any(|one| one.key.as_ref().is_some_and(|key| key.iv.is_some())), 2);
    need(segments.iter().any(|one| one.decimals > 0), 3);
    need(playlist.iframes_only || segments.iter().any(|one| one.range.is_some()), 4);
    need(playlist.map.is_some(), if playlist.iframes_only { 5 } else { 6 });
    needed
}

/// Playlists of one presentation share their target duration (6.2.4), and their length.
fn same_target(package: &Package, report: &mut Report) {
    let Some(first) = package.of(Kind::Variant).next() else { return };
    for rendition in &package.renditions {
        let (ours, theirs) = (rendition.playlist.target, first.playlist.target);
        if rendition.kind != Kind::IFrames {
            let detail = format!("{ours}, but {theirs} in {}", first.uri);
            report.must(ours == theirs, "target duration", &rendition.uri, detail);
        }
        let (ours, theirs) = (rendition.playlist.duration(), first.playlist.duration());
        let detail = format!("lasts {ours} s, {} {theirs} s", first.uri);
        report.must((ours - theirs).abs() < 0.05, "duration", &rendition.uri, detail);
    }
}

/// Groups exist, their names are unique, at most one member is the default (4.3.4.1.1).
fn groups(package: &Package, report: &mut Report) {
    let playlist = &package.multivariant;
    for variant in &playlist.variants {
        for (kind, id) in [("AUDIO", &variant.audio), ("SUBTITLES", &variant.subtitles)] {
            let Some(id) = id else { continue };
            let members: Vec<&Alternative> = playlist.group(kind, id).collect();
            let object = variant.uri.as_str();
            report.must(!members.is_empty(), "group", object, format!("no {kind} group {id}"));
            members_agree(kind, id, &members, report);
        }
        let same = variant.audio == playlist.variants[0].audio
            && variant.subtitles == playlist.variants[0].subtitles;
        report.must(same, "group", &variant.uri, "other groups than the first variant");
    }
}

fn members_agree(kind: &str, id: &str, members: &[&Alternative], report: &mut Report) {
    let defaults = members.iter().filter(|one| one.default).count();
    let wanted = if kind == "AUDIO" { 1..=1 } else { 0..=1 };
    let object = format!("{kind} group {id}");
    report.must(wanted.contains(&defaults), "default", &object, format!("{defaults} defaults"));
    for (index, one) in members.iter().enumerate() {
        let unique = !members[..index].iter().any(|before| before.name == one.name);
        report.must(unique, "name", &object, format!("two of the name {:?}", one.name));
        report.must(!one.default || one.autoselect, "autoselect", &object, "DEFAULT without");
        report.must(one.uri.is_some(), "uri", &object, format!("{:?} has no URI", one.name));
        let channels = kind != "AUDIO" || one.channels.is_some();
        report.must(channels, "channels", &object, format!("{:?} has no CHANNELS", one.name));
    }
}
