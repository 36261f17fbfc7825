//! Playlists for a viewer.

use tempfile::TempDir;
use vodmill_api::token::Scope;
use vodmill_api::token::own::{Order, Secrets};
use vodmill_api::{KeySettings, Viewers};

use crate::client::{Demo, MULTIVARIANT, demo, demo_with, now, secret_file};

#[test]
fn segments_are_signed_and_keys_get_the_token() {
    let demo = demo(false);
    let answer =
        demo.get("/v/talks/a%20talk*/g0001-22222222/hls/low/index.m3u8?x=1&token=t%3D1.a-b_c");
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/vnd.apple.mpegurl"));
    assert_eq!(answer.header("cache-control"), Some("private, no-store"));
    let text = answer.text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[1],
        "#EXT-X-KEY:METHOD=AES-128,URI=\"https://keys.example/k/1?v=1&token=t%3D1.a-b_c\",IV=0x1"
    );
    // The name of an asset is no wildcard.
    let folder = "https://cdn.example/tv/a%20talk%2A/g0001-22222222/hls/low/";
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
    let wanted = "g0001-22222222/hls/low/index.m3u8?token=abc\n";
    assert_eq!(with, MULTIVARIANT.replace("g0001-22222222/hls/low/index.m3u8\n", wanted));
    assert_eq!(demo.get("/v/talks/a%20talk*/index.m3u8").text(), MULTIVARIANT);
}

#[test]
fn nothing_but_playlists_is_served_and_refusals_say_why() {
    let demo = demo(false);
    for (path, status) in [
        ("/v/talks/talk/g0001-11111111/hls/low/000000.ts", 404),
        ("/v/talks/talk/asset.json", 404),
        ("/v/talks/talk/none.m3u8", 404),
        ("/v/talks/talk/../../secret.m3u8", 404),
        ("/v/talks/talk/..%2f..%2fsecret.m3u8", 404),
        ("/v/talks/%2fetc/passwd.m3u8", 404),
        ("/v/talks/.hidden/index.m3u8", 404),
        ("/v/other/talk/index.m3u8", 404),
        ("/v/talks/other/index.m3u8", 404),
        ("/v/talks/talk/g0009-99999999/hls/low/index.m3u8", 404),
        ("/v/talks/talk/g0001-11111111/private/index.m3u8", 404),
        ("/v/talks/talk/index.m3u8?token=a\"b", 400),
        ("/v/talks/talk/index.m3u8?token=<script>", 400),
        ("/v/talks/talk/g0001-11111111/hls/torn.m3u8", 500),
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

const SECRETS: &str = "s1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";

fn token(scope: &str, expires: u64, address: Option<&str>) -> String {
    let address = address.map(|text| text.parse().expect("an address"));
    let scope = Scope::parse(scope).expect("a scope");
    Secrets::parse(SECRETS).expect("secrets").mint(&Order { scope, expires, address })
}

/// A site that asks for tokens; with it the folder of its secrets.
fn guarded() -> (Demo, TempDir) {
    let folder = tempfile::tempdir().expect("scratch");
    let secrets = secret_file(&folder, "tokens", SECRETS);
    let origins = vec!["https://www.example.org".to_owned()];
    let query = "t".to_owned();
    let settings =
        KeySettings { viewers: Viewers::Tokens(secrets), origins, query, ..Default::default() };
    (demo_with(false, settings), folder)
}

#[test]
fn where_tokens_are_asked_for_playlists_take_one() {
    let (demo, _folder) = guarded();
    let media = "/v/talks/film/g0001-44122a99/hls/low/index.m3u8";
    let later = now() + 60;
    let good = token("film", later, Some("127.0.0.1"));
    for (path, token, status, reason) in [
        (media, String::new(), 401, "the token is malformed\n"),
        (media, token("film", now(), None), 401, "the token has expired\n"),
        (media, token("*", later, Some("192.0.2.1")), 403, "the token is for another address\n"),
        (media, token("fil", later, None), 403, "the token is for another asset\n"),
        (media, "x".repeat(5000), 401, "the token is too long\n"),
        ("/v/none/film/index.m3u8", good.clone(), 404, "there is no such playlist\n"),
        ("/v/talks/film/none.m3u8", good.clone(), 404, "there is no such playlist\n"),
        ("/v/talks/film/asset.json", good.clone(), 404, "there is no such playlist\n"),
    ] {
        let answer = demo.get(&format!("{path}?t={token}"));
        assert_eq!((answer.status, answer.text().as_str()), (status, reason), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    let answer =
        demo.ask("GET", &format!("{media}?t={good}"), "origin: https://www.example.org\r\n");
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://www.example.org"));
    let text = answer.text();
    assert!(text.contains(&format!("https://keys.example/k/1?v=1&t={good}\"")), "{text}");
    let policy = text.split("Policy=").nth(1).and_then(|rest| rest.split('&').next());
    let policy = decode(policy.expect("a policy"));
    // No longer than the token, and where it is good.
    assert!(policy.contains(&format!("{{\"AWS:EpochTime\":{later}}}")), "{policy}");
    assert!(policy.contains("{\"AWS:SourceIp\":\"127.0.0.1/32\"}"), "{policy}");
}

#[test]
fn a_proxy_is_told_who_may_pass() {
    let (demo, _folder) = guarded();
    let film = token("film", now() + 60, None);
    let ask = |uri: &str, token: &str| {
        let headers = format!("x-original-uri: {uri}\r\nauthorization: Bearer {token}\r\n");
        demo.ask("GET", "/gate?below=/tv/", &headers)
    };
    let object = "/tv/film/g0001-44122a99/hls/low/000000.ts";
    assert_eq!(ask(object, &film).status, 204);
    assert_eq!(ask("/tv/film/asset.json?x=1", &film).status, 204);
    let in_query = format!("x-original-uri: {object}?a=b&t={film}\r\n");
    assert_eq!(demo.ask("GET", "/gate?below=/tv/", &in_query).status, 204);
    for (uri, token, status, reason) in [
        (object, "", 401, "a token is needed"),
        (object, "x", 401, "the token is malformed"),
        (object, &token("film", now(), None), 401, "the token has expired"),
        (object, &token("other", now() + 60, None), 403, "the token is for another asset"),
        ("/tv/film/g0001-44122a99/private/mp4/a.mp4", &film, 403, "this is for no viewer"),
        ("/tv/film/g0001-44122a99/receipt.json", &film, 403, "this is for no viewer"),
        ("/tv/film/g0001-44122a99/%70rivate/a.mp4", &film, 403, "this is for no viewer"),
        ("/tv/other/../film/index.m3u8", &film, 403, "there is no asset at this path"),
        ("/tv/other%2F..%2Ffilm/index.m3u8", &film, 403, "there is no asset at this path"),
        ("/tv/film/index.m3u8#/../x", &film, 403, "there is no asset at this path"),
        ("/film/index.m3u8", &film, 403, "there is no asset at this path"),
        ("/tv/film/", &film, 403, "there is no asset at this path"),
    ] {
        let answer = ask(uri, token);
        assert_eq!((answer.status, answer.header("x-refusal")), (status, Some(reason)), "{uri}");
    }
    let none = demo.ask("GET", "/gate", "");
    assert_eq!((none.status, none.text().as_str()), (400, "X-Original-URI is missing\n"));
}
