//! What is served of a folder of packages, and to whom.

use std::net::{Ipv4Addr, SocketAddr};

use tempfile::TempDir;
use vodmill_api::token::Scope;
use vodmill_api::token::own::{Order, Secrets};
use vodmill_api::{KeySettings, Viewers};

use crate::client::{CLEAR, Demo, MULTIVARIANT, SEGMENT, ask_as, demo, demo_at, demo_with, now};
use crate::client::{ask, secret_file};
use crate::operators::{OPERATOR, SEGMENTER, credentials};

const TALK: &str = "/published/talk/g0001-11111111";
const SECRETS: &str = "s1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";

fn token(scope: &str, expires: u64) -> String {
    let scope = Scope::parse(scope).expect("a scope");
    Secrets::parse(SECRETS).expect("secrets").mint(&Order { scope, expires, address: None })
}

fn bearer(secret: &str) -> String {
    format!("authorization: Bearer {secret}\r\n")
}

/// A site that asks for tokens, and knows a segmenter and an operator.
fn guarded() -> (Demo, TempDir) {
    let folder = tempfile::tempdir().expect("scratch");
    let settings = KeySettings {
        viewers: Viewers::Tokens(secret_file(&folder, "tokens", SECRETS)),
        credentials: Some(credentials(&folder)),
        origins: vec!["https://www.example.org".to_owned()],
        ..KeySettings::default()
    };
    (demo_with(true, settings), folder)
}

#[test]
fn objects_of_a_generation_may_be_kept_for_ever_and_pointers_for_a_minute() {
    let demo = demo(false);
    for (path, kind, immutable) in [
        (format!("{TALK}/hls/low/000000.ts"), "video/mp2t", true),
        (format!("{TALK}/hls/low/index.m3u8"), "application/vnd.apple.mpegurl", true),
        (format!("{TALK}/subtitles/en.vtt"), "text/vtt; charset=utf-8", true),
        (format!("{TALK}/receipt.json"), "application/json", true),
        ("/published/talk/index.m3u8".to_owned(), "application/vnd.apple.mpegurl", false),
        ("/published/talk/asset.json".to_owned(), "application/json", false),
    ] {
        let answer = demo.get(&path);
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-type"), Some(kind), "{path}");
        let policy = answer.header("cache-control").expect("policy");
        let wanted =
            if immutable { "public, max-age=31536000, immutable" } else { "public, max-age=60" };
        assert_eq!(policy, wanted, "{path}");
    }
}

#[test]
fn parts_are_served() {
    let demo = demo(false);
    let path = format!("{TALK}/hls/low/000000.ts");
    let part = demo.ask("GET", &path, "range: bytes=4-7\r\n");
    assert_eq!((part.status, part.text().as_str()), (206, &SEGMENT[4..8]));
    assert_eq!(part.header("content-range"), Some("bytes 4-7/16"));
    assert_eq!(part.header("content-type"), Some("video/mp2t"));
    let end = demo.ask("GET", &path, "range: bytes=-4\r\n");
    assert_eq!((end.status, end.text().as_str()), (206, &SEGMENT[12..]));
    let beyond = demo.ask("GET", &path, "range: bytes=99-\r\n");
    assert_eq!((beyond.status, beyond.header("cache-control")), (416, Some("no-store")));
    let head = demo.ask("HEAD", &path, "");
    assert_eq!((head.status, head.header("content-length")), (200, Some("16")));
    assert!(head.body.is_empty());
    let date = head.header("last-modified").expect("a date").to_owned();
    let same = demo.ask("GET", &path, &format!("if-modified-since: {date}\r\n"));
    assert_eq!((same.status, same.body.len()), (304, 0));
}

/// Paths to what is there, but no object of a receipt, and to what is there under another path.
fn not_served() -> Vec<String> {
    let mut paths: Vec<String> = [
        "/published/../secret",
        "/published/%2e%2e/secret",
        "/published/talk/..%2f..%2fsecret",
        "/published//etc/passwd",
        "/published/%2fetc/passwd",
        "/published/stray.mp4",
        "/published/talk/notes.txt",
        "/published/other/index.m3u8",
        "/published/talk/g0009-99999999/hls/low/000000.ts",
        "/published/alias/asset.json",
        "/published/alias/g0001-11111111/hls/low/000000.ts",
        "/published/talk/%ff",
        "/published/Talk/asset.json",
        "/elsewhere/talk/asset.json",
    ]
    .map(str::to_owned)
    .into();
    for name in [
        "",
        "/",
        "/.scratch",
        "/a%00b",
        "/hls/low",
        "/hls/low/",
        "/hls/low/stray.ts",
        "/hls/low/link.ts",
        "/hls/low/000000.ts/",
        "/hls//low/000000.ts",
        "/hls/./low/000000.ts",
        "/hls/low/%2e%2e/low/000000.ts",
        "/HLS/low/000000.ts",
        "/hls/low/000000.ts%00",
        "/hls/low/000000.ts~",
        "/PRIVATE/mp4/web.mp4",
        "/Private/mp4/web.mp4",
        "/private",
        "/private/mp4/",
        "/private/mp4/stray.mp4",
        "/hls/../private/mp4/web.mp4",
        "/hls/%2e%2e/private/mp4/web.mp4",
    ] {
        paths.push(format!("{TALK}{name}"));
    }
    paths
}

