//! A site on a free port, and as much of HTTP as asking for it takes.

use std::fs::Permissions;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use tempfile::TempDir;
use vodmill_api::{
    Folder, KeyServer, KeySettings, Limits, ReadObject, Server, Site, Tree, ViewerPlaylists,
};
use vodmill_delivery::{Hash, Signer};
use vodmill_keys::{KeySet, KeyStore, MemoryKeyStore};

pub const SEGMENT: &str = "0123456789abcdef";
/// What no viewer gets.
pub const CLEAR: &str = "clear media, not for you";
const HIDDEN: &str = "not for you";
pub const MEDIA: &str = "#EXTM3U
#EXT-X-KEY:METHOD=AES-128,URI=\"https://keys.example/k/1?v=1\",IV=0x1
#EXTINF:6.000000,
000000.ts
#EXT-X-ENDLIST
";
pub const MULTIVARIANT: &str = "#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=1
g0001-22222222/hls/low/index.m3u8
";

/// A generation of an asset with its receipt, and the pointer to it.
fn package(published: &Path, asset: &str, generation: &str, objects: &[(&str, &str)]) {
    let folder = published.join(asset);
    // What is listed may be a link, or gone.
    let link = ("hls/low/link.ts", "");
    let names = objects.iter().chain([&link]).map(|(name, _)| format!("{{\"name\":\"{name}\"}}"));
    let objects_json = names.collect::<Vec<_>>().join(",");
    let of = format!("\"asset\":\"{asset}\",\"generation\":\"{generation}\"");
    let receipt = format!("{{{of},\"objects\":[{objects_json}]}}");
    for (name, content) in objects.iter().chain([&("receipt.json", receipt.as_str())]) {
        write(&folder.join(generation).join(name), content);
    }
    write(&folder.join("asset.json"), &format!("{{{of},\"outputs\":[{{\"kind\":\"hls\"}}]}}"));
    write(&folder.join("index.m3u8"), "#EXTM3U\n");
}

fn write(file: &Path, content: &str) {
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("tree");
    std::fs::write(file, content).expect("file");
}

pub struct Demo {
    pub server: Server,
    pub keys: KeySet,
    pub home: TempDir,
}

/// What signs for a CDN in front of `published`.
fn viewers(published: PathBuf) -> ViewerPlaylists {
    let pem = include_str!("../../../vodmill-delivery/tests/keys/ec-pkcs8.pem");
    let read: ReadObject = Arc::new(move |name| match std::fs::read(published.join(name)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    });
    let away: ReadObject = Arc::new(|_| Err(std::io::Error::other("the store is away")));
    let base_url = "https://cdn.example/tv".to_owned();
    ViewerPlaylists {
        trees: vec![
            Tree { name: "talks".into(), base_url: base_url.clone(), read },
            Tree { name: "away".into(), base_url, read: away },
        ],
        signer: Some(Signer::new("K1", pem, Hash::Sha256).expect("a signer")),
        valid_seconds: 600,
        token: "token".to_owned(),
    }
}

/// One published asset of one generation, and its key.
pub fn demo(player_js: bool) -> Demo {
    demo_with(player_js, KeySettings::default())
}

/// The same, with keys and playlists for whom the settings say.
pub fn demo_with(player_js: bool, settings: KeySettings) -> Demo {
    demo_at(player_js, settings, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), None)
}

/// The same, at an address and within limits.
pub fn demo_at(
    player_js: bool,
    settings: KeySettings,
    address: SocketAddr,
    limits: Option<Limits>,
) -> Demo {
    let home = tempfile::tempdir().expect("scratch");
    let published = home.path().join("published");
    package(
        &published,
        "talk",
        "g0001-11111111",
        &[
            ("hls/low/index.m3u8", "#EXTM3U\n"),
            ("hls/low/000000.ts", SEGMENT),
            ("hls/torn.m3u8", "#EXTM3U\n#EXT-X-MAP:URI=\"a\n"),
            ("hls/low/long.ts", SEGMENT),
            ("subtitles/en.vtt", "WEBVTT\n"),
            ("private/mp4/web.mp4", CLEAR),
        ],
    );
    package(&published, "a talk*", "g0001-22222222", &[("hls/low/index.m3u8", MEDIA)]);
    package(&published, "film", "g0001-44122a99", &[("hls/low/index.m3u8", MEDIA)]);
    for (file, content) in [
        ("a talk*/index.m3u8", MULTIVARIANT),
        ("film/index.m3u8", MULTIVARIANT),
        ("talk/notes.txt", HIDDEN),
        ("stray.mp4", HIDDEN),
        ("talk/g0001-11111111/hls/low/stray.ts", HIDDEN),
        ("talk/g0001-11111111/.scratch", HIDDEN),
        ("other/index.m3u8", HIDDEN),
        ("talk/g0009-99999999/hls/low/000000.ts", HIDDEN),
        ("../secret", HIDDEN),
    ] {
        write(&published.join(file), content);
    }
    let generation = published.join("talk/g0001-11111111");
    let secret = home.path().join("secret");
    std::os::unix::fs::symlink(secret, generation.join("hls/low/link.ts")).expect("link");
    std::os::unix::fs::symlink(published.join("talk"), published.join("alias")).expect("link");
    let script = home.path().join("hls.js");
    std::fs::write(&script, "window.Hls = 1").expect("script");
    let store = MemoryKeyStore::new();
    let keys = KeySet::generate(1).expect("keys");
    let keys = store.put("talk", "g1", keys).expect("stored");
    let site = Site {
        folders: Folder::name_all([published]),
        viewers: Some(viewers(home.path().join("published"))),
        keys: KeyServer::new(Arc::new(store), settings).expect("settings"),
        player_js: player_js.then_some(script),
    };
    let server = match limits {
        Some(limits) => Server::start_within(site, address, limits),
        None => Server::start(site, address),
    };
    let server = server.expect("server");
    Demo { server, keys, home }
}

pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Demo {
    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "")
    }

    /// The path goes out as it is: no client tidies it.
    pub fn ask(&self, method: &str, path: &str, header: &str) -> Answer {
        ask(self.server.address(), method, path, header, "")
    }
}

/// One request, on a connection of its own; `header` is whole lines.
pub fn ask(server: SocketAddr, method: &str, path: &str, header: &str, body: &str) -> Answer {
    ask_as("localhost", server, method, path, header, body)
}

/// The same, of a server of that name.
pub fn ask_as(
    host: &str,
    server: SocketAddr,
    method: &str,
    path: &str,
    header: &str,
    body: &str,
) -> Answer {
    let mut stream = TcpStream::connect(server).expect("connect");
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
         content-length: {length}\r\n{header}\r\n{body}"
    );
    // The server may have heard enough before the end.
    let _ = stream.write_all(request.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    parse(&answer)
}

/// A key server on a free port.
pub fn key_server(store: Arc<dyn KeyStore>, settings: KeySettings) -> Server {
    let keys = KeyServer::new(store, settings).expect("settings");
    Server::start_keys(keys, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("server")
}

/// A file that only its owner reads.
pub fn secret_file(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("file");
    set_mode(&path, 0o600);
    path
}

pub fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).expect("mode");
}

pub fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs()
}

fn parse(answer: &[u8]) -> Answer {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("end of headers");
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("status");
    let header = |line: &str| {
        let (name, value) = line.split_once(": ").expect("header");
        (name.to_ascii_lowercase(), value.to_owned())
    };
    Answer {
        status: status.parse().expect("number"),
        headers: lines.map(header).collect(),
        body: answer[end + 4..].to_vec(),
    }
}
