//! An encrypted asset behind the key server: who has a token plays, who has none does not.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use vodmill_tests::cases::case;
use vodmill_tests::m3u8::uris;
use vodmill_tests::product::{Daemon, Home, Passes, tree, wait_until};
use vodmill_tests::services::{Cloud, free_ports};

use crate::browser::{Page, hls_js, pages_say};

const PATIENCE: Duration = Duration::from_secs(60);

/// A home that publishes below a key server of this port, which asks for tokens.
fn home(port: u16) -> Home {
    let home = Home::quick("", true);
    let key_server = "viewers = \"token\"\norigins = [\"*\"]\nfresh_seconds = 1\n";
    home.write("vodmill.toml", &format!("settle_seconds = 1\n[key_server]\n{key_server}"));
    let text = fs::read_to_string(home.at("pipelines/default.toml")).expect("the pipeline");
    let text = text.replace("127.0.0.1:8480", &format!("127.0.0.1:{port}"));
    home.write(
        "pipelines/default.toml",
        &text.replace("segments_per_key", "key_max_age = 60\nsegments_per_key"),
    );
    home
}

pub fn token(home: &Home, asset: &str, time: &str) -> String {
    let ended = home.vodmill(&["keys", "token", "--asset", asset, "--for", time]);
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.out.trim().to_owned()
}

pub fn is_up(port: u16) {
    wait_until("it listens", PATIENCE, || TcpStream::connect(("127.0.0.1", port)).ok());
}

/// Status line with headers, and body.
pub fn ask(port: u16, path: &str, header: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connect");
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{header}\r\n");
    // The server may have heard enough before the end.
    let _ = stream.write_all(request.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("headers");
    (String::from_utf8_lossy(&answer[..end]).into_owned(), answer.split_off(end + 4))
}

/// A player that is none of ours.
fn ffmpeg(url: &str, header: &str) -> Output {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-xerror", "-headers", header, "-i", url]);
    command.args(["-map", "0:v:0", "-f", "null", "-"]).output().expect("ffmpeg runs")
}

fn name(asset: &Path) -> &str {
    asset.file_name().and_then(|name| name.to_str()).expect("a name")
}

#[test]
fn a_token_plays_and_no_other_does_before_and_after_rekey() {
    let port = free_ports(1);
    let home = home(port);
    let asset = home.publish(&case("film.mp4"));
    let name = name(&asset);
    let (address, hls_js) = (format!("127.0.0.1:{port}"), hls_js());
    let hls_js = hls_js.to_str().expect("a path of ours");
    let daemon = Daemon::start(&home, &["--serve", &address, "--player-js", hls_js]);
    is_up(port);
    let url = format!("http://127.0.0.1:{port}/published/{name}/index.m3u8");
    let good = token(&home, name, "1h");
    let bearer = |token: &str| format!("Authorization: Bearer {token}\r\n");
    let played = ffmpeg(&url, &bearer(&good));
    assert!(played.status.success(), "{}", String::from_utf8_lossy(&played.stderr));

    let foreign = token(&home, "other", "1h");
    let expired = token(&home, name, "0s");
    for (header, code, why) in [
        (String::new(), "401", "a token is needed"),
        (bearer(&expired), "401", "the token has expired"),
        (bearer(&foreign), "403", "the token is for another asset"),
    ] {
        let refused = ffmpeg(&url, &header);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains(code), "{said}");
        let log = daemon.log();
        let wanted = format!("status={code} reason=\"{why}\"");
        assert!(log.contains(&wanted), "{wanted}: {log}");
    }
    // Our own page has the token from its address, and shows what it is told.
    let page = |token: &str| format!("http://127.0.0.1:{port}/play/published/{name}{token}");
    pages_say(&[
        (page(""), "401: a token is needed"),
        (page(&format!("?token={expired}")), "401: the token has expired"),
        (page(&format!("?token={foreign}")), "403: the token is for another asset"),
        (page(&format!("?token={good}")), r"hls\.js: \d+x\d+"),
    ]);
    old_pages_play_on_after_rekey(&home, port, &asset, &good);
    let log = daemon.log();
    for secret in [&good, &expired, &foreign] {
        assert!(!log.contains(secret.as_str()), "no token is logged");
    }
}

