//! Stands between a client and the server: notes every request, and lets the test act on it.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The server gets it.
    Pass,
    /// It is refused for good.
    Refuse,
    /// Nobody answers, as long as the test lives.
    Hang,
}

/// Decides about a request by its method and the path and query of its URL.
type Decide = dyn Fn(&str, &str) -> Then + Send + Sync;

pub struct Tap {
    pub endpoint: String,
    requests: Arc<Mutex<Vec<(String, String)>>>,
}

impl Tap {
    /// A tap on the server at `server`.
    pub fn new(
        server: SocketAddr,
        decide: impl Fn(&str, &str) -> Then + Send + Sync + 'static,
    ) -> Tap {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (log, decide): (_, Arc<Decide>) = (requests.clone(), Arc::new(decide));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (log, decide) = (log.clone(), decide.clone());
                // A client that leaves is no fault of the test's.
                thread::spawn(move || drop(serve(client, server, &log, &*decide)));
            }
        });
        Tap { endpoint, requests }
    }

    /// Paths of the requests of this method so far, in their order; queries cut off.
    pub fn paths(&self, method: &str) -> Vec<String> {
        let requests = self.requests.lock().expect("whole");
        let of_method = requests.iter().filter(|(it, _)| it == method);
        of_method.map(|(_, target)| target.split('?').next().expect("one").to_owned()).collect()
    }

    /// Requests that change something.
    pub fn writes(&self) -> usize {
        ["PUT", "POST", "DELETE"].into_iter().map(|method| self.paths(method).len()).sum()
    }
}

/// One request for each connection.
fn serve(
    client: TcpStream,
    server: SocketAddr,
    log: &Mutex<Vec<(String, String)>>,
    decide: &Decide,
) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    let mut words = head.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<u64>().ok())?
    });
    log.lock().expect("whole").push((method.to_owned(), target.to_owned()));
    let then = decide(method, target);
    if then == Then::Hang {
        loop {
            thread::park();
        }
    }
    let mut body = reader.take(length.unwrap_or(0));
    if then == Then::Refuse {
        io::copy(&mut body, &mut io::sink())?;
        let answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        return (&client).write_all(answer);
    }
    let mut upstream = TcpStream::connect(server)?;
    let head = head.trim_end();
    write!(upstream, "{head}\r\nConnection: close\r\n\r\n")?;
    io::copy(&mut body, &mut upstream)?;
    io::copy(&mut upstream, &mut &client).map(drop)
}
