//! A connection that breaks at the worst moment.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Passes bytes between a queue and its server; when armed, it swallows the answer to the next
/// COMMIT, and breaks the connection.
pub struct Thief {
    armed: Arc<AtomicBool>,
    pub port: u16,
}

impl Thief {
    pub fn new(server: u16) -> Self {
        let armed = Arc::new(AtomicBool::new(false));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let trap = armed.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, trap) = (client.unwrap(), trap.clone());
                let server = TcpStream::connect(("127.0.0.1", server)).unwrap();
                thread::spawn(move || serve(client, server, &trap));
            }
        });
        Self { armed, port }
    }

    /// Runs `operation` with its first answer lost.
    pub fn robbed<T>(&self, operation: impl FnOnce() -> T) -> T {
        self.armed.store(true, Ordering::SeqCst);
        let result = operation();
        assert!(!self.armed.load(Ordering::SeqCst), "nothing was committed");
        result
    }
}

fn serve(mut client: TcpStream, mut server: TcpStream, armed: &AtomicBool) {
    let (mut answers, mut back) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let stolen = Arc::new(AtomicBool::new(false));
    let robbed = stolen.clone();
    thread::spawn(move || {
        let mut buffer = [0; 65536];
        while let Ok(length @ 1..) = answers.read(&mut buffer) {
            if robbed.load(Ordering::SeqCst) || back.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        let _ = back.shutdown(Shutdown::Both);
        let _ = answers.shutdown(Shutdown::Both);
    });
    let mut buffer = [0; 65536];
    while let Ok(length @ 1..) = client.read(&mut buffer) {
        let sent = &buffer[..length];
        let commits = sent.windows(7).any(|bytes| bytes == b"COMMIT\0");
        if commits && armed.swap(false, Ordering::SeqCst) {
            stolen.store(true, Ordering::SeqCst);
        }
        if server.write_all(sent).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Both);
}
