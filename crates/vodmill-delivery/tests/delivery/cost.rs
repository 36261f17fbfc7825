//! Costs, against sums done by hand.

use proptest::prelude::*;
use vodmill_delivery::cost::{
    Assumptions, Bytes, Cdn, CostError, Money, PriceFile, Region, Storage, Tier, report, summary,
};
use vodmill_model::AssetDocument;

const GB: u64 = 1 << 30;

fn money(text: &str) -> Money {
    text.parse().expect("a price")
}

fn region() -> Region {
    let tier = |up_to_gb, gb: &str| Tier { up_to_gb, gb: money(gb) };
    let storage = Storage {
        class: "STANDARD".into(),
        gb_month: money("0.02"),
        puts_1000: money("0.005"),
        gets_1000: money("0.0004"),
        retrieved_gb: money("0.01"),
    };
    Region {
        name: "r".into(),
        core_hour: money("0.04"),
        storage: vec![storage],
        cdn: Cdn {
            requests_10000: money("0.01"),
            transfer: vec![tier(Some(10), "0.1"), tier(Some(20), "0.05"), tier(None, "0.01")],
        },
    }
}

/// An hour in 600 segments; 1 GB and 3 GB.
fn asset() -> AssetDocument {
    let variant = |name: &str,
                   (width, height): (u32, u32),
                   bytes: u64,
                   iframes: u64,
                   encode: &str| {
        serde_json::json!({
            "name": name, "width": width, "height": height, "codecs": [], "peak_bitrate": 0, "bitrate": 0,
            "bytes": bytes, "playlist": "", "iframes": null, "iframes_bytes": iframes, "encode": encode,
        })
    };
    let mut json = empty();
    json["duration_ms"] = 3_600_000.into();
    json["bytes"] = (4 * GB + GB / 2).into();
    json["objects"] = 1300.into();
    json["encode_cpu_ms"] = 3_600_000.into();
    json["package_cpu_ms"] = 360_000.into();
    json["published_at"] = "2026-02-03T04:05:06Z".into();
    json["outputs"] = serde_json::json!([
        {
            "kind": "hls", "playlist": "index.m3u8", "container": "ts", "segments": 600,
            "encrypted": true, "target_duration_s": 6, "variants": [
                variant("low", (640, 360), GB, GB / 4, "a"),
                variant("high", (1920, 1080), 3 * GB, 0, "b"),
            ],
        },
        {
            "kind": "file", "container": "mp4", "name": "phone", "path": "", "bytes": GB / 4,
            "bitrate": 0, "sha256": null, "width": 640, "height": 360, "codecs": [],
            "audio_tracks": 1, "encode": "a",
        },
        {"kind": "hologram", "bytes": "not looked at"},
    ]);
    serde_json::from_value(json).expect("an asset")
}

/// Nothing, of no length.
fn empty() -> serde_json::Value {
    serde_json::json!({
        "version": 2, "asset": "talk", "generation": "g0001-00000000", "pipeline": "p",
        "duration_ms": 0, "frames": null, "frame_rate": null, "outputs": [],
        "original": {"name": "talk.mp4", "container": "mov", "bytes": 1, "sha256": "", "tracks": []},
        "repairs": [], "objects": 1, "bytes": 0, "built_by": {"vodmill": "", "libav": ""},
    })
}

fn given(views: u64, months: u32) -> Assumptions {
    Assumptions {
        views,
        months,
        watched_percent: 100,
        shares_per_mille: [("low".to_owned(), 250)].into(),
        origin_fetches: 10,
        other_transfer: Bytes(0),
    }
}

#[test]
fn sums_are_those_done_by_hand() {
    let report = report(&asset(), &region(), "", &given(12, 2)).expect("a report");
    // 1.1 hours of a core; 1302 writes.
    assert_eq!(report.make, money("0.044") + money("0.00651"));
    // 4.5 GB for two months.
    assert_eq!(report.keep, money("0.18"));
    // A quarter takes 1 GB, the rest 3 GB: 2.5 GB a view, 15 GB a month: 10 at 0.1, 5 at 0.05.
    assert_eq!(report.transferred, Bytes(30 * GB));
    let transfer = money("2.5");
    // 602 requests a view; 1300 objects fetched ten times.
    let requests = money("0.007224");
    let origin = money("0.0052") + money("0.45");
    assert_eq!(report.serve, transfer + requests + origin);
    assert_eq!(report.requests_view_hour, 602);
    assert_eq!(report.total, report.make + report.keep + report.serve);
    let [low, high, phone] = &report.renditions[..] else { panic!("{:?}", report.renditions) };
    // A tenth of the pixels, and 601 writes; the MP4 is made from the same stream.
    assert_eq!(low.make, money("0.004") + money("0.003005"));
    assert_eq!(high.make, money("0.036") + money("0.003005"));
    assert_eq!(phone.make, money("0.000005"));
    assert_eq!(low.bytes, Bytes(GB + GB / 4));
    assert_eq!((low.serve, high.serve), (money("0.25"), money("2.25")));
    assert_eq!((low.share_per_mille, high.share_per_mille), (250, 750));
}

#[test]
fn a_rung_pays_from_so_many_views_on() {
    let saving = |views| {
        let report = report(&asset(), &region(), "", &given(views, 2)).expect("a report");
        assert_eq!(report.renditions[1].saving, None);
        report.renditions[0].saving.clone().expect("a saving")
    };
    let one = saving(1);
    assert_eq!((one.instead.as_str(), one.bytes_view), ("high", Bytes(2 * GB)));
    // A quarter of 2 GB at 0.1, against making it and 1.25 GB for two months.
    assert_eq!(one.saved, money("0.05"));
    assert_eq!(one.costs, money("0.007005") + money("0.05"));
    assert_eq!((one.pays, one.pays_from_views), (false, Some(2)));
    assert!(saving(2).pays);
    let nobody = saving(0);
    assert_eq!((nobody.saved, nobody.pays, nobody.pays_from_views), (Money(0), false, Some(2)));
}

