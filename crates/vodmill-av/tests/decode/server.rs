//! A small server of originals, as the parent process is one, that can be in trouble.

use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use vodmill_model::original::{Answer, Hello, Request};

/// What happens to who reads at `from` or beyond.
#[derive(Clone, Copy, Debug)]
pub enum Trouble {
    /// Nothing.
    None,
    /// It is told that it cannot be had.
    Fails { from: u64 },
    /// The server ends the connection in the middle of its answer.
    Leaves { from: u64 },
}

pub struct Server {
    path: PathBuf,
    stopping: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
    sent: Arc<AtomicU64>,
}

impl Server {
    pub fn start(path: &Path, content: Vec<u8>, trouble: Trouble) -> Server {
        let _ = std::fs::remove_file(path);
        let listener = UnixListener::bind(path).unwrap();
        let (content, stopping) = (Arc::new(content), Arc::new(AtomicBool::new(false)));
        let stop = Arc::clone(&stopping);
        let sent = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&sent);
        let acceptor = thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                let (stream, content, sent) = (stream.unwrap(), content.clone(), count.clone());
                // It ends with its reader.
                thread::spawn(move || serve(stream, &content, &sent, trouble));
            }
        });
        Server { path: path.to_owned(), stopping, acceptor: Some(acceptor), sent }
    }

    /// Bytes that were read, by all readers.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }

    /// Stops, and leaves the socket where it is.
    pub fn leave_socket(mut self) {
        self.stop();
    }

    fn stop(&mut self) {
        if let Some(acceptor) = self.acceptor.take() {
            self.stopping.store(true, Ordering::SeqCst);
            drop(UnixStream::connect(&self.path));
            acceptor.join().unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        let _ = std::fs::remove_file(&self.path);
    }
}

fn serve(
    mut stream: UnixStream,
    content: &[u8],
    sent: &AtomicU64,
    trouble: Trouble,
) -> io::Result<()> {
    stream.write_all(&Hello { bytes: content.len() as u64 }.encode())?;
    loop {
        let mut request = [0; Request::SIZE];
        stream.read_exact(&mut request)?;
        let request = Request::decode(request).unwrap();
        let from = content.len().min(request.offset as usize);
        // Less than asked for, now and then: it is the reader's to ask again.
        let to = content.len().min(from + (request.length as usize).min(20_000));
        let bytes = &content[from..to];
        match trouble {
            Trouble::Fails { from } if to as u64 > from => {
                let text = b"the bucket is on fire";
                stream.write_all(&Answer::Failed(text.len() as u32).encode())?;
                stream.write_all(text)?;
            }
            Trouble::Leaves { from } if to as u64 > from => {
                stream.write_all(&Answer::Bytes(bytes.len() as u32).encode())?;
                return stream.write_all(&bytes[..bytes.len() / 2]);
            }
            _ => {
                sent.fetch_add(bytes.len() as u64, Ordering::SeqCst);
                stream.write_all(&Answer::Bytes(bytes.len() as u32).encode())?;
                stream.write_all(bytes)?;
            }
        }
    }
}
