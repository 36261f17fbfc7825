//! Clients that hold connections and do nothing with them.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use vodmill_api::{KeySettings, Limits};

use crate::client::{Demo, demo_at, key_server};
use crate::operators::{SEGMENTER, credentials};

const PATIENCE: Duration = Duration::from_secs(20);
const SOON: Duration = Duration::from_millis(300);

fn within(limits: Limits) -> Demo {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    demo_at(false, KeySettings::default(), address, Some(limits))
}

fn limits() -> Limits {
    Limits { connections: 12, per_address: 6, head: PATIENCE * 2, write: PATIENCE * 2 }
}

fn connect(demo: &Demo) -> TcpStream {
    let stream = TcpStream::connect(demo.server.address()).expect("connect");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    stream
}

#[test]
fn silent_connections_give_way_to_new_ones() {
    let demo = within(limits());
    let mut held: Vec<TcpStream> = Vec::new();
    for round in 0..50 {
        let mut stream = connect(&demo);
        if round % 2 == 0 {
            stream.write_all(b"GET / HTTP/1.1\r\nhost: loc").expect("half a head");
        }
        held.push(stream);
    }
    assert_eq!(demo.get("/player.js").status, 200, "there is room for who asks");
    let first = held[0].read(&mut [0; 1]);
    assert!(!matches!(first, Ok(1..)), "the first is closed: {first:?}");
}

#[test]
fn a_head_that_never_ends_is_not_waited_for() {
    let demo = within(Limits { head: SOON, ..limits() });
    let mut stream = connect(&demo);
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nx: ").expect("half a head");
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    assert!(read.is_ok(), "it is closed: {read:?}");
}

#[test]
fn a_client_that_does_not_read_is_let_go() {
    let demo = within(Limits { write: SOON, ..limits() });
    let name = "talk/g0001-11111111/hls/low/long.ts";
    let long = std::fs::File::create(demo.home.path().join("published").join(name));
    long.expect("a file").set_len(256 << 20).expect("more than any buffer");
    let mut stream = connect(&demo);
    let request = format!("GET /published/{name} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("ask");
    let start = Instant::now();
    // A connection that nobody reads from at the other end refuses what is written.
    while stream.write_all(b"\r\n").is_ok() {
        assert!(start.elapsed() < PATIENCE, "it is still held");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn who_reads_slowly_gets_all_of_it() {
    let demo = within(Limits { write: Duration::from_secs(2), ..limits() });
    let name = "talk/g0001-11111111/hls/low/long.ts";
    let long = std::fs::File::create(demo.home.path().join("published").join(name));
    long.expect("a file").set_len(32 << 20).expect("more than a buffer");
    let mut stream = connect(&demo);
    let request =
        format!("GET /published/{name} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("ask");
    let (mut all, mut part) = (0, vec![0; 1 << 20]);
    loop {
        match stream.read(&mut part).expect("bytes") {
            0 => break,
            count => all += count,
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(all > 32 << 20, "{all}");
}

#[test]
fn a_body_that_never_ends_is_not_waited_for() {
    let folder = tempfile::tempdir().expect("scratch");
    let settings = KeySettings {
        credentials: Some(credentials(&folder)),
        body_time: SOON,
        ..KeySettings::default()
    };
    let store = std::sync::Arc::new(vodmill_keys::MemoryKeyStore::new());
    let server = key_server(store, settings);
    let mut stream = TcpStream::connect(server.address()).expect("connect");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    let request = format!(
        "POST /v1/keys HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {SEGMENTER}\r\n\
         content-length: 100\r\n\r\n{{"
    );
    stream.write_all(request.as_bytes()).expect("ask");
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 408");
}
