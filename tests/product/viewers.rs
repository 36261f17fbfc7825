//! Playlists for one viewer, from the daemon: followed to every object and key, as a player would.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use vodmill_tests::cases::case;
use vodmill_tests::m3u8::uris;
use vodmill_tests::product::{Daemon, Home, tree};
use vodmill_tests::services::free_ports;
use vodmill_tests::tools::succeeded;

use crate::key_server::{ask, is_up, token};

const CDN: &str = "https://cdn.example/tv";

/// A home whose daemon signs for a CDN, and asks viewers for tokens.
fn home(port: u16) -> Home {
    let home = Home::quick("container = \"fmp4\"\naudio = \"group\"\n", true);
    let key = home.at("cloudfront.pem");
    let mut command = Command::new("openssl");
    command.args(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out"]);
    succeeded(command.arg(&key)).expect("a key");
    let mut command = Command::new("openssl");
    command.args(["pkey", "-pubout", "-in"]).arg(&key).arg("-out").arg(home.at("public.pem"));
    succeeded(&mut command).expect("its public half");
    let delivery = "[delivery]\nkey_pair_id = \"K1\"\nprivate_key_file = \"cloudfront.pem\"\n";
    home.write("vodmill.toml", &format!("[key_server]\nviewers = \"token\"\n{delivery}"));
    let text = fs::read_to_string(home.at("pipelines/default.toml")).expect("the pipeline");
    let text = text.replace("127.0.0.1:8480", &format!("127.0.0.1:{port}"));
    home.write("pipelines/default.toml", &format!("{text}\n[delivery]\nbase_url = \"{CDN}\"\n"));
    home
}

#[test]
fn a_tree_is_signed_for_its_viewer_and_no_other() {
    let port = free_ports(1);
    let home = home(port);
    let asset = home.publish(&case("film.mp4"));
    let daemon = Daemon::start(&home, &["--serve", &format!("0.0.0.0:{port}")]);
    is_up(port);
    let good = token(&home, "film", "10m");
    let (reached, keys) = (BTreeMap::new(), BTreeSet::new());
    let mut player = Player { home: &home, port, token: &good, reached, keys };
    player.follow("/v/default/film/index.m3u8");
    let generation = home.asset_json(&asset)["generation"].as_str().expect("a name").to_owned();
    let all = tree(&asset.join(&generation).join("hls")).into_keys();
    let media = all.filter(|name| !name.ends_with(".m3u8"));
    let wanted: BTreeSet<String> =
        media.map(|name| format!("film/{generation}/hls/{name}")).collect();
    let reached: BTreeSet<String> = player.reached.keys().cloned().collect();
    assert_eq!(reached, wanted, "what a player reaches, and what there is");
    let ends: Vec<&u64> = player.reached.values().collect();
    let expires: u64 = good.split('.').nth(2).and_then(|text| text.parse().ok()).expect("a time");
    assert!(ends.iter().all(|&&end| end == expires), "not beyond {expires}: {ends:?}");

    let path = "/v/default/film/index.m3u8";
    let (expired, foreign) = (token(&home, "film", "0s"), token(&home, "other", "1h"));
    let elsewhere =
        home.vodmill(&["keys", "token", "--asset", "*", "--for", "1h", "--address", "192.0.2.1"]);
    let elsewhere = elsewhere.out.trim().to_owned();
    let bearer = |token: &str| format!("authorization: Bearer {token}\r\n");
    for (query, header, status, why) in [
        (String::new(), String::new(), 401, "a token is needed\n"),
        (format!("?token={expired}"), String::new(), 401, "the token has expired\n"),
        (format!("?token={foreign}"), String::new(), 403, "the token is for another asset\n"),
        (format!("?token={elsewhere}"), String::new(), 403, "the token is for another address\n"),
        ("?token=nonsense".to_owned(), String::new(), 401, "the token is malformed\n"),
        (format!("?token={good}x"), String::new(), 401, "the signature of the token is wrong\n"),
        (String::new(), bearer(&foreign), 403, "the token is for another asset\n"),
    ] {
        let (head, body) = ask(port, &format!("{path}{query}"), &header);
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{query}: {head}");
        assert_eq!(String::from_utf8_lossy(&body), why, "{query}");
        assert!(head.contains("cache-control: no-store"), "{head}");
        assert!(daemon.log().contains(&format!("status={status} reason=\"{}\"", why.trim_end())));
    }
    // A token of a header comes with the next request by itself: no URI has it.
    let (head, body) = ask(port, path, &bearer(&good));
    assert!(head.starts_with("HTTP/1.1 200") && !String::from_utf8_lossy(&body).contains("token="));
    for path in ["none/index.m3u8", "film/../film/index.m3u8", "film/asset.json", "film/x.m3u8"] {
        let (head, _) = ask(port, &format!("/v/default/{path}?token={good}"), "");
        let refused = ["HTTP/1.1 403", "HTTP/1.1 404"].iter().any(|start| head.starts_with(start));
        assert!(refused, "{path}: {head}");
    }
    let log = daemon.log();
    for secret in [&good, &expired, &foreign, &elsewhere] {
        assert!(!log.contains(secret.as_str()), "no token is logged");
    }
    assert!(!log.contains("Signature"), "no signature is logged");
}

/// Follows playlists to what they lead to.
struct Player<'a> {
    home: &'a Home,
    port: u16,
    token: &'a str,
    /// Objects at the CDN, and when their signatures end.
    reached: BTreeMap<String, u64>,
    keys: BTreeSet<String>,
}

