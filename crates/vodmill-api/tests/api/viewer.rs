//! Playlists for a viewer.

use crate::client::{MULTIVARIANT, demo};

#[test]
fn segments_are_signed_and_keys_get_the_token() {
    let demo = demo(false);
    let answer = demo.get("/v/talks/a%20talk*/g1/hls/low/index.m3u8?x=1&token=t%3D1.a-b_c");
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/vnd.apple.mpegurl"));
    assert_eq!(answer.header("cache-control"), Some("private, no-store"));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let text = answer.text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[1],
        "#EXT-X-KEY:METHOD=AES-128,URI=\"https://keys.example/k/1?v=1&token=t%3D1.a-b_c\",IV=0x1"
    );
    // The name of an asset is no wildcard.
    let folder = "https://cdn.example/tv/a%20talk%2A/g1/hls/low/";
    let query = lines[3].strip_prefix(&format!("{folder}000000.ts?")).expect("its URL");
    let names: Vec<&str> = query.split('&').filter_map(|pair| pair.split('=').next()).collect();
    assert_eq!(names, ["Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm"]);
    let policy = decode(query.split(['=', '&']).nth(1).expect("a policy"));
    let start = format!("{{\"Statement\":[{{\"Resource\":\"{folder}*\",\"Condition\":{{\"DateLess");
    assert!(policy.starts_with(&start), "{policy}");
    assert_eq!((lines[0], lines[2], lines[4]), ("#EXTM3U", "#EXTINF:6.000000,", "#EXT-X-ENDLIST"));
}

/// Base64 in CloudFront's alphabet.
fn decode(text: &str) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-~";
    let mut bits = 0_u32;
    let mut bytes = Vec::new();
    for (count, letter) in text.bytes().filter(|&byte| byte != b'_').enumerate() {
        let value = alphabet.iter().position(|&one| one == letter).expect("a letter");
        bits = bits << 6 | value as u32;
        if count % 4 > 0 {
            bytes.push((bits >> (6 - 2 * (count % 4))) as u8);
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn other_playlists_are_asked_for_here_again() {
    let demo = demo(false);
    let with = demo.get("/v/talks/a%20talk*/index.m3u8?token=abc").text();
    let wanted = "g1/hls/low/index.m3u8?token=abc\n";
    assert_eq!(with, MULTIVARIANT.replace("g1/hls/low/index.m3u8\n", wanted));
    assert_eq!(demo.get("/v/talks/a%20talk*/index.m3u8").text(), MULTIVARIANT);
}

#[test]
fn nothing_but_playlists_is_served_and_refusals_say_why() {
    let demo = demo(false);
    for (path, status) in [
        ("/v/talks/talk/g1/hls/low/000000.ts", 404),
        ("/v/talks/talk/asset.json", 404),
        ("/v/talks/talk/none.m3u8", 404),
        ("/v/talks/talk/../../secret.m3u8", 404),
        ("/v/talks/talk/..%2f..%2fsecret.m3u8", 404),
        ("/v/talks/%2fetc/passwd.m3u8", 404),
        ("/v/talks/.hidden/index.m3u8", 404),
        ("/v/other/talk/index.m3u8", 404),
        ("/v/talks/talk/index.m3u8?token=a\"b", 400),
        ("/v/talks/talk/index.m3u8?token=<script>", 400),
        ("/v/talks/talk/torn.m3u8", 500),
        ("/v/away/talk/index.m3u8", 503),
    ] {
        let answer = demo.get(path);
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        assert!(!answer.text().contains("token="), "{path}");
    }
    let long = format!("/v/talks/talk/index.m3u8?token={}", "a".repeat(4097));
    assert_eq!(demo.get(&long).status, 400);
    assert_eq!(demo.ask("POST", "/v/talks/talk/index.m3u8", "").status, 405);
}
