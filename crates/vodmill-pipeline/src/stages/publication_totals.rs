//! What a publication adds to the totals of its pipeline and month.

use std::collections::BTreeMap;

use serde_json::Value;
use vodmill_model::Failed;
use vodmill_queue::MonthFigures;

use crate::publication::generation::Number;

/// Fields of a description that are summed as they are.
const SUMMED: [&str; 5] = ["objects", "bytes", "duration_ms", "encode_cpu_ms", "package_cpu_ms"];

/// Lists of a description of which each entry is a rendition: what a viewer may be sent.
const RENDITIONS: [&str; 4] = ["/hls/variants", "/hls/audio", "/hls/subtitles", "/mp4"];

/// The figures of a generation that is published with this description, in the month of its date.
pub(super) fn of(generation: &str, asset_json: &[u8]) -> Result<MonthFigures, Failed> {
    let asset: Value = serde_json::from_slice(asset_json)
        .map_err(|error| Failed::from_error("sum up what is published", &error))?;
    let mut figures = BTreeMap::from([
        ("publications".to_owned(), 1),
        ("assets".to_owned(), u64::from(Number::of(generation) == Some(Number::of_version(1)))),
    ]);
    let listed = RENDITIONS.iter().filter_map(|list| asset.pointer(list)?.as_array());
    let renditions: usize = listed.map(Vec::len).sum();
    figures.insert("renditions".to_owned(), renditions as u64);
    for name in SUMMED {
        figures.insert(name.to_owned(), asset[name].as_u64().unwrap_or(0));
    }
    // RFC 3339 in UTC begins with it.
    let month = asset["published_at"].as_str().and_then(|date| date.get(..7)).unwrap_or_default();
    Ok(MonthFigures { month: month.to_owned(), figures })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_viewer_may_be_sent_counts() {
        let asset = serde_json::json!({
            "published_at": "2026-11-30T23:59:59Z", "objects": 12, "bytes": 3456,
            "duration_ms": 60_000, "encode_cpu_ms": 7, "package_cpu_ms": 8,
            "hls": { "variants": [{}, {}], "audio": [{}], "subtitles": [] }, "mp4": [{}],
        });
        let of = |generation| of(generation, asset.to_string().as_bytes()).expect("a description");
        let added = of("g0001-0123abcd");
        assert_eq!(added.month, "2026-11");
        let figures: Vec<_> = added.figures.iter().map(|(name, sum)| (&**name, *sum)).collect();
        let wanted = [
            ("assets", 1),
            ("bytes", 3456),
            ("duration_ms", 60_000),
            ("encode_cpu_ms", 7),
            ("objects", 12),
            ("package_cpu_ms", 8),
            ("publications", 1),
            ("renditions", 4),
        ];
        assert_eq!(figures, wanted);
        assert_eq!(of("g0002-0123abcd").figures["assets"], 0, "it was published before");
    }
}
