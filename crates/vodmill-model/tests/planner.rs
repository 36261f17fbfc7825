//! Plans of real-life originals against committed text. `BLESS=1 cargo test -p vodmill-model`
//! writes the text anew; read the difference before committing it.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{catalogue, catalogue_with_hdr, fixture, fixture_names, manifest_path, plan_of};
use vodmill_model::Catalogue;

/// Whether the plan of a fixture is as committed in `golden`.
fn is_as_committed(
    fixture_name: &str,
    catalogue: &Catalogue,
    pipeline: &str,
    golden: &str,
) -> bool {
    let text = match plan_of(&fixture(fixture_name), catalogue, pipeline) {
        Ok(plan) => serde_json::to_string_pretty(&plan).unwrap(),
        Err(rejected) => serde_json::to_string_pretty(&rejected).unwrap(),
    } + "\n";
    let path = manifest_path(&format!("tests/golden/{golden}.json"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    std::fs::read_to_string(&path).unwrap_or_default() == text
}

#[test]
fn plans_are_as_committed() {
    let mut wrong = fixture_names();
    let catalogue = catalogue();
    wrong.retain(|name| !is_as_committed(name, &catalogue, "default", name));
    assert!(wrong.is_empty(), "plans differ, look with BLESS=1 and git diff: {wrong:?}");
}

#[test]
fn plans_that_keep_high_dynamic_range_are_as_committed() {
    let catalogue = catalogue_with_hdr();
    let mut wrong = vec![
        ("hdr-pq-2160p", "hdr"),
        ("hlg-portrait", "hdr"),
        ("plain-1080p25", "hdr"),
        ("hdr-pq-2160p", "hevc"),
        ("plain-1080p25", "hevc"),
    ];
    wrong.retain(|(name, pipeline)| {
        let golden = format!("kept/{name}.{pipeline}");
        !is_as_committed(name, &catalogue, pipeline, &golden)
    });
    assert!(wrong.is_empty(), "plans differ, look with BLESS=1 and git diff: {wrong:?}");
}
