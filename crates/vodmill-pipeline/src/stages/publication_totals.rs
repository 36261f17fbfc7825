//! What a publication adds to the totals of its pipeline and month.

use std::collections::BTreeMap;

use vodmill_model::{AssetDocument, GenerationNumber};
use vodmill_queue::MonthFigures;

/// The figures of a publication, in the month of its date.
pub(super) fn of(document: &AssetDocument) -> MonthFigures {
    let (asset, publication) = (document.asset(), &document.publication);
    let is_first = asset.generation.number() == GenerationNumber::FIRST;
    let figures = [
        ("publications", 1),
        ("assets", u64::from(is_first)),
        ("renditions", asset.renditions() as u64),
        ("objects", asset.objects),
        ("bytes", asset.bytes),
        ("duration_ms", asset.duration_ms),
        ("encode_cpu_ms", publication.encode_cpu_ms.unwrap_or(0)),
        ("package_cpu_ms", publication.package_cpu_ms.unwrap_or(0)),
    ];
    let figures: BTreeMap<_, _> =
        figures.into_iter().map(|(name, sum)| (name.to_owned(), sum)).collect();
    MonthFigures { month: publication.month().unwrap_or_default().to_owned(), figures }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As vodmill 0.1.0 has described it.
    const FILM: &[u8] =
        include_bytes!("../../../../tests/fixtures/home-0.1.0/published/film/asset.json");

    #[test]
    fn what_a_viewer_may_be_sent_counts() {
        let film = AssetDocument::read(FILM).expect("a description");
        let added = of(&film);
        assert_eq!(added.month, "2026-11");
        let figures: Vec<_> = added.figures.iter().map(|(name, sum)| (&**name, *sum)).collect();
        let wanted = [
            ("assets", 0),
            ("bytes", 100_429),
            ("duration_ms", 9000),
            ("encode_cpu_ms", 260),
            ("objects", 9),
            ("package_cpu_ms", 300),
            ("publications", 1),
            ("renditions", 2),
        ];
        assert_eq!(figures, wanted);
        let text = String::from_utf8_lossy(FILM).replace("g0002-", "g0001-");
        let first = AssetDocument::read(text.as_bytes()).expect("a description");
        assert_eq!(of(&first).figures["assets"], 1, "it was not published before");
    }
}
