//! `vodmill sign` and `vodmill cost`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::golden::vodmill;

const KEY: &str = include_str!("../../../vodmill-delivery/tests/keys/rsa-pkcs1.pem");
const TABLE: &str = include_str!("../../../vodmill-delivery/tests/golden/cloudfront.tsv");

/// A home that can sign, with one published asset.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("scratch");
    write(
        home.path(),
        "vodmill.toml",
        "[delivery]\nkey_pair_id = \"K2JCJMDEHXQW5F\"\nprivate_key_file = \"cloudfront.pem\"\nhash = \"sha1\"\n",
    );
    write(home.path(), "cloudfront.pem", KEY);
    let pipeline = "ladder = \"\"\nmp4 = [\"phone\"]\ndestination = \"published/tv\"\n";
    let delivery = "[delivery]\nbase_url = \"https://cdn.example/tv\"\n";
    write(home.path(), "pipelines/tv.toml", &format!("{pipeline}{delivery}"));
    let other = pipeline.replace("published/tv", "published/other");
    write(home.path(), "pipelines/other.toml", &other);
    write(home.path(), "published/tv/talk/asset.json", &asset("talk").to_string());
    home
}

fn asset(name: &str) -> Value {
    json!({
        "version": 2, "asset": name, "generation": "g0001-00000000", "pipeline": "tv",
        "duration_ms": 3_600_000, "frames": 90_000, "frame_rate": "25",
        "bytes": 1_u64 << 30, "objects": 1000, "encode_cpu_ms": 7_200_000, "package_cpu_ms": 0,
        "published_at": "2026-01-02T03:04:05Z", "repairs": [],
        "original": {"name": "talk.mp4", "container": "mov", "bytes": 1, "sha256": "", "tracks": []},
        "built_by": {"vodmill": "0.1.0", "libav": ""},
        "outputs": [{
            "kind": "hls", "playlist": "index.m3u8", "container": "ts", "encrypted": true,
            "target_duration_s": 6, "segments": 600,
            "variants": [
                variant("low", (640, 360), 200_000_000, "a"),
                variant("high", (1280, 720), 800_000_000, "b"),
            ],
        }],
    })
}

fn variant(name: &str, (width, height): (u32, u32), bytes: u64, encode: &str) -> Value {
    json!({
        "name": name, "width": width, "height": height, "bytes": bytes, "encode": encode,
        "codecs": [], "bitrate": 0, "peak_bitrate": 0, "playlist": "low/index.m3u8",
    })
}

fn write(home: &Path, name: &str, text: &str) {
    let path = home.join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("folder");
    fs::write(&path, text).expect("file");
    let private = fs::Permissions::from_mode(0o600);
    fs::set_permissions(path, private).expect("permissions");
}

/// What it prints, or with what it ends and what it says.
fn says(home: &Path, arguments: &[&str]) -> Result<String, (i32, String)> {
    let output = vodmill(home, arguments);
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout).expect("text")),
        false => {
            let code = output.status.code().expect("a code");
            Err((code, String::from_utf8_lossy(&output.stderr).into_owned()))
        }
    }
}

#[test]
fn a_url_is_signed_as_botocore_does() {
    let home = home();
    let row = TABLE.lines().find(|row| row.contains("\t2147483647\t")).expect("a row");
    let cells: Vec<&str> = row.split('\t').collect();
    assert_eq!(&cells[..2], ["rsa", "sha1"]);
    let signed = says(home.path(), &["sign", cells[2], "--expires", cells[4]]).expect("signed");
    assert_eq!(signed.trim_end(), cells[7]);
}

#[test]
fn an_asset_gets_cookies_for_all_of_it() {
    let home = home();
    let cookies =
        says(home.path(), &["sign", "talk", "--for", "6h", "--cookies"]).expect("cookies");
    let names: Vec<&str> = cookies.lines().filter_map(|line| line.split('=').next()).collect();
    let wanted = ["Policy", "Signature", "Key-Pair-Id"];
    assert_eq!(names, wanted.map(|name| format!("Set-Cookie: CloudFront-{name}")));
    assert!(cookies.lines().all(|line| line.ends_with("; Path=/tv/talk/; Secure; HttpOnly")));
    let url = says(home.path(), &["sign", "talk", "--for", "6h"]).expect("a URL");
    assert!(url.starts_with("https://cdn.example/tv/talk/index.m3u8?Expires="), "{url}");
    // Not published, but its pipeline is named: then nothing is looked up.
    let named = says(home.path(), &["sign", "a b", "--pipeline", "tv", "--for", "1m"]);
    assert!(named.expect("a URL").starts_with("https://cdn.example/tv/a%20b/index.m3u8?"));
}

