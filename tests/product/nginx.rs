//! The set-up of docs/examples/nginx, as it stands there but for addresses: a bucket that nobody else
//! reads, nginx before it, keys and viewers' playlists behind it.

use std::fs;
use std::path::Path;
use std::process::Command;

use vodmill_tests::cases::case;
use vodmill_tests::m3u8::uris;
use vodmill_tests::product::{Daemon, Home, SMALL_LADDER, SMALL_MP4};
use vodmill_tests::services::{Cloud, Nginx, Reply, free_ports};
use vodmill_tests::tools::succeeded;

use crate::browser::plays_from_page_on;
use crate::key_server::{is_up, token};

const BUCKET: &str = "media-out";

/// The bucket lets 127.0.0.2 read; all others of this machine are 127.0.0.1.
const READER: &str = "127.0.0.2";

struct House {
    nginx: Nginx,
    daemon: Daemon,
    home: Home,
    cloud: Cloud,
    port: u16,
    page: u16,
}

/// The addresses of the documentation, and those of the test.
struct Addresses(Vec<(String, String)>);

impl Addresses {
    fn new(cloud: &Cloud, nginx: u16, daemon: u16, page: u16) -> Addresses {
        let store = cloud.endpoint().trim_start_matches("http://").to_owned();
        let pair = |from: &str, to: String| (from.to_owned(), to);
        Addresses(vec![
            pair("https://media.example.org", format!("https://127.0.0.1:{nginx}")),
            pair("https://www.example.org", format!("http://127.0.0.1:{page}")),
            pair("listen 443 ", format!("listen 127.0.0.1:{nginx} ")),
            pair("store.example.org:9000", store),
            pair("192.0.2.10", READER.to_owned()),
            pair("127.0.0.1:8480", format!("127.0.0.1:{daemon}")),
        ])
    }

    /// A file of the documentation with addresses of the test.
    fn read(&self, name: &str) -> String {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples/nginx");
        let text = fs::read_to_string(folder.join(name)).expect("a file of the documentation");
        self.0.iter().fold(text, |text, (from, to)| text.replace(from, to))
    }
}

impl House {
    /// Servers, and an encrypted film and a clear clip in the bucket.
    fn new() -> House {
        let cloud = Cloud::seaweedfs();
        let (port, daemon, page) = (free_ports(1), free_ports(1), free_ports(1));
        let addresses = Addresses::new(&cloud, port, daemon, page);
        cloud.make(BUCKET);
        cloud.policy(BUCKET, &addresses.read("bucket-policy.json"));
        let mut home = Home::new();
        for (name, value) in cloud.account() {
            home.set(name, value);
        }
        home.write("presets/hls.toml", SMALL_LADDER);
        home.write("presets/web.toml", SMALL_MP4);
        home.write("vodmill.toml", &addresses.read("vodmill.toml"));
        let tv = addresses.read("pipelines/tv.toml");
        home.write("pipelines/tv.toml", &tv);
        let clear = tv.split("[encryption]").next().expect("a pipeline");
        home.write("pipelines/clips.toml", clear);
        for (pipeline, file) in [("tv", "film.mp4"), ("clips", "good.mp4")] {
            let file = case(file);
            let file = file.to_str().expect("a path of ours");
            let ended = home.vodmill(&["run", "--pipeline", pipeline, file]);
            assert_eq!(ended.code, 0, "{ended:?}");
        }
        let server = Daemon::start(&home, &[]);
        is_up(daemon);
        let nginx = Nginx::start(&addresses.read("nginx.conf"), port);
        House { nginx, daemon: server, home, cloud, port, page }
    }

    /// The one object below `asset` whose name ends so, as a path at nginx.
    fn object(&self, asset: &str, end: &str) -> String {
        let objects = self.cloud.list(BUCKET, &format!("tv/{asset}/"));
        let found = objects.into_keys().find(|key| key.ends_with(end));
        format!("/{}", found.unwrap_or_else(|| panic!("{asset}: no {end}")))
    }

    fn stored(&self, path: &str) -> Vec<u8> {
        self.cloud.read(BUCKET, &path[1..])
    }

    /// Whether the last answer for this path came from the cache.
    fn was_cached(&self, path: &str) -> bool {
        let log = self.nginx.said();
        let mut lines = log.lines().filter(|line| line.contains(&format!(" GET /{BUCKET}{path} ")));
        lines.next_back().is_some_and(|line| line.contains(" HIT "))
    }
}

fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}\r\n")
}

fn said(reply: &Reply) -> (u16, String) {
    (reply.status, reply.text())
}

#[test]
fn from_the_bucket_to_the_browser() {
    let house = House::new();
    let good = token(&house.home, "film", "1h");
    let all = token(&house.home, "*", "1h");
    only_nginx_reads(&house);
    tokens_let_in(&house, &good);
    let refused = others_are_told_why_not(&house, &good);
    private_is_for_nobody(&house, &all);
    pages_may_read(&house, &good);
    files_are_read_in_parts(&house, &all);
    plays(&house, &good);
    caches_outlive_the_store(&house, &good);
    let logs = house.nginx.said() + &house.daemon.log();
    for secret in refused.iter().chain([&good, &all]) {
        assert!(!logs.contains(secret.as_str()), "a token is in a log");
    }
}

/// Nobody but nginx, though it shows no credentials.
fn only_nginx_reads(house: &House) {
    let pointer = house.object("film", "/index.m3u8");
    let url = format!("{}/{BUCKET}{pointer}", house.cloud.endpoint());
    let mut command = Command::new("ffmpeg");
    let output = command.args(["-nostdin", "-v", "error", "-i", &url, "-f", "null", "-"]).output();
    let said = String::from_utf8_lossy(&output.expect("ffmpeg runs").stderr).into_owned();
    assert!(said.contains("403"), "{said}");
}

fn tokens_let_in(house: &House, good: &str) {
    let pointer = "/tv/film/index.m3u8";
    for (query, header) in [
        (String::new(), bearer(good)),
        (String::new(), format!("cookie: a=b; vodmill_key={good}\r\n")),
        (format!("?token={good}"), String::new()),
    ] {
        let reply = house.nginx.get(&format!("{pointer}{query}"), &header);
        assert_eq!(reply.status, 200, "{header}: {reply:?}");
        assert_eq!(reply.header("cache-control"), Some("public, max-age=60"));
        assert_eq!(reply.header("content-type"), Some("application/vnd.apple.mpegurl"));
        assert_eq!(reply.body, house.stored(pointer));
    }
    assert!(house.was_cached(pointer), "{}", house.nginx.said());
    let segment = house.object("film", ".ts");
    for cached in [false, true] {
        let reply = house.nginx.get(&segment, &bearer(good));
        assert_eq!((reply.status, &reply.body), (200, &house.stored(&segment)));
        assert_eq!(reply.header("cache-control"), Some("public, max-age=31536000, immutable"));
        assert_eq!(reply.header("content-type"), Some("video/mp2t"));
        assert_eq!(house.was_cached(&segment), cached, "{}", house.nginx.said());
    }
    let head = house.nginx.ask("HEAD", &segment, &bearer(good));
    assert!(head.status == 200 && head.body.is_empty(), "{head:?}");
}

/// What was asked before, and is in the cache, takes a token all the same.
fn others_are_told_why_not(house: &House, good: &str) -> [String; 2] {
    let (expired, foreign) = (token(&house.home, "film", "0s"), token(&house.home, "good", "1h"));
    for path in ["/tv/film/index.m3u8", house.object("film", ".ts").as_str()] {
        for (header, status, why) in [
            (String::new(), 401, "a token is needed\n"),
            (bearer(&expired), 401, "the token has expired\n"),
            (bearer(&foreign), 403, "the token is for another asset\n"),
            (bearer("nonsense"), 401, "the token is malformed\n"),
        ] {
            let reply = house.nginx.get(path, &header);
            assert_eq!(said(&reply), (status, why.to_owned()), "{header}");
            let log = house.daemon.log();
            let wanted = format!("status={status} reason=\"{}\"", why.trim_end());
            assert!(log.contains(&wanted), "{wanted}: {log}");
        }
    }
    for path in [
        "/tv/film/../good/index.m3u8",
        "/tv/film/%2e%2e/good/index.m3u8",
        "/tv/film%2f..%2fgood/index.m3u8",
        "/tv/film//../good/index.m3u8",
        "/tv/good/index.m3u8#/../film/index.m3u8",
        "/tv/good/index.m3u8?/tv/film/index.m3u8",
        "/film/index.m3u8",
        "/tv/film/none.m3u8",
        "/gate?below=/tv/",
        "/v1/generations",
        "/",
    ] {
        let reply = house.nginx.get(path, &bearer(good));
        let refused = matches!(reply.status, 400 | 403 | 404);
        assert!(refused && !reply.text().contains("Resource"), "{path}: {reply:?}");
    }
    let missing = house.object("film", "/000000.ts").replace("000000.ts", "999999.ts");
    let reply = house.nginx.get(&missing, &bearer(good));
    assert_eq!(said(&reply), (404, "there is nothing here\n".to_owned()));
    assert_eq!(house.nginx.ask("PUT", "/tv/film/index.m3u8", &bearer(good)).status, 405);
    [expired, foreign]
}