/// Pages that were opened before go on with the old generation while its keys are given, and are told
/// when they are not; whoever comes later gets the new one.
fn old_pages_play_on_after_rekey(home: &Home, port: u16, asset: &Path, token: &str) {
    let generation = || home.asset_json(asset)["generation"].as_str().expect("a name").to_owned();
    let url = format!("http://127.0.0.1:{port}/published/{}/index.m3u8", name(asset));
    let old = generation();
    let mut patient = Page::open(&url, token, &old);
    let mut late = Page::open(&url, token, &old);
    let ended = home.vodmill(&["rekey", name(asset)]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_ne!(old, generation());
    let mut fresh = Page::open(&url, token, &generation());
    patient.go_on();
    fresh.go_on();
    patient.played().map_err(|why| panic!("{why}")).expect("an old page plays on");
    fresh.played().map_err(|why| panic!("{why}")).expect("a new page plays");

    let ended = home.vodmill(&["keys", "revoke", name(asset), "--generation", &old]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let playlist = fs::read_to_string(asset.join(&old).join("hls/low/index.m3u8"));
    let key = uris(&playlist.expect("a playlist")).remove(0);
    let path = &key[key.find("/k/").expect("a key's URI")..];
    wait_until("the server heeds it", PATIENCE, || {
        let (head, _) = ask(port, path, &format!("authorization: Bearer {token}\r\n"));
        head.starts_with("HTTP/1.1 410").then_some(())
    });
    late.go_on();
    let error = late.played().expect_err("the keys are gone");
    for part in ["keyLoadError", "HTTP 410", "the key was revoked or replaced"] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn keys_are_served_and_revoked() {
    let port = free_ports(1);
    let home = home(port);
    let asset = home.publish(&case("film.mp4"));
    let name = name(&asset);
    let exported = home.keys(&asset).expect("exported keys");
    let key = fs::read_dir(&exported).expect("keys").flatten().next().expect("a key").path();
    let path = format!("/k/{}", key.file_name().and_then(|kid| kid.to_str()).expect("a kid"));
    let server = Daemon::key_server(&home, &["--listen", &format!("127.0.0.1:{port}")]);
    is_up(port);
    let cookie = format!("cookie: vodmill_key={}\r\n", token(&home, name, "1h"));
    let (head, body) = ask(port, &path, &cookie);
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.contains("cache-control: private, max-age=60"), "{head}");
    assert_eq!(body, fs::read(&key).expect("the key"));

    let ended = home.vodmill(&["keys", "revoke", name]);
    assert!(ended.code == 0 && ended.out.contains("revoked"), "{ended:?}");
    wait_until("the other process heeds it", PATIENCE, || {
        let (head, body) = ask(port, &path, &cookie);
        let gone = head.starts_with("HTTP/1.1 410");
        assert!(!gone || body == b"the key was revoked or replaced\n");
        gone.then_some(())
    });
    // Whoever proves the package still has its keys.
    let proved = home.vodmill(&["check".as_ref(), asset.as_os_str()]);
    assert_eq!(proved.code, 0, "{proved:?}");
    server.terminate();
    let mut server = server;
    assert!(server.ended(PATIENCE).success(), "{}", server.log());
}

#[test]
fn nobody_serves_every_key_to_a_network_by_chance() {
    let home = Home::quick("", true);
    let ended = home.vodmill(&["keys", "serve", "--listen", "0.0.0.0:0"]);
    assert!(ended.code == 2 && ended.err.contains("key_server.open"), "{ended:?}");
    home.write("vodmill.toml", "[keys]\nprovider = \"http\"\n[key_server]\nviewers = \"jwt\"\norigins = [\"x\"]\nproxies = [\"y\"]\n");
    let ended = home.vodmill(&["keys", "list"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    for wrong in [
        "keys.url",
        "keys.credential",
        "key_server.jwks",
        "key_server.origins",
        "key_server.proxies",
    ] {
        assert!(ended.err.contains(wrong), "{wrong}: {}", ended.err);
    }
}

/// Segments are encrypted with keys of another vodmill, asked over REST.
#[test]
fn an_external_key_server_keeps_the_keys() {
    let port = free_ports(1);
    let keeper = Home::new();
    let secret = |role: &str| {
        let ended = keeper.vodmill(&["keys", "credential", role, "test"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        ended.out
    };
    let segmenter = secret("segmenter");
    let server = Daemon::key_server(&keeper, &["--listen", &format!("127.0.0.1:{port}")]);
    is_up(port);
    let home = Home::quick("", true);
    home.write_secret("secret", &segmenter);
    let keys = format!(
        "provider = \"http\"\nurl = \"http://127.0.0.1:{port}\"\ncredential = \"secret\"\ntimeout_seconds = 2\n"
    );
    home.write("vodmill.toml", &format!("settle_seconds = 1\n[keys]\n{keys}"));
    let asset = home.publish(&case("film.mp4"));
    assert!(!home.at("state/keys/generations").exists(), "no key stays here");
    let listed = keeper.vodmill(&["keys", "list"]);
    assert!(listed.out.contains(name(&asset)), "{listed:?}");
    let proved = home.vodmill(&["check".as_ref(), asset.as_os_str()]);
    assert_eq!(proved.code, 0, "{proved:?}");
    drop(server);
    let gone = home.vodmill(&["keys", "list"]);
    assert!(gone.code == 1 && gone.err.contains("does not answer"), "{gone:?}");
    assert!(!gone.err.contains(segmenter.trim()), "{gone:?}");
}

#[test]
fn a_key_of_kms_wraps_the_keys_and_is_needed_at_the_start_alone() {
    let cloud = Cloud::ministack();
    let port = free_ports(1);
    let mut home = Home::with_faults();
    for (name, value) in cloud.account() {
        home.set(name, value);
    }
    home.set("AWS_ENDPOINT_URL_KMS", &cloud.endpoint());
    home.set("AWS_REGION", "us-east-1");
    let kek = format!("[keys]\nkek = \"kms:{}\"\n[s3]\nattempts = 1\n", cloud.kms_key());
    home.write("vodmill.toml", &kek);
    let secret = home.vodmill(&["keys", "credential", "segmenter", "test"]).out;
    let listen = format!("127.0.0.1:{port}");
    // Killed before and after the wrapped key has its name, the next start has one and leaves no other.
    for point in ["keys.written", "keys.linked"] {
        Passes::order(&mut home, &format!("{point}=kill"));
        assert_ne!(home.vodmill(&["keys", "serve", "--listen", &listen]).code, 0, "{point}");
        let there = home.at("state/keys/kek.kms").exists();
        assert_eq!(there, point == "keys.linked", "{point}");
    }
    Passes::end(&mut home);
    let first = Daemon::key_server(&home, &["--listen", &listen]);
    is_up(port);
    let kid = make_keys(port, secret.trim(), 1).remove(0);
    drop(first);
    assert!(home.at("state/keys/kek.kms").exists() && !home.at("state/keys/kek").exists());
    let files = tree(&home.at("state/keys"));
    assert!(!files.keys().any(|name| name.contains(".part")), "{files:?}");

    let again = Daemon::key_server(&home, &["--listen", &listen]);
    is_up(port);
    cloud.stop();
    let (head, key) = ask(port, &format!("/k/{kid}"), "");
    assert!(head.starts_with("HTTP/1.1 200") && key.len() == 16, "{head}: {}", again.log());
    let gone = home.vodmill(&["keys", "list"]);
    assert!(gone.code == 1 && gone.err.contains("key-encryption key"), "{gone:?}");
}

/// Has keys made; their kids.
pub fn make_keys(port: u16, secret: &str, periods: usize) -> Vec<String> {
    let wanted = format!("{{\"asset\":\"talk\",\"generation\":\"g1\",\"periods\":{periods}}}");
    let answer = order(port, secret, &wanted);
    let parts = answer.split("\"kid\":\"").skip(1);
    let kids: Vec<String> = parts.map(|rest| rest[..32].to_owned()).collect();
    assert_eq!(kids.len(), periods, "{answer}");
    kids
}

/// What is answered to `POST /v1/keys`.
pub fn order(port: u16, secret: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connect");
    let head = "POST /v1/keys HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n";
    let length = body.len();
    let request =
        format!("{head}authorization: Bearer {secret}\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).expect("ask");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answer");
    answer
}