#[test]
fn what_cannot_be_signed_is_said() {
    let home = home();
    let fault = |arguments: &[&str], wanted: &str| {
        let (code, why) = says(home.path(), &[&["sign"], arguments].concat()).expect_err("refused");
        assert_eq!(code, 2, "{arguments:?}: {why}");
        assert!(why.contains(wanted), "{arguments:?}: {why}");
        assert!(!why.contains("PRIVATE KEY"), "{why}");
    };
    fault(&["talk"], "--for");
    fault(&["other", "--for", "6h"], "no pipeline has published \"other\"");
    fault(&["talk", "--pipeline", "other", "--for", "6h"], "no base_url under [delivery]");
    fault(&["https://h/a b", "--for", "6h"], "must be percent-encoded");
    fault(&["https://h/a", "--expires", "1"], "ended already");
    fault(&["https://h/a", "--expires", "2147483648"], "later than CloudFront takes");
    fault(&["https://h/a", "--for", "6h", "--address", "::1"], "IPv4 only");
    fault(&["https://h/a", "--for", "6h", "--wildcard", "https://h/b*"], "does not cover");
    let key = home.path().join("cloudfront.pem");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).expect("permissions");
    let (code, why) = says(home.path(), &["sign", "https://h/a", "--for", "1m"]).expect_err("open");
    assert!(code == 1 && why.contains("chmod 600"), "{why}");
    write(home.path(), "cloudfront.pem", "no key");
    let (code, why) = says(home.path(), &["sign", "talk", "--for", "6h"]).expect_err("no key");
    assert_eq!(code, 1);
    assert!(why.contains("cloudfront.pem") && why.contains("holds no private key"), "{why}");
    write(home.path(), "vodmill.toml", "[delivery]\nkey_pair_id = \"K 1\"\ntoken = \"a&b\"\n");
    let (_, why) = says(home.path(), &["sign", "talk", "--for", "6h"]).expect_err("invalid");
    assert!(why.contains("3 problems"), "{why}");
    write(home.path(), "vodmill.toml", "");
    fault(&["talk", "--for", "6h"], "key_pair_id and private_key_file are not set");
}

#[test]
fn what_an_asset_costs_is_reported() {
    let home = home();
    let arguments = ["cost", "talk", "--views", "1000", "--region", "us-east-1"];
    let text = says(home.path(), &arguments).expect("a report");
    assert!(text.starts_with("Prices in USD of 2025-06-01, us-east-1"), "{text}");
    // Two hours of a core at 0.03625, 1002 writes at 0.005 a thousand.
    assert!(text.contains("make   0.0775"), "{text}");
    assert!(text.contains("602 requests in an hour of viewing"), "{text}");
    assert!(text.contains("low pays: saves"), "{text}");
    let shares = ["--share", "low=100", "--share", "high=0", "--json"];
    let json = says(home.path(), &[&arguments[..], &shares].concat()).expect("a report");
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["make"], "0.077510000");
    assert_eq!(json["transferred"], 200_000_000_000_u64);
    assert_eq!(json["assumptions"]["shares_per_mille"]["low"], 1000);
    assert_eq!(json["renditions"][0]["saving"]["instead"], "high");
}

#[test]
fn what_a_pipeline_costs_is_the_sum_of_its_assets() {
    let home = home();
    write(home.path(), "published/tv/more/film/asset.json", &asset("more/film").to_string());
    let arguments = ["cost", "tv", "--views", "10", "--region", "eu-central-1"];
    let json = says(home.path(), &[&arguments[..], &["--json"]].concat()).expect("a report");
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["assets"].as_array().map(Vec::len), Some(2));
    assert_eq!(json["months"]["2026-01"]["assets"], 2);
    let text = says(home.path(), &arguments).expect("a report");
    assert!(text.contains("more/film") && text.contains("2026-01"), "{text}");
}

#[test]
fn price_files_are_validated_whole() {
    let home = home();
    let arguments = ["cost", "talk", "--views", "1", "--region", "r"];
    let prices = "dated = \"today\"\ncurrency = \"EUR\"\norigin_fetches = 1\n\
                  [[region]]\nname = \"r\"\ncore_hour = \"0.1\"\n\
                  [[region.storage]]\nclass = \"STANDARD\"\ngb_month = \"0\"\nputs_1000 = \"0\"\ngets_1000 = \"0\"\n\
                  [region.cdn]\nrequests_10000 = \"0\"\ntransfer = [{ gb = \"0.01\" }]\n";
    write(home.path(), "prices.toml", prices);
    let given = [&arguments[..], &["--prices", "prices.toml"]].concat();
    let (code, why) = says(home.path(), &given).expect_err("no date");
    assert!(code == 2 && why.contains("`dated`: \"today\" is no day"), "{why}");
    write(home.path(), "prices.toml", &prices.replace("today", "2026-01-01"));
    assert!(says(home.path(), &given).expect("a report").contains("Prices in EUR of 2026-01-01"));
    write(home.path(), "prices.toml", &prices.replace("\"0.01\"", "0.01").replace("class", "clas"));
    let (_, why) = says(home.path(), &given).expect_err("two faults");
    assert!(why.contains("prices.toml:8: unknown field `clas`"), "{why}");
    assert!(why.contains("`gb` must be text"), "{why}");
    let (_, why) = says(home.path(), &arguments).expect_err("no region");
    assert!(why.contains("there are us-east-1, eu-central-1, ap-northeast-1"), "{why}");
}
