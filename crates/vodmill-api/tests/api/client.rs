//! A site on a free port, and as much of HTTP as asking for it takes.

use std::fs::Permissions;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use tempfile::TempDir;
use vodmill_api::{
    Folder, KeyServer, KeySettings, ReadObject, Server, Site, Tree, ViewerPlaylists,
};
use vodmill_delivery::{Hash, Signer};
use vodmill_hls::keyring::{KeySet, KeyStore, MemoryKeyStore};

pub const SEGMENT: &[u8] = b"0123456789abcdef";
pub const MEDIA: &str = "#EXTM3U
#EXT-X-KEY:METHOD=AES-128,URI=\"https://keys.example/k/1?v=1\",IV=0x1
#EXTINF:6.000000,
000000.ts
#EXT-X-ENDLIST
";
pub const MULTIVARIANT: &str = "#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=1
g1/hls/low/index.m3u8
";

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
    let home = tempfile::tempdir().expect("scratch");
    let published = home.path().join("published");
    let tree = published.join("talk/g1/hls/low");
    std::fs::create_dir_all(&tree).expect("tree");
    std::fs::create_dir_all(published.join("a talk*/g1/hls/low")).expect("tree");
    std::fs::create_dir_all(published.join("film/g0001-44122a99/hls/low")).expect("tree");
    for (file, content) in [
        ("talk/asset.json", &b"{}"[..]),
        ("talk/index.m3u8", b"#EXTM3U\n"),
        ("talk/g1/hls/low/index.m3u8", b"#EXTM3U\n"),
        ("a talk*/g1/hls/low/index.m3u8", MEDIA.as_bytes()),
        ("a talk*/index.m3u8", MULTIVARIANT.as_bytes()),
        ("film/g0001-44122a99/hls/low/index.m3u8", MEDIA.as_bytes()),
        ("talk/torn.m3u8", b"#EXTM3U\n#EXT-X-MAP:URI=\"a\n"),
        ("talk/g1/hls/low/000000.ts", SEGMENT),
        ("talk/g1/.scratch", b"not for you"),
        ("../secret", b"not for you"),
    ] {
        std::fs::write(published.join(file), content).expect("file");
    }
    std::os::unix::fs::symlink(home.path().join("secret"), published.join("talk/link.ts"))
        .expect("link");
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
    let server = Server::start(site, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("server");
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
    let mut stream = TcpStream::connect(server).expect("connect");
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: demo\r\nconnection: close\r\n\
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
    std::fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("mode");
    path
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