#[test]
fn what_no_receipt_lists_is_not_there() {
    let demo = demo(false);
    assert!(demo.home.path().join("secret").exists());
    for path in not_served() {
        for method in ["GET", "HEAD"] {
            let answer = demo.ask(method, &path, "");
            assert!((400..500).contains(&answer.status), "{path}: {}", answer.status);
            assert!(!answer.text().contains("not for you"), "{path}");
        }
    }
    for method in ["PUT", "POST", "DELETE", "PATCH", "BREW"] {
        assert_eq!(demo.ask(method, "/published/talk/asset.json", "").status, 405, "{method}");
    }
}

/// Ways to write the path of a private object.
const PRIVATE: [&str; 5] = [
    "/private/mp4/web.mp4",
    "/%70rivate/mp4/web.mp4",
    "/private%2Fmp4%2fweb.mp4",
    "/private/mp4/web.mp4?token=x",
    "/private/mp4/web%2emp4",
];

#[test]
fn private_objects_are_for_segmenters_alone() {
    let folder = tempfile::tempdir().expect("scratch");
    let open = KeySettings { credentials: Some(credentials(&folder)), ..KeySettings::default() };
    let (tokens, _folder) = guarded();
    let all = token("*", now() + 60);
    for demo in [demo_with(false, open), tokens] {
        for path in PRIVATE.map(|name| format!("{TALK}{name}")) {
            for header in [String::new(), bearer(&all), bearer(OPERATOR), bearer("x")] {
                let range = format!("{header}range: bytes=0-3\r\n");
                for headers in [&header, &range] {
                    let answer = demo.ask("GET", &path, headers);
                    assert_eq!(answer.status, 403, "{path} {header}");
                    assert!(!answer.text().contains("clear"), "{path}");
                    assert_eq!(answer.header("cache-control"), Some("no-store"));
                }
                assert_eq!(demo.ask("HEAD", &path, &header).status, 403, "{path} {header}");
            }
            let answer = demo.ask("GET", &path, &bearer(SEGMENTER));
            assert_eq!((answer.status, answer.text().as_str()), (200, CLEAR), "{path}");
            let policy = answer.header("cache-control").expect("policy");
            assert!(policy.starts_with("private, "), "{policy}");
        }
    }
}

#[test]
fn every_object_takes_a_token_where_viewers_do() {
    let (demo, _folder) = guarded();
    let good = token("talk", now() + 60);
    let objects = ["/published/talk/index.m3u8", "/published/talk/asset.json"];
    let segment = format!("{TALK}/hls/low/000000.ts");
    for path in objects.into_iter().chain([segment.as_str()]) {
        for (header, status, why) in [
            (String::new(), 401, "a token is needed\n"),
            (bearer(&token("talk", now())), 401, "the token has expired\n"),
            (bearer(&token("film", now() + 60)), 403, "the token is for another asset\n"),
            (bearer(SEGMENTER), 401, "the token is malformed\n"),
        ] {
            let answer = demo.ask("GET", path, &header);
            assert_eq!((answer.status, answer.text().as_str()), (status, why), "{path}");
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert_eq!(demo.ask("HEAD", path, &header).status, status, "{path}");
        }
        for header in [bearer(&good), format!("cookie: vodmill_key={good}\r\n")] {
            let origin = format!("{header}origin: https://www.example.org\r\n");
            let answer = demo.ask("GET", path, &origin);
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
            let policy = answer.header("cache-control").expect("policy");
            assert!(policy.starts_with("private, "), "{path}: {policy}");
            let page = answer.header("access-control-allow-origin");
            assert_eq!(page, Some("https://www.example.org"));
            let evil = demo.ask("GET", path, &format!("{header}origin: https://evil.example\r\n"));
            assert_eq!(evil.header("access-control-allow-origin"), None);
        }
    }
    // Nobody learns what is there.
    for path in ["/published/none/asset.json", "/none/talk/asset.json", "/published/x", "/x/y/z"] {
        assert_eq!(demo.get(path).status, 401, "{path}");
    }
    for path in not_served() {
        let answer = demo.ask("GET", &path, &bearer(&token("*", now() + 60)));
        assert!((400..500).contains(&answer.status), "{path}: {}", answer.status);
        assert!(!answer.text().contains("not for you"), "{path}");
    }
}

#[test]
fn receipts_are_for_programs_where_viewers_are_asked() {
    let (demo, _folder) = guarded();
    let path = format!("{TALK}/receipt.json");
    assert_eq!(demo.get(&path).status, 401);
    assert_eq!(demo.ask("GET", &path, &bearer(&token("talk", now() + 60))).status, 403);
    for secret in [SEGMENTER, OPERATOR] {
        assert_eq!(demo.ask("GET", &path, &bearer(secret)).status, 200);
    }
}

