//! A key management service that is slow, away, or answers nonsense. A good one is in the tests of the
//! product.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use vodmill_aws::Access;
use vodmill_keys::kek::kms::{Kms, Limits};

const LIMITS: Limits =
    Limits { attempts: 6, attempt: Duration::from_secs(1), in_all: Duration::from_secs(5) };

/// What a loaded machine may add.
const SLACK: Duration = Duration::from_secs(3);

/// 32 bytes of 7 in base64.
const KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

/// What is answered to the n-th request, from 1: status and body; nothing at all without.
type Script = fn(usize) -> Option<(u16, String)>;

fn good() -> Option<(u16, String)> {
    Some((200, format!("{{\"KeyId\":\"k\",\"Plaintext\":\"{KEY}\"}}")))
}

fn refused(status: u16, code: &str) -> Option<(u16, String)> {
    Some((status, format!("{{\"__type\":\"{code}\",\"message\":\"it is {code}\"}}")))
}

struct Stand {
    kms: Kms,
    asked: Arc<AtomicUsize>,
    _folder: tempfile::TempDir,
}

fn kms(port: u16) -> (Kms, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("scratch");
    let credentials = folder.path().join("credentials");
    let text = "[default]\naws_access_key_id = vodmill\naws_secret_access_key = vodmill-secret\n";
    std::fs::write(&credentials, text).expect("credentials");
    let access = Access {
        endpoint: Some(format!("http://127.0.0.1:{port}")),
        region: Some("us-east-1".to_owned()),
        credentials_file: Some(credentials),
        ..Access::default()
    };
    (Kms::open(&access, LIMITS).expect("a client"), folder)
}

fn stand_in(script: Script) -> Stand {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let count = Arc::clone(&count);
            thread::spawn(move || converse(stream, script, &count));
        }
    });
    let (kms, folder) = kms(port);
    Stand { kms, asked, _folder: folder }
}

/// Requests are short: they come in one piece, or in two.
fn converse(mut stream: TcpStream, script: Script, count: &AtomicUsize) {
    let mut request = Vec::new();
    let mut some = [0; 4096];
    while !request.ends_with(b"}") {
        match stream.read(&mut some) {
            Ok(0) | Err(_) => return,
            Ok(read) => request.extend_from_slice(&some[..read]),
        }
    }
    let Some((status, body)) = script(count.fetch_add(1, Ordering::SeqCst) + 1) else {
        // Longer than anybody waits.
        return thread::sleep(Duration::from_secs(10));
    };
    let (kind, length) = ("application/x-amz-json-1.1", body.len());
    let head = format!("HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {length}");
    let _ = stream.write_all(format!("{head}\r\nconnection: close\r\n\r\n{body}").as_bytes());
}

impl Stand {
    fn ask(&self) -> Result<[u8; 32], String> {
        let begun = Instant::now();
        let answer = self.kms.unwrap("my-key", b"wrapped").map_err(|error| told(&error));
        assert!(begun.elapsed() < LIMITS.in_all + SLACK, "{:?}", begun.elapsed());
        answer
    }
}

/// As the program says it.
fn told(error: &dyn std::error::Error) -> String {
    error.source().map_or(error.to_string(), |cause| format!("{error}: {cause}"))
}

#[test]
fn silence_ends() {
    let stand = stand_in(|_| None);
    let error = stand.ask().expect_err("nothing was said");
    assert!(error.contains("open a data key with my-key: Timeout: operation timeout"), "{error}");
    assert!(!error.contains('{'), "it is in words: {error}");
    assert!(stand.asked.load(Ordering::SeqCst) >= 2, "it was asked again");
}

#[test]
fn what_fails_for_a_moment_is_asked_again() {
    let scripts: [Script; 3] = [
        |number| if number == 1 { None } else { good() },
        |number| if number == 1 { refused(400, "ThrottlingException") } else { good() },
        |number| if number == 1 { refused(500, "KMSInternalException") } else { good() },
    ];
    for script in scripts {
        assert_eq!(stand_in(script).ask(), Ok([7; 32]));
    }
}

#[test]
fn a_refusal_is_told_at_once() {
    let stand = stand_in(|_| refused(400, "AccessDeniedException"));
    let error = stand.ask().expect_err("refused");
    assert!(error.contains("my-key: AccessDeniedException: it is Acc"), "{error}");
    assert_eq!(stand.asked.load(Ordering::SeqCst), 1);
}

#[test]
fn an_answer_without_a_key_is_none() {
    let scripts: [Script; 4] = [
        |_| Some((200, "{}".to_owned())),
        |_| Some((200, "<html>".to_owned())),
        // 31 bytes.
        |_| Some((200, format!("{{\"Plaintext\":\"{}==\"}}", &KEY[..42]))),
        |_| Some((200, "{\"Plaintext\":\"?\"}".to_owned())),
    ];
    for script in scripts {
        let error = stand_in(script).ask().expect_err("no key");
        assert!(!error.contains("BwcHBw"), "{error}");
    }
}

#[test]
fn nobody_at_the_address_is_said_so() {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
    let (kms, _folder) = kms(port.expect("an address").port());
    let begun = Instant::now();
    let error = told(&kms.generate("my-key").err().expect("nobody"));
    assert!(begun.elapsed() < LIMITS.in_all + SLACK, "{:?}", begun.elapsed());
    let wanted = ["make a data key under my-key: Unreachable", "my-key: Timeout"];
    assert!(wanted.iter().any(|words| error.contains(words)), "{error}");
}