fn private_is_for_nobody(house: &House, all: &str) {
    let file = house.object("film", ".mp4");
    assert!(file.contains("/private/"), "{file}");
    for path in [file.clone(), file.replace("private", "%70rivate")] {
        let reply = house.nginx.get(&path, &bearer(all));
        assert_eq!(said(&reply), (404, "there is nothing here\n".to_owned()), "{path}");
    }
}

/// CORS: one origin, with cookies, of what is refused too.
fn pages_may_read(house: &House, good: &str) {
    let ours = format!("http://127.0.0.1:{}", house.page);
    for path in ["/tv/film/index.m3u8", "/v/tv/film/index.m3u8", "/k/0123"] {
        for (token, origin, allowed) in [
            (good, ours.as_str(), Some(ours.as_str())),
            ("none", ours.as_str(), Some(ours.as_str())),
            (good, "https://evil.example", None),
        ] {
            let headers = format!("{}origin: {origin}\r\n", bearer(token));
            let reply = house.nginx.get(path, &headers);
            assert_eq!(reply.header("access-control-allow-origin"), allowed, "{path}: {reply:?}");
            let cookies = reply.header("access-control-allow-credentials");
            assert_eq!(cookies, allowed.map(|_| "true"), "{path}");
        }
    }
    let preflight = format!("origin: {ours}\r\naccess-control-request-method: GET\r\n");
    let reply = house.nginx.ask("OPTIONS", "/tv/film/index.m3u8", &preflight);
    assert_eq!(reply.status, 204);
    let headers = reply.header("access-control-allow-headers").expect("headers");
    assert!(headers.contains("Authorization") && headers.contains("Range"), "{headers}");
}

fn files_are_read_in_parts(house: &House, all: &str) {
    let file = house.object("good", ".mp4");
    let bytes = house.stored(&file);
    let last = bytes.len() - 1;
    for (first, end) in [(0, 1), (100, 299), (last - 9, last)] {
        let range = format!("range: bytes={first}-{end}\r\n");
        let reply = house.nginx.get(&file, &format!("{}{range}", bearer(all)));
        assert_eq!((reply.status, &reply.body[..]), (206, &bytes[first..=end]), "{range}");
        let said = format!("bytes {first}-{end}/{}", bytes.len());
        assert_eq!(reply.header("content-range"), Some(said.as_str()));
    }
    assert!(house.was_cached(&file), "{}", house.nginx.said());
}

/// A player with a cookie, and one in a page that has nothing but the URL of a playlist.
fn plays(house: &House, good: &str) {
    let origin = format!("https://127.0.0.1:{}", house.port);
    let cookie = format!("Cookie: vodmill_key={good}\r\n");
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-xerror", "-headers", &cookie]);
    command.args([
        "-i",
        &format!("{origin}/tv/film/index.m3u8"),
        "-map",
        "0:v:0",
        "-f",
        "null",
        "-",
    ]);
    succeeded(&mut command).map_err(|why| panic!("{why}")).expect("it plays");
    let playlist = house.nginx.get(&format!("/v/tv/film/index.m3u8?token={good}"), "");
    assert_eq!(playlist.status, 200, "{playlist:?}");
    let variants = uris(&playlist.text());
    assert!(variants.iter().all(|uri| uri.ends_with(good)), "{variants:?}");
    let url = format!("{origin}/v/tv/film/index.m3u8?token={good}");
    plays_from_page_on(house.page, &url, 3);
}

/// The store is gone: what viewers have seen is there, and tokens are asked for all the same.
fn caches_outlive_the_store(house: &House, good: &str) {
    let segment = house.object("film", ".ts");
    house.cloud.stop();
    for path in ["/tv/film/index.m3u8", segment.as_str()] {
        assert_eq!(house.nginx.get(path, &bearer(good)).status, 200, "{}", house.nginx.said());
        assert_eq!(house.nginx.get(path, "").status, 401);
    }
}