#[test]
fn a_token_in_the_query_goes_into_every_uri() {
    let (demo, _folder) = guarded();
    let good = token("film", now() + 60);
    let path = "/published/film/index.m3u8";
    let answer = demo.get(&format!("{path}?token={good}"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), Some("private, no-store"));
    let text = MULTIVARIANT.replace(".m3u8\n", &format!(".m3u8?token={good}\n"));
    assert_eq!(answer.text(), text);
    let media = "/published/film/g0001-44122a99/hls/low/index.m3u8";
    let text = demo.get(&format!("{media}?x=1&token={good}")).text();
    assert!(text.contains(&format!("\n000000.ts?token={good}\n")), "{text}");
    assert!(text.contains(&format!("\"https://keys.example/k/1?v=1&token={good}\"")), "{text}");
    // A header comes with the next request by itself.
    let plain = demo.ask("GET", path, &bearer(&good));
    assert_eq!(plain.text(), MULTIVARIANT);
}

#[test]
fn pages_are_for_those_who_may_have_the_asset() {
    let (demo, _folder) = guarded();
    let good = token("talk", now() + 60);
    for (path, status, says) in [
        ("/".to_owned(), 401, "401: a token is needed"),
        ("/play/published/talk".to_owned(), 401, "401: a token is needed"),
        ("/play/published/none".to_owned(), 401, "401: a token is needed"),
        (format!("/play/published/film?token={good}"), 403, "403: the token is for another asset"),
        (format!("/play/published/talk?token={good}"), 200, "data-base=\"/published/talk\""),
        (format!("/play/published/none?token={}", token("*", now() + 60)), 404, "404: "),
    ] {
        let answer = demo.get(&path);
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.text().contains(says), "{path}: {}", answer.text());
        assert_eq!(answer.header("cache-control"), Some("private, no-store"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    }
    let list = demo.get(&format!("/?token={good}")).text();
    assert!(list.contains(&format!("/play/published/talk?token={good}\"")), "{list}");
    assert!(!list.contains("film"), "{list}");
}

/// A name that a stranger owns leads to this machine: his page is then of the same origin.
#[test]
fn a_local_server_is_asked_by_no_strange_name() {
    let demo = demo(false);
    let address = demo.server.address();
    let key = format!("/k/{}", demo.keys.periods[0].kid);
    let segment = format!("{TALK}/hls/low/000000.ts");
    for path in [
        key.as_str(),
        &segment,
        "/",
        "/play/published/talk",
        "/player.js",
        "/gate",
        "/none",
        "/v/talks/talk/index.m3u8",
        "/v1/keys",
    ] {
        for host in ["evil.example", "evil.example:8480", "127.0.0.1.evil.example", "192.0.2.1"] {
            for method in ["GET", "HEAD", "OPTIONS", "POST"] {
                let answer = ask_as(host, address, method, path, "", "");
                assert_eq!(answer.status, 421, "{method} {host} {path}");
            }
        }
    }
    let twice = ask_as("localhost", address, "GET", &key, "host: evil.example\r\n", "");
    assert_eq!(twice.status, 400);
    let whole = ask_as("localhost", address, "GET", &format!("http://evil.example{key}"), "", "");
    assert_eq!(whole.status, 421);
    for host in ["127.0.0.1", "localhost:8480", "[::1]:1"] {
        assert_eq!(ask_as(host, address, "GET", &key, "", "").status, 200, "{host}");
    }
}

#[test]
fn pages_of_strangers_read_nothing_of_a_local_server() {
    let demo = demo(false);
    let key = format!("/k/{}", demo.keys.periods[0].kid);
    for path in [key.as_str(), "/published/talk/asset.json", "/v/talks/talk/index.m3u8", "/"] {
        for origin in ["https://evil.example", "null", "http://localhost.evil.example"] {
            for method in ["GET", "HEAD", "OPTIONS"] {
                let headers = format!("origin: {origin}\r\naccess-control-request-method: GET\r\n");
                let answer = demo.ask(method, path, &headers);
                assert_eq!(answer.status, 403, "{method} {origin} {path}");
                assert_eq!(answer.header("access-control-allow-origin"), None);
            }
        }
        for origin in ["http://127.0.0.1:3000", "http://localhost:1"] {
            let answer = demo.ask("GET", path, &format!("origin: {origin}\r\n"));
            assert_eq!(answer.status, 200, "{origin} {path}");
            assert_eq!(answer.header("access-control-allow-origin"), Some(origin), "{path}");
        }
    }
}

/// What a network gets from a server that is open to it: everything but what is for no viewer.
#[test]
fn an_open_server_is_open_to_every_page() {
    let anywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let demo = demo_at(false, KeySettings::default(), anywhere, None);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, demo.server.address().port()));
    let origin = "origin: https://www.example.org\r\n";
    let segment = format!("{TALK}/hls/low/000000.ts");
    let answer = ask_as("media.example.org", address, "GET", &segment, origin, "");
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, Some("*")));
    let private = format!("{TALK}/private/mp4/web.mp4");
    assert_eq!(ask(address, "GET", &private, "", "").status, 403);
}
