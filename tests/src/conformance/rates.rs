//! BANDWIDTH and AVERAGE-BANDWIDTH against what is served (RFC 8216, 4.1 and 4.3.4.2).

use super::Report;
use super::package::{Package, Rendition};
use crate::m3u8::Variant;

/// Bits per second.
#[derive(Clone, Copy, Debug, Default)]
struct Rates {
    peak: f64,
    average: f64,
}

pub fn check(package: &Package, report: &mut Report) {
    let playlist = &package.multivariant;
    for variant in &playlist.variants {
        let Some(rendition) = package.rendition_at(&variant.uri) else { continue };
        let mut rates = measure(rendition);
        for (kind, id) in [("AUDIO", &variant.audio), ("SUBTITLES", &variant.subtitles)] {
            let largest = largest(package, kind, id.as_deref().unwrap_or_default());
            rates.peak += largest.peak;
            rates.average += largest.average;
        }
        compare(variant, rates, report);
    }
    for variant in &playlist.iframes {
        if let Some(rendition) = package.rendition_at(&variant.uri) {
            compare(variant, measure(rendition), report);
        }
    }
    let order: Vec<u64> = playlist.variants.iter().map(|variant| variant.bandwidth).collect();
    let distinct = order.windows(2).all(|pair| pair[0] != pair[1]);
    report.must(distinct, "bandwidth", "index.m3u8", format!("two variants of {order:?}"));
}

fn compare(variant: &Variant, rates: Rates, report: &mut Report) {
    let object = variant.uri.as_str();
    for (rule, declared, measured) in [
        ("bandwidth", Some(variant.bandwidth), rates.peak),
        ("average bandwidth", variant.average, rates.average),
    ] {
        let Some(declared) = declared else {
            report.add(rule, object, "missing");
            continue;
        };
        let declared = declared as f64;
        let holds = declared >= measured - 1.0 && declared <= measured * 1.01 + 1.0;
        report.must(holds, rule, object, format!("declared {declared}, measured {measured:.1}"));
    }
}

/// The largest rates of any member of a group.
fn largest(package: &Package, kind: &str, id: &str) -> Rates {
    let uris = package.multivariant.group(kind, id).filter_map(|one| one.uri.as_deref());
    let all = uris.filter_map(|uri| package.rendition_at(uri)).map(measure);
    all.fold(Rates::default(), |most, one| Rates {
        peak: most.peak.max(one.peak),
        average: most.average.max(one.average),
    })
}

/// The peak over runs of segments that last 0.5 to 1.5 target durations, and the average.
fn measure(rendition: &Rendition) -> Rates {
    let target = rendition.playlist.target as f64;
    let segments: Vec<(f64, f64)> = rendition
        .playlist
        .segments
        .iter()
        .zip(&rendition.pieces)
        .map(|(segment, piece)| (piece.served as f64 * 8.0, segment.duration))
        .collect();
    let rate = |run: &[(f64, f64)]| {
        let (bits, seconds) =
            run.iter().fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        (bits / seconds, seconds)
    };
    let (average, _) = rate(&segments);
    let runs = (0..segments.len()).flat_map(|first| {
        let segments = &segments;
        (first..segments.len()).map(move |last| rate(&segments[first..=last])).take_while(
            // EXTINF is rounded: a run may miss the border by that much.
            move |(_, seconds)| *seconds <= 1.5 * target + 1e-3,
        )
    });
    let counted = runs.filter(|(_, seconds)| *seconds >= 0.5 * target - 1e-3);
    let peak = counted.map(|(rate, _)| rate).fold(f64::NAN, f64::max);
    Rates { peak: if peak.is_nan() { average } else { peak }, average }
}
