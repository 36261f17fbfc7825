//! An external key server that does not do what it should.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use vodmill_keys::{HttpKeyStore, HttpSettings, KeySet, KeyStore, KeyStoreError};
use vodmill_tests::services::{Answer as HttpAnswer, Authority, HttpServer};

const SECRET: &str = "not to be told";

/// What the server says to one request: status line and body; or nothing at all.
type Script = fn(&Request, usize) -> Option<(u16, String)>;

struct Request {
    method: String,
    body: String,
}

/// A server of one's own that does as its script says, by the number of the request.
struct Fake {
    address: SocketAddr,
    asked: Arc<Mutex<usize>>,
    _folder: tempfile::TempDir,
    store: HttpKeyStore,
}

/// Long enough for a machine that has much else to do.
const PATIENT: Duration = Duration::from_secs(20);

fn fake(script: Script) -> Fake {
    fake_for(script, PATIENT)
}

/// A fake whose client waits so long.
fn fake_for(script: Script, timeout: Duration) -> Fake {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
    let address = listener.local_addr().expect("address");
    let asked = Arc::new(Mutex::new(0));
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let count = Arc::clone(&count);
            std::thread::spawn(move || answer(stream, script, &count));
        }
    });
    let folder = tempfile::tempdir().expect("scratch");
    let store = open(address, &folder, timeout);
    Fake { address, asked, _folder: folder, store }
}

fn open(address: SocketAddr, folder: &tempfile::TempDir, timeout: Duration) -> HttpKeyStore {
    let settings = HttpSettings {
        url: format!("http://{address}"),
        credential: secret_file(folder, "secret", SECRET),
        authorities: None,
        timeout,
    };
    HttpKeyStore::open(&settings).expect("settings")
}

fn secret_file(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).expect("file");
    set_mode(&path, 0o600);
    path
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("mode");
}

fn answer(mut stream: TcpStream, script: Script, count: &Mutex<usize>) {
    let mut reader = BufReader::new(stream.try_clone().expect("a second end"));
    let mut head = Vec::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) <= 2 {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a number");
        }
        head.push(line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("body");
    let method = head[0].split(' ').next().expect("method").to_owned();
    let request = Request { method, body: String::from_utf8(body).expect("text") };
    let number = {
        let mut count = count.lock().expect("whole");
        *count += 1;
        *count
    };
    let Some((status, body)) = script(&request, number) else {
        // Slow: silent for longer than anybody waits.
        std::thread::sleep(Duration::from_secs(60));
        return;
    };
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nlocation: http://127.0.0.1:1/\r\nconnection: close\r\n\r\n{body}"
    );
    let _ = stream.write_all(text.as_bytes());
}

impl Fake {
    fn put(&self) -> Result<KeySet, KeyStoreError> {
        self.store.put("talk", "g1", KeySet::generate(2).expect("keys"))
    }

    fn asked(&self) -> usize {
        *self.asked.lock().expect("whole")
    }

    /// What a worker would log, with all causes.
    fn error(&self) -> String {
        told(&self.put().expect_err("nothing to encrypt with"))
    }
}

/// An error with all its causes; none of them tells the secret.
fn told(error: &KeyStoreError) -> String {
    let mut text = format!("{error} {error:?}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(&error.to_string());
        cause = error.source();
    }
    assert!(!text.contains(SECRET), "{text}");
    text
}

const KEYS: &str =
    r#"{"asset":"talk","generation":"g1","keys":[{"kid":"KID","key":"KEY"}],"iv_seed":"SEED"}"#;

fn keys(kid: &str, key: &str) -> String {
    let text = KEYS.replace("KID", kid).replace("KEY", key);
    text.replace("SEED", &"cc".repeat(32))
}

fn good() -> String {
    keys(&"aa".repeat(16), &"bb".repeat(16))
}

#[test]
fn its_own_keys_count() {
    let fake = fake(|_, _| Some((200, good())));
    let set = fake.put().expect("keys");
    assert_eq!(set.periods.len(), 1);
    assert_eq!(set.periods[0].key.expose(), &[0xbb; 16]);
}

#[test]
fn what_fails_for_a_moment_is_asked_again() {
    let fake = fake(|request, number| match (number, request.method.as_str()) {
        (1, _) => Some((500, String::new())),
        (2, _) => Some((429, "slow down".to_owned())),
        (_, "POST") => {
            assert!(request.body.contains("\"iv_seed\""), "the order is whole each time");
            Some((200, good()))
        }
        _ => Some((200, good())),
    });
    fake.put().expect("keys");
    assert_eq!(fake.asked(), 4);
}

