//! A small HTTP/1.1 server on the loopback address, gone with its owner: for what the product asks.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `POST`, say.
    pub method: String,
    /// Path and query as sent.
    pub target: String,
    /// Headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Asked {
    /// A header's value; empty without one.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// What is answered to a request.
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Further headers, a line each.
    pub headers: Vec<String>,
    /// The body.
    pub body: String,
}

impl Answer {
    /// A status alone.
    pub fn status(status: u16) -> Answer {
        Answer { status, headers: Vec::new(), body: String::new() }
    }
}

/// Answers with what a function says; none for a connection that is closed without an answer.
pub struct HttpServer {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
    /// Scheme and host.
    start: &'static str,
}

impl HttpServer {
    /// Starts one on a free port.
    pub fn start(answer: impl Fn(Asked) -> Option<Answer> + Send + Sync + 'static) -> HttpServer {
        HttpServer::serve("http://127.0.0.1", move |stream| converse(stream, &answer))
    }

    /// As [`start`](HttpServer::start), over TLS, as `localhost`.
    pub fn secure(
        tls: Arc<ServerConfig>,
        answer: impl Fn(Asked) -> Option<Answer> + Send + Sync + 'static,
    ) -> HttpServer {
        HttpServer::serve("https://localhost", move |stream| {
            let connection = ServerConnection::new(Arc::clone(&tls)).expect("a good configuration");
            converse(StreamOwned::new(connection, stream), &answer);
        })
    }

    fn serve(start: &'static str, talk: impl Fn(TcpStream) + Send + Sync + 'static) -> HttpServer {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        let stopped = Arc::new(AtomicBool::new(false));
        let (talk, ends) = (Arc::new(talk), Arc::clone(&stopped));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ends.load(Ordering::SeqCst) {
                    return;
                }
                let talk = Arc::clone(&talk);
                thread::spawn(move || talk(stream));
            }
        });
        HttpServer { address, stopped, start }
    }

    /// A URL of it.
    pub fn url(&self, path: &str) -> String {
        format!("{}:{}{path}", self.start, self.address.port())
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the one that listens.
        drop(TcpStream::connect(self.address));
    }
}

/// One request, one answer.
fn converse(stream: impl Read + Write, answer: &dyn Fn(Asked) -> Option<Answer>) {
    let mut reader = BufReader::new(stream);
    let Some(asked) = read(&mut reader) else { return };
    let Some(answer) = answer(asked) else { return };
    let mut head = format!("HTTP/1.1 {} Said\r\n", answer.status);
    for line in &answer.headers {
        head.push_str(&format!("{line}\r\n"));
    }
    let length = answer.body.len();
    head.push_str(&format!("content-length: {length}\r\nconnection: close\r\n\r\n"));
    let mut stream = reader.into_inner();
    head.push_str(&answer.body);
    // Who asked may have gone.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.flush());
}

fn read(reader: &mut BufReader<impl Read>) -> Option<Asked> {
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        Some(line.trim_end().to_owned())
    };
    let first = line()?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let line = line()?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|it| it.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Asked { method, target, headers, body })
}
