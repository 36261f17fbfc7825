//! What the daemon serves, and to whom: with tokens to a network, and without to this machine.

use std::collections::BTreeSet;
use std::fs;

use vodmill_tests::cases::case;
use vodmill_tests::product::{Daemon, Home, tree};
use vodmill_tests::services::free_ports;

use crate::browser::pages_say_without_hls;
use crate::key_server::{ask, is_up, token};

fn status(port: u16, path: &str, header: &str) -> u16 {
    let (head, _) = ask(port, path, header);
    head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
}

/// Every file of a home's packages, and some beside them, with and without what opens it.
#[test]
fn a_network_gets_what_its_tokens_and_credentials_open() {
    let port = free_ports(1);
    let home = Home::quick("", true);
    home.write("vodmill.toml", "[key_server]\nviewers = \"token\"\n");
    let asset = home.publish(&case("film.mp4"));
    home.write("published/notes.txt", "stray");
    home.write("published/film/stray.mp4", "stray");
    let made = home.vodmill(&["keys", "credential", "segmenter", "studio"]);
    let secret = format!("authorization: Bearer {}\r\n", made.out.trim());
    let daemon = Daemon::start(&home, &["--serve", &format!("0.0.0.0:{port}")]);
    is_up(port);
    let bearer = |asset: &str| format!("authorization: Bearer {}\r\n", token(&home, asset, "1h"));
    let (good, foreign) = (bearer("film"), bearer("other"));
    let mut kinds = BTreeSet::new();
    for name in tree(&home.at("published")).into_keys() {
        let path = format!("/published/{name}");
        let opened = match &name {
            name if name.contains("stray") || name == "notes.txt" => "nobody",
            name if name.starts_with(".vodmill/") => "nobody",
            name if name.contains("/private/") => "segmenter",
            name if name.ends_with("/receipt.json") => "segmenter",
            _ => "viewer",
        };
        kinds.insert(opened);
        for (header, who) in
            [("", "anybody"), (&foreign, "other"), (&good, "viewer"), (&secret, "segmenter")]
        {
            let told = status(port, &path, header);
            assert_eq!(told == 200, who == opened, "{path} for {who}: {told}");
            assert!(told == 200 || (400..500).contains(&told), "{path} for {who}: {told}");
        }
    }
    assert_eq!(kinds.len(), 3, "{kinds:?}");
    for path in ["/", "/play/published/film", "/published", "/published/", "/published/film"] {
        assert!(matches!(status(port, path, ""), 401 | 404), "{path}");
    }
    // A page of another origin cannot read keys, and the log says whose.
    let generation = home.asset_json(&asset)["generation"].as_str().expect("a name").to_owned();
    let playlist = fs::read_to_string(asset.join(generation).join("hls/low/index.m3u8"));
    let playlist = playlist.expect("a playlist");
    let key =
        playlist.split("URI=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a key");
    let key = &key[key.find("/k/").expect("its path")..];
    let page = format!("{good}origin: https://evil.example\r\n");
    let (head, _) = ask(port, key, &page);
    assert!(!head.contains("access-control-allow-origin"), "{head}");
    let told = "page's origin refused origin=\"https://evil.example\" asset=\"film\"";
    assert!(daemon.log().contains(told), "{}", daemon.log());
}

/// The browser's own player fails: an MP4 that may be fetched stands in, and a private one does not.
#[test]
fn a_page_that_cannot_play_says_so_and_takes_an_mp4() {
    let port = free_ports(1);
    let home = Home::quick("", false);
    home.pipeline("secret", "destination = \"secret\"", "", true);
    home.publish(&case("film.mp4"));
    let file = case("good.mp4");
    let ended =
        home.vodmill(&["run", "--pipeline", "secret", file.to_str().expect("a path of ours")]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let _daemon = Daemon::start(&home, &["--serve", &format!("127.0.0.1:{port}")]);
    is_up(port);
    let page = |asset: &str| format!("http://127.0.0.1:{port}/play/{asset}");
    pages_say_without_hls(&[
        (page("published/film"), "^Playing the MP4 small-mp4: the browser's own HLS: "),
        (page("secret/good"), "^the browser's own HLS: "),
    ]);
}

/// What would be served to nobody is not encoded first.
#[test]
fn an_asset_folder_that_is_a_link_is_refused_in_words() {
    let home = Home::quick("", true);
    let elsewhere = home.at("elsewhere");
    fs::create_dir_all(&elsewhere).expect("a folder");
    fs::create_dir_all(home.at("published")).expect("a folder");
    std::os::unix::fs::symlink(&elsewhere, home.at("published/film")).expect("a link");
    let file = case("film.mp4");
    let ended = home.vodmill(&["run", file.to_str().expect("a path of ours")]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.err.contains("published/film is a symbolic link"), "{ended:?}");
    assert_eq!(fs::read_dir(&elsewhere).expect("a folder").count(), 0);
}
