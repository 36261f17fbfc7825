//! Stands between the client and the server, and spoils what the test says.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// A request that came by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    /// Path and query of the URL.
    pub path: String,
    pub length: usize,
    head: String,
}

impl Request {
    /// Whether it sends a part of a multipart upload.
    pub fn is_part(&self) -> bool {
        self.method == "PUT" && self.path.contains("partNumber=")
    }

    /// Whether it joins the parts.
    pub fn is_complete(&self) -> bool {
        self.method == "POST" && self.path.contains("uploadId=")
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let line = |line: &'_ str| line.to_ascii_lowercase().starts_with(&format!("{name}:"));
        self.head.lines().find(|text| line(text)).map(|text| text[name.len() + 1..].trim())
    }
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug)]
pub enum Then {
    /// The server gets it, and its answer goes back.
    Pass,
    /// It is answered with this status and code, and the server never sees it.
    Answer(u16, &'static str),
    /// The connection is cut in the middle of the body.
    Cut,
    /// The server gets it, and its answer is lost.
    Lose,
    /// The server gets it, and something else is answered.
    Instead(u16, &'static str),
    /// The answer's first text becomes the second, of the same length.
    Replace(&'static str, &'static str),
    /// What follows the first text in the answer becomes the second.
    Overwrite(&'static str, &'static str),
    /// The first byte of the answer's body is another.
    Spoil,
    /// A byte of the request's body is another when it reaches the server.
    SpoilBody,
    /// The answer comes byte by byte.
    Drip,
}

type Decide = dyn Fn(&Request) -> Then + Send + Sync;

pub struct Proxy {
    pub endpoint: String,
    notes: Arc<Notes>,
}

#[derive(Default)]
struct Notes {
    seen: Mutex<Vec<Request>>,
    answered: Mutex<Vec<Request>>,
    more: Condvar,
}

impl Proxy {
    /// A proxy before `server`; `decide` is asked about each request. It lives as long as the test
    /// binary.
    pub fn new(
        server: SocketAddr,
        decide: impl Fn(&Request) -> Then + Send + Sync + 'static,
    ) -> Proxy {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("its address"));
        let shared = Arc::new(Notes::default());
        let (decide, notes): (Arc<Decide>, _) = (Arc::new(decide), shared.clone());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (decide, notes) = (decide.clone(), notes.clone());
                // A client that goes away in between is no matter.
                thread::spawn(move || serve(&client, server, &*decide, &notes));
            }
        });
        Proxy { endpoint, notes: shared }
    }

    /// The requests so far, those that were spoilt among them.
    pub fn seen(&self) -> Vec<Request> {
        self.notes.seen.lock().expect("notes").clone()
    }

    /// Waits until so many of the requests that are meant have been answered.
    pub fn wait_for(&self, count: usize, is_meant: impl Fn(&Request) -> bool) {
        let answered = self.notes.answered.lock().expect("notes");
        let too_few =
            |all: &mut Vec<Request>| all.iter().filter(|one| is_meant(one)).count() < count;
        let limit = Duration::from_secs(60);
        let waited = self.notes.more.wait_timeout_while(answered, limit, too_few);
        assert!(!waited.expect("notes").1.timed_out(), "{count} requests were not answered");
    }

    pub fn count(&self, is_meant: impl Fn(&Request) -> bool) -> usize {
        self.seen().iter().filter(|request| is_meant(request)).count()
    }
}

fn serve(client: &TcpStream, server: SocketAddr, decide: &Decide, notes: &Notes) -> io::Result<()> {
    let mut reader = BufReader::new(client);
    while let Some(request) = read_request(&mut reader)? {
        let then = decide(&request);
        notes.seen.lock().expect("notes").push(request.clone());
        let mut body =
            vec![0; if matches!(then, Then::Cut) { request.length / 2 } else { request.length }];
        reader.read_exact(&mut body)?;
        if let (Then::SpoilBody, Some(byte)) = (then, body.get_mut(request.length / 2)) {
            *byte ^= 1;
        }
        let answer = match then {
            Then::Cut => return reset(client),
            Then::Answer(status, code) => error(status, code),
            Then::Instead(status, code) => {
                forward(server, &request, &body)?;
                error(status, code)
            }
            Then::Lose => {
                forward(server, &request, &body)?;
                return reset(client);
            }
            _ => forward(server, &request, &body)?,
        };
        send(client, &changed(answer, then), matches!(then, Then::Drip))?;
        notes.answered.lock().expect("notes").push(request);
        notes.more.notify_all();
    }
    Ok(())
}

/// Ends the connection with RST, which is what a host that fell over does.
fn reset(client: &TcpStream) -> io::Result<()> {
    client.shutdown(std::net::Shutdown::Both)
}

fn read_request(reader: &mut BufReader<&TcpStream>) -> io::Result<Option<Request>> {
    let mut head = String::new();
    loop {
        let before = head.len();
        if reader.read_line(&mut head)? == 0 {
            return Ok(None);
        }
        if head.len() - before <= 2 {
            break;
        }
    }
    let mut words = head.split(' ');
    let mut word = || words.next().unwrap_or_default().to_owned();
    let (method, path) = (word(), word());
    let mut request = Request { method, path, length: 0, head };
    request.length = request.header("content-length").map_or(0, |n| n.parse().expect("a number"));
    Ok(Some(request))
}

/// The server's whole answer.
fn forward(server: SocketAddr, request: &Request, body: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server)?;
    // The signature does not cover this header, and it makes the end of the answer plain.
    let head = request.head.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

fn error(status: u16, code: &str) -> Vec<u8> {
    let body = format!("<Error><Code>{code}</Code><Message>by the test</Message></Error>");
    let length = body.len();
    let head = format!("HTTP/1.1 {status} Test\r\nContent-Type: application/xml\r\n");
    format!("{head}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}").into_bytes()
}

fn changed(mut answer: Vec<u8>, then: Then) -> Vec<u8> {
    match then {
        Then::Replace(from, to) => {
            assert_eq!(from.len(), to.len(), "the length stands in a header");
            let at = answer.windows(from.len()).position(|bytes| bytes == from.as_bytes());
            if let Some(at) = at {
                answer[at..at + to.len()].copy_from_slice(to.as_bytes());
            }
        }
        Then::Overwrite(after, to) => {
            let at = answer.windows(after.len()).position(|bytes| bytes == after.as_bytes());
            let at = at.expect("the text") + after.len();
            answer[at..at + to.len()].copy_from_slice(to.as_bytes());
        }
        Then::Spoil => {
            let at = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a head") + 4;
            answer[at] ^= 1;
        }
        _ => {}
    }
    answer
}

fn send(mut client: &TcpStream, answer: &[u8], slowly: bool) -> io::Result<()> {
    if !slowly {
        client.write_all(answer)?;
        return client.shutdown(std::net::Shutdown::Both);
    }
    let head = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a head") + 4;
    client.write_all(&answer[..head])?;
    for byte in &answer[head..] {
        client.write_all(std::slice::from_ref(byte))?;
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
