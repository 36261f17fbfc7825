use std::fs;
use std::path::Path;

use vodmill_regress::baseline::BaselineError;
use vodmill_regress::{Baseline, playlists};

use super::make::{baseline, each, quality};

#[test]
fn what_is_written_is_read_and_written_the_same() {
    let text = baseline().write();
    assert_eq!(Baseline::read(text.as_bytes()).expect("a baseline"), baseline());
    assert_eq!(text, baseline().write());
    assert!(
        text.contains(
            "\n          \"quality\": {\"p5\":92.0,\"slope\":200,\"ssim\":0.98,\"vmaf\":95.0}"
        ) || text.contains("\"quality\": {\"p5\":92.0,\"slope\":200,\"ssim\":0.98,\"vmaf\":95.0}"),
        "{text}"
    );
}

#[test]
fn other_versions_and_unknown_fields_are_refused() {
    let other = baseline().write().replace("\"version\": 1", "\"version\": 2");
    assert!(matches!(Baseline::read(other.as_bytes()), Err(BaselineError::Version(2))));
    let unknown = baseline().write().replace("\"version\": 1", "\"version\": 1, \"more\": 1");
    assert!(matches!(Baseline::read(unknown.as_bytes()), Err(BaselineError::Form(_))));
}

#[test]
fn slopes_are_learned_from_a_softer_encode_and_kept() {
    let mut now = baseline();
    each(&mut now, "hls/low", |low| low.quality.iter_mut().for_each(|it| it.slope = None));
    assert!(now.lacks_slopes());
    let mut softer = baseline();
    each(&mut softer, "hls/low", |low| {
        low.bytes.pictures = 80_000;
        low.quality = Some(quality(94_000, 90_000, 0.97));
    });
    now.learn_slopes(&softer.results);
    let slope = |baseline: &Baseline| {
        baseline.results["default"]["cuts"].streams["hls/low"].quality.and_then(|it| it.slope)
    };
    assert_eq!(slope(&now), Some(223), "ln(100/80) for a point");
    let mut later = baseline();
    each(&mut later, "hls/low", |low| low.quality.iter_mut().for_each(|it| it.slope = None));
    later.inherit(&now);
    assert_eq!(slope(&later), Some(223));
    assert!(!later.lacks_slopes());
}

#[test]
fn the_schema_is_published() {
    let schema = serde_json::to_string_pretty(&schemars::schema_for!(Baseline)).expect("JSON");
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = top.join("docs/schemas/regression-1.json");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, format!("{schema}\n")).expect("docs/schemas");
    }
    let published = fs::read_to_string(&path).expect("docs/schemas/regression-1.json");
    assert_eq!(published.trim_end(), schema, "scripts/golden writes it anew");
}

#[test]
fn playlists_are_told_without_what_changes_in_every_run() {
    let media = |kid: &str, iv: &str| {
        let key = format!("#EXT-X-KEY:METHOD=AES-128,URI=\"https://keys.example/{kid}\",IV=0x{iv}");
        format!(
            "#EXTM3U\n#EXT-X-VERSION:3\n{key}\n#EXTINF:6.0,\n0.ts\n{key}\n#EXTINF:6.0,\n1.ts\n#EXT-X-ENDLIST\n"
        )
    };
    let tags = playlists::tags(&media("aa", "01"), "g1");
    assert_eq!(tags, playlists::tags(&media("bb", "02"), "g1"));
    assert_eq!(tags["EXT-X-KEY"], "METHOD=AES-128,URI,IV 2 times");
    assert_eq!(tags["EXTINF"], "2 times");
    let top = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"avc1.64001F,mp4a.40.2\",RESOLUTION=2x2\ng1/hls/low/index.m3u8\n";
    let tags = playlists::tags(top, "g1");
    assert_eq!(
        tags["EXT-X-STREAM-INF hls/low/index.m3u8"],
        "BANDWIDTH,CODECS=\"avc1.64001F,mp4a.40.2\",RESOLUTION=2x2"
    );
}

#[test]
fn numbered_objects_are_one_kind() {
    let kinds = [
        "hls/low/000012.ts",
        "hls/1080p/init.mp4",
        "thumbnails/storyboard-003.jpg",
        "mp4/tv2.mp4",
        "x",
    ];
    let kinds = kinds.map(playlists::kind_of);
    assert_eq!(
        kinds,
        ["hls/low/*.ts", "hls/1080p/init.mp4", "thumbnails/storyboard-*.jpg", "mp4/tv2.mp4", "x"]
    );
}