impl Player<'_> {
    /// What a playlist leads to, and what that leads to.
    fn follow(&mut self, path: &str) {
        let token = format!("token={}", self.token);
        let (head, body) = ask(self.port, &format!("{path}?{token}"), "");
        assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
        assert!(head.contains("cache-control: private, no-store"), "{head}");
        let text = String::from_utf8(body).expect("a playlist is UTF-8");
        let mut signatures = BTreeMap::new();
        for uri in uris(&text) {
            if let Some(object) = uri.strip_prefix(CDN) {
                let (object, query) = object.split_once('?').expect("a signature");
                let end = signatures.entry(query.to_owned());
                let end = *end.or_insert_with(|| self.verify(object, query));
                self.reached.insert(object.trim_start_matches('/').to_owned(), end);
                continue;
            }
            let uri = uri.strip_suffix(&format!("?{token}")).unwrap_or_else(|| panic!("{uri}"));
            match uri.strip_prefix(&format!("http://127.0.0.1:{}", self.port)) {
                Some(key) if !self.keys.insert(key.to_owned()) => {}
                Some(key) => {
                    let (head, body) = ask(self.port, &format!("{key}?{token}"), "");
                    assert!(head.starts_with("HTTP/1.1 200") && body.len() == 16, "{head}");
                }
                None => {
                    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                    self.follow(&format!("{folder}/{uri}"));
                }
            }
        }
    }

    /// Holds a signature to CloudFront's rules, by OpenSSL; when it ends.
    fn verify(&self, object: &str, query: &str) -> u64 {
        let value = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let value = pairs.find(|(known, _)| *known == name).map(|(_, value)| value.to_owned());
            value.unwrap_or_else(|| panic!("{name}: {query}"))
        };
        assert_eq!(
            (value("Key-Pair-Id").as_str(), value("Hash-Algorithm").as_str()),
            ("K1", "SHA256")
        );
        let (policy, signature) = (decode(&value("Policy")), decode(&value("Signature")));
        let at = |name: &str| self.home.at(name);
        fs::write(at("policy"), &policy).expect("a file");
        fs::write(at("signature"), signature).expect("a file");
        let mut command = Command::new("openssl");
        command.args(["dgst", "-sha256", "-verify"]).arg(at("public.pem"));
        command.arg("-signature").arg(at("signature")).arg(at("policy"));
        succeeded(&mut command).map_err(|why| panic!("{object}: {why}")).expect("it verifies");
        let policy: serde_json::Value = serde_json::from_slice(&policy).expect("a policy is JSON");
        let statement = &policy["Statement"][0];
        let folder = object.rsplit_once('/').map_or("", |(folder, _)| folder);
        assert_eq!(statement["Resource"], format!("{CDN}{folder}/*"));
        let end = &statement["Condition"]["DateLessThan"]["AWS:EpochTime"];
        end.as_u64().expect("an end")
    }
}

/// Base64 in CloudFront's alphabet.
fn decode(text: &str) -> Vec<u8> {
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
    bytes
}

/// Where nobody asks who a viewer is, the endpoint is for this machine alone.
#[test]
fn without_tokens_playlists_are_for_this_machine() {
    let port = free_ports(1);
    let home = home(port);
    let text = fs::read_to_string(home.at("vodmill.toml")).expect("settings");
    home.write("vodmill.toml", &text.replace("viewers = \"token\"", "open = true"));
    home.publish(&case("good.mp4"));
    for (address, status) in [("127.0.0.1", "200"), ("0.0.0.0", "404")] {
        let daemon = Daemon::start(&home, &["--serve", &format!("{address}:{port}")]);
        is_up(port);
        let (head, _) = ask(port, "/v/default/good/index.m3u8", "");
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{address}: {head}");
        let warned = daemon.log().contains("no playlists for viewers");
        assert_eq!(warned, status == "404", "{}", daemon.log());
    }
    home.write("vodmill.toml", &text.replace("[delivery]", "[delivery]\ntoken = \"t\""));
    let ended = home.vodmill(&["pipelines"]);
    assert!(ended.code == 2 && ended.err.contains("key_server.query"), "{ended:?}");
}