#[test]
fn transfer_is_on_top_of_what_there_is() {
    let mut given = given(4, 1);
    let alone = report(&asset(), &region(), "", &given).expect("a report");
    given.other_transfer = Bytes(15 * GB);
    let besides = report(&asset(), &region(), "", &given).expect("a report");
    // 10 GB at 0.1; or 5 at 0.05 and 5 at 0.01.
    assert_eq!(alone.serve - besides.serve, money("1") - money("0.3"));
}

#[test]
fn many_assets_share_the_tiers_of_transfer() {
    let mut older = asset();
    older.publication.published_at = Some("2025-12-31T23:59:59Z".into());
    let assets = [asset(), older, asset()];
    let sum = summary(&assets, &region(), "", &given(10, 1)).expect("a summary");
    // Ten views of 2.5 GB: 10 GB at 0.1, 10 at 0.05, 5 at 0.01.
    assert_eq!(sum.transferred, Bytes(25 * GB));
    let besides: Money = sum.assets.iter().map(|one| one.serve - one.transfer).sum();
    assert_eq!(sum.serve, besides + money("1.55"));
    assert_eq!(sum.make, sum.assets.iter().map(|one| one.make).sum());
    let months: Vec<_> = sum.months.iter().map(|(name, one)| (name.as_str(), one.assets)).collect();
    assert_eq!(months, [("2025-12", 1), ("2026-02", 2)]);
    let none = summary(&[], &region(), "", &given(10, 1)).expect("a summary");
    assert_eq!(none.total, Money(0));
}

#[test]
fn what_cannot_be_reckoned_is_refused() {
    let fault = |class: &str, given: &Assumptions| {
        report(&asset(), &region(), class, given).expect_err("refused")
    };
    let no_class = fault("GLACIER", &given(1, 1));
    assert!(matches!(&no_class, CostError::NoClass { class, .. } if class == "GLACIER"));
    let mut odd = given(1, 1);
    odd.shares_per_mille.insert("middle".into(), 1);
    assert!(matches!(fault("", &odd), CostError::NoRung { .. }));
    let mut odd = given(1, 1);
    odd.shares_per_mille.insert("high".into(), 749);
    assert_eq!(fault("", &odd), CostError::Shares(999));
    odd.shares_per_mille.insert("high".into(), u32::MAX);
    assert!(matches!(fault("", &odd), CostError::Shares(_)));
}

#[test]
fn an_asset_without_streams_or_times_has_a_report() {
    let mut json = empty();
    json["bytes"] = GB.into();
    let asset: AssetDocument = serde_json::from_value(json).expect("an asset");
    let mut given = given(10, 1);
    given.shares_per_mille.clear();
    let report = report(&asset, &region(), "STANDARD", &given).expect("a report");
    assert_eq!((report.keep, report.cpu_ms), (money("0.02"), None));
    assert!(report.renditions.is_empty());
}

#[test]
fn money_is_exact_and_readable() {
    assert_eq!(money("0.085").to_string(), "0.085000000");
    assert_eq!(
        format!("{:.2} {:.0} {:.2}", money("1.995"), money("1.5"), Money(-1)),
        "2.00 2 0.00"
    );
    assert_eq!(format!("{:.1}", Money(-1_250_000_000)), "-1.3");
    for wrong in ["", ".5", "1.", "-1", "1,5", "1e3", "0.0000000001", "1234567890123", "1.5 USD"] {
        assert!(wrong.parse::<Money>().is_err(), "{wrong}");
    }
    assert_eq!(serde_json::to_string(&money("1.5")).expect("JSON"), "\"1.500000000\"");
}

#[test]
fn price_files_that_do_not_add_up_are_refused() {
    let file = |region: Vec<Region>| PriceFile {
        dated: "2026-01-31".into(),
        currency: "USD".into(),
        source: String::new(),
        origin_fetches: 1,
        region,
    };
    assert_eq!(file(vec![region()]).faults(), Vec::<String>::new());
    let odd_date = PriceFile { dated: "31.1.2026".into(), ..file(vec![]) };
    assert_eq!(odd_date.faults().len(), 1);
    assert_eq!(file(vec![region(), region()]).faults(), ["region \"r\" is there twice"]);
    let with = |transfer: Vec<Tier>| {
        let mut region = region();
        region.cdn.transfer = transfer;
        file(vec![region]).faults().len()
    };
    let tier = |up_to_gb| Tier { up_to_gb, gb: Money(1) };
    assert_eq!(with(vec![]), 1);
    assert_eq!(with(vec![tier(Some(1))]), 1);
    assert_eq!(with(vec![tier(None), tier(None)]), 1);
    assert_eq!(with(vec![tier(Some(2)), tier(Some(2)), tier(None)]), 1);
    assert_eq!(with(vec![tier(Some(1)), tier(None)]), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn more_views_never_cost_less_and_nothing_overflows(
        views in 0..u64::MAX / 2, more in 0..u64::MAX / 2, months in 1..1200_u32, share in 0..=1000_u32
    ) {
        let mut given = given(views, months);
        given.shares_per_mille = [("low".to_owned(), share)].into();
        let few = report(&asset(), &region(), "", &given).expect("a report");
        given.views += more;
        let many = report(&asset(), &region(), "", &given).expect("a report");
        prop_assert!(many.serve >= few.serve, "{:?} {:?}", few.serve, many.serve);
        prop_assert_eq!(many.keep, few.keep);
    }
}