#[test]
fn what_fails_for_long_is_given_up() {
    let fake = fake(|_, _| Some((503, r#"{"error":"away","message":"no disk"}"#.to_owned())));
    let error = fake.error();
    assert!(error.contains("503") && error.contains("no disk"), "{error}");
    assert_eq!(fake.asked(), 3);
}

#[test]
fn silence_is_not_waited_for() {
    let fake = fake_for(|_, _| None, Duration::from_millis(500));
    let start = Instant::now();
    let error = fake.error();
    assert!(error.contains("does not answer"), "{error}");
    assert!(start.elapsed() < PATIENT, "{:?}", start.elapsed());
}

#[test]
fn nobody_at_the_address_is_said_so() {
    let folder = tempfile::tempdir().expect("scratch");
    let address = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("address");
    let store = open(address, &folder, PATIENT);
    let error = store.of_generation("talk", "g1").expect_err("nobody");
    assert!(error.to_string().contains("does not answer"), "{error}");
}

#[test]
fn a_refusal_is_not_asked_again() {
    let fake = fake(|_, _| Some((401, "no".to_owned())));
    assert!(fake.error().contains("401"));
    assert_eq!(fake.asked(), 1);
    let redirected = self::fake(|_, _| Some((302, String::new())));
    assert!(redirected.error().contains("302"), "a secret follows no redirect");
    assert_ne!(redirected.address, fake.address);
}

#[test]
fn answers_that_are_wrong_are_not_encrypted_with() {
    let scripts: [(Script, &str); 8] = [
        (|_, _| Some((200, keys(&"aa".repeat(16), &"bb".repeat(15)))), "16 bytes"),
        (|_, _| Some((200, keys(&"aa".repeat(16), &"bb".repeat(17)))), "16 bytes"),
        (|_, _| Some((200, keys("kid", &"bb".repeat(16)))), "16 bytes"),
        (|_, _| Some((200, "<html>".to_owned())), "cannot be used"),
        (|_, _| Some((200, String::new())), "cannot be used"),
        (|_, _| Some((200, good().replace("g1", "g2"))), "another generation"),
        (|_, _| Some((200, good().replace(r#"[{"#, r#"[],"x":[{"#))), "cannot be used"),
        (
            |request, _| match request.method.as_str() {
                "POST" => Some((200, good())),
                _ => Some((404, String::new())),
            },
            "does not know the keys",
        ),
    ];
    for (script, wanted) in scripts {
        let error = fake(script).error();
        assert!(error.contains(wanted), "{wanted}: {error}");
        assert!(!error.contains("bbbb"), "{error}");
    }
    let twice = fake(|_, _| {
        let one = r#"{"kid":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","key":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}"#;
        Some((200, good().replace(&format!("[{one}]"), &format!("[{one},{one}]"))))
    });
    assert!(twice.error().contains("one kid twice"));
}

/// 17 MiB, which nobody needs: not read, and not asked for again.
#[test]
fn an_endless_answer_is_cut_short() {
    let fake = fake(|_, _| Some((200, " ".repeat(17 << 20))));
    let error = fake.error();
    assert!(error.contains("more than 16777216 bytes"), "{error}");
    assert_eq!(fake.asked(), 1);
}

/// Only who has a certificate of the authority that the operator trusts is told the secret.
#[test]
fn the_server_is_proved_before_it_hears_the_secret() {
    let [ours, other] = [Authority::new(), Authority::new()];
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hears = Arc::clone(&heard);
    let server = HttpServer::secure(ours.localhost(), move |asked| {
        hears.lock().expect("whole").push(asked.header("authorization").to_owned());
        Some(HttpAnswer { body: good(), ..HttpAnswer::status(200) })
    });
    let folder = tempfile::tempdir().expect("scratch");
    let ask = |url: String, authority: Option<&Authority>| {
        let settings = HttpSettings {
            url,
            credential: secret_file(&folder, "secret", SECRET),
            authorities: authority.map(Authority::certificate),
            timeout: PATIENT,
        };
        let store = HttpKeyStore::open(&settings).expect("settings");
        store.of_generation("talk", "g1").map_err(|error| told(&error))
    };
    let elsewhere = server.url("").replace("localhost", "127.0.0.1");
    for (url, authority) in
        [(server.url(""), Some(&other)), (server.url(""), None), (elsewhere, Some(&ours))]
    {
        let error = ask(url, authority).expect_err("it is not proved");
        assert!(error.contains("does not answer") && error.contains("certificate"), "{error}");
    }
    assert_eq!(*heard.lock().expect("whole"), Vec::<String>::new());
    let keys = ask(server.url(""), Some(&ours)).expect("an answer").expect("keys");
    assert_eq!(keys.periods[0].key.expose(), &[0xbb; 16]);
    assert_eq!(*heard.lock().expect("whole"), [format!("Bearer {SECRET}")]);
}

#[test]
fn settings_are_checked() {
    let folder = tempfile::tempdir().expect("scratch");
    let credential = secret_file(&folder, "secret", SECRET);
    let open = |url: &str, credential| {
        let timeout = Duration::from_secs(1);
        let url = url.to_owned();
        HttpKeyStore::open(&HttpSettings { url, credential, authorities: None, timeout })
    };
    for url in ["", "keys.example", "file:///etc", "http://a?b", "http://me:pw@a", "http://a b"] {
        assert!(open(url, credential.clone()).is_err(), "{url}");
    }
    assert!(open("http://a", folder.path().join("missing")).is_err());
    set_mode(&credential, 0o640);
    let error = open("http://a", credential.clone()).err().expect("others can read it").to_string();
    assert!(error.contains("chmod 600") && !error.contains(SECRET), "{error}");
    set_mode(&credential, 0o600);
    let settings = HttpSettings {
        url: "https://a".to_owned(),
        credential: credential.clone(),
        authorities: Some(credential),
        timeout: Duration::from_secs(1),
    };
    let error = HttpKeyStore::open(&settings).err().expect("that is no certificate").to_string();
    assert!(error.contains("holds no certificate") && !error.contains(SECRET), "{error}");
}
