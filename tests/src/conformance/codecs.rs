//! CODECS, RESOLUTION, VIDEO-RANGE and FRAME-RATE against the bitstream.

use std::collections::BTreeSet;

use super::Report;
use super::package::{Package, Rendition};
use super::timing::frame_duration;
use crate::m3u8::Variant;
use crate::sps::{self, Sps};

pub fn check(package: &Package, report: &mut Report) {
    for variant in &package.multivariant.variants {
        let Some(rendition) = package.rendition_at(&variant.uri) else { continue };
        variant_is(package, variant, rendition, report);
    }
    for variant in &package.multivariant.iframes {
        let Some(rendition) = package.rendition_at(&variant.uri) else { continue };
        let Some(sps) = sps_of(rendition, report) else { continue };
        let declared = (lower(&variant.codecs), variant.resolution);
        let found = (vec![sps.codec.clone()], Some((sps.width, sps.height)));
        let detail = format!("declared {declared:?}, found {found:?}");
        report.must(declared == found, "codecs", &variant.uri, detail);
        range(package, variant, &sps, report);
    }
}

/// SDR goes without saying, unless there is high dynamic range beside it.
fn range(package: &Package, variant: &Variant, sps: &Sps, report: &mut Report) {
    let high = |one: &Variant| one.range.as_deref().is_some_and(|range| range != "SDR");
    let mixed = package.multivariant.variants.iter().any(high);
    let found = (mixed || sps.range != "SDR").then_some(sps.range);
    let declared = variant.range.as_deref();
    let detail = format!("declared {declared:?}, found {found:?}");
    report.must(declared == found, "video range", &variant.uri, detail);
}

fn variant_is(package: &Package, variant: &Variant, rendition: &Rendition, report: &mut Report) {
    let mut codecs = BTreeSet::new();
    let sps = sps_of(rendition, report);
    if let Some(sps) = &sps {
        codecs.insert(sps.codec.clone());
        suits_the_web(sps, &variant.uri, report);
        range(package, variant, sps, report);
        let declared = variant.resolution;
        let detail = format!("declared {declared:?}, coded {}x{}", sps.width, sps.height);
        report.must(declared == Some((sps.width, sps.height)), "resolution", &variant.uri, detail);
        frame_rate(variant, rendition, report);
    }
    codecs.extend(sound(rendition));
    let group = variant.audio.as_deref().unwrap_or_default();
    let members = package.multivariant.group("AUDIO", group).filter_map(|one| one.uri.as_deref());
    codecs.extend(members.filter_map(|uri| sound(package.rendition_at(uri)?)));
    let declared: BTreeSet<String> = lower(&variant.codecs).into_iter().collect();
    let detail = format!("declared {declared:?}, found {codecs:?}");
    report.must(declared == codecs, "codecs", &variant.uri, detail);
}

/// Their hexadecimal digits may be of either case (RFC 6381, 3.3).
fn lower(codecs: &[String]) -> Vec<String> {
    codecs.iter().map(|codec| codec.to_lowercase()).collect()
}

fn sound(rendition: &Rendition) -> Option<String> {
    rendition.pieces.iter().find_map(|piece| Some(piece.contents.audio.as_ref()?.codec()))
}

/// The one SPS of all segments.
fn sps_of(rendition: &Rendition, report: &mut Report) -> Option<Sps> {
    let mut sets: Vec<Vec<u8>> = rendition
        .pieces
        .iter()
        .filter_map(|piece| Some(piece.contents.video.as_ref()?.sps.clone()))
        .collect();
    sets.dedup();
    report.must(sets.len() < 2, "codecs", &rendition.uri, "the SPS changes");
    report.try_or(sps::parse(sets.first()?), "codecs", &rendition.uri)
}

/// 8 bits, 4:2:0, progressive and of a profile that every player has; or HEVC that Apple's players
/// have, with 10 bits for high dynamic range alone; or AV1's Main with 8 bits.
pub fn suits_the_web(sps: &Sps, object: &str, report: &mut Report) {
    let plain = sps.chroma == 1 && sps.progressive;
    let kind = sps.codec.split('.').next().unwrap_or_default();
    let profile = match (kind, sps.range) {
        ("hvc1", "SDR") => sps.profile == 1 && sps.bit_depth == 8,
        ("hvc1", _) => sps.profile == 2 && sps.bit_depth == 10,
        ("av01", _) => sps.profile == 0 && sps.bit_depth == 8,
        _ => [66, 77, 100].contains(&sps.profile) && sps.bit_depth == 8,
    };
    report.must(plain && profile, "web profile", object, format!("{sps:?}"));
}

fn frame_rate(variant: &Variant, rendition: &Rendition, report: &mut Report) {
    let Some(duration) = frame_duration(rendition) else { return };
    let detail = format!("declared {:?}, found {:.3}", variant.frame_rate, 1.0 / duration);
    let near = |rate: f64| (rate - 1.0 / duration).abs() <= 0.002;
    // A single frame lasts as long as the package: nothing can be measured there.
    let single = rendition.video().is_some_and(|video| video.pictures.len() < 3);
    let holds = variant.frame_rate.is_some_and(near) || single;
    report.must(holds, "frame rate", &variant.uri, detail);
}
