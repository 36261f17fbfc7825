//! The parent's side of an original's socket: [`vodmill_model::original`].

use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use vodmill_model::Failed;
use vodmill_model::original::{Answer, Hello, MAX_MESSAGE, Request};

use super::ReadAt;
use super::read_ahead::ReadAhead;
use crate::file::failed;

/// Connections at a time; a child has three at most.
const CONNECTIONS: usize = 32;

/// Bytes that are sent at once: an answer to libav, with its head.
const SEND: usize = (32 << 10) + Answer::SIZE;

/// Between two tries to accept a connection where the first failed, for want of descriptors say.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves an original on a socket, to any number of openings. Dropped, it ends its threads and
/// removes the socket: whoever reads then gets an error, never an end.
#[derive(Debug)]
pub struct Server {
    path: PathBuf,
    /// Device and inode of the socket: another server may have taken its place.
    socket: (u64, u64),
    /// The listening socket, to wake the thread that accepts.
    listener: UnixStream,
    stopping: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves `source` at `path`; a socket that is there already is replaced.
    pub fn start(path: &Path, source: Arc<dyn ReadAt>) -> Result<Server, Failed> {
        let (listener, socket) = listen(path).map_err(failed("serve original at", path))?;
        let waker = listener.try_clone().map_err(failed("serve original at", path))?;
        let stopping = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopping);
        let acceptor = thread::Builder::new()
            .name("original".to_owned())
            .spawn(move || accept(&listener, &source, &stop))
            .map_err(failed("serve original at", path))?;
        Ok(Server {
            path: path.to_owned(),
            socket,
            listener: UnixStream::from(OwnedFd::from(waker)),
            stopping,
            acceptor: Some(acceptor),
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if inode(&self.path).is_ok_and(|inode| inode == self.socket) {
            // One that stays is replaced by the next server, or goes with the scratch.
            let _ = fs::remove_file(&self.path);
        }
        self.stopping.store(true, Ordering::Release);
        // A listening socket that is shut down accepts no more, and wakes who waits for it.
        let _ = self.listener.shutdown(Shutdown::Both);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

/// Binds through the open folder: an address has room for 107 bytes, which a path may well exceed.
fn listen(path: &Path) -> io::Result<(UnixListener, (u64, u64))> {
    let path = std::path::absolute(path)?;
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    if fs::symlink_metadata(&path).is_ok_and(|there| there.file_type().is_socket()) {
        fs::remove_file(&path)?;
    }
    let folder = File::open(folder)?;
    let short = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(name);
    let listener = UnixListener::bind(short)?;
    Ok((listener, inode(&path)?))
}

fn inode(path: &Path) -> io::Result<(u64, u64)> {
    let there = fs::symlink_metadata(path)?;
    Ok((there.dev(), there.ino()))
}

/// Accepts until the listening socket is shut down, then ends all connections.
fn accept(listener: &UnixListener, source: &Arc<dyn ReadAt>, stopping: &AtomicBool) {
    let mut connections = Vec::new();
    while !stopping.load(Ordering::Acquire) {
        match listener.accept() {
            Ok((stream, _)) => {
                connections.retain(|connection: &Connection| !connection.thread.is_finished());
                // One too many finds itself disconnected.
                if connections.len() < CONNECTIONS {
                    connections.extend(Connection::start(stream, source));
                }
            }
            Err(_) if stopping.load(Ordering::Acquire) => break,
            Err(error) => {
                tracing::warn!(%error, "a connection to an original was not accepted");
                thread::sleep(PAUSE);
            }
        }
    }
    for connection in &connections {
        let _ = connection.stream.shutdown(Shutdown::Both);
    }
    for connection in connections {
        let _ = connection.thread.join();
    }
}

/// One opening of the original.
struct Connection {
    stream: UnixStream,
    thread: JoinHandle<()>,
}

impl Connection {
    fn start(stream: UnixStream, source: &Arc<dyn ReadAt>) -> Option<Connection> {
        let (ours, source) = (stream.try_clone().ok()?, Arc::clone(source));
        let serve = move || {
            // Most often the reader is gone: it has what it wanted, or was killed.
            if let Err(error) = serve(&stream, source) {
                tracing::debug!(%error, "a connection to an original broke");
            }
            // The other handle of it lives on for a while.
            let _ = stream.shutdown(Shutdown::Both);
        };
        let thread = thread::Builder::new().name("original".to_owned()).spawn(serve).ok()?;
        Some(Connection { stream: ours, thread })
    }
}

/// Answers requests until the reader closes its end, as it may do between any two.
fn serve(mut stream: &UnixStream, source: Arc<dyn ReadAt>) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(SEND, stream);
    out.write_all(&Hello { bytes: source.bytes() }.encode())?;
    out.flush()?;
    let mut ahead = ReadAhead::new(source);
    loop {
        let mut request = [0; Request::SIZE];
        match stream.read_exact(&mut request) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            read => read?,
        }
        let request = Request::decode(request).map_err(io::Error::other)?;
        match ahead.read(request.offset, request.length as usize) {
            Ok(bytes) => {
                // Not longer than the request.
                out.write_all(&Answer::Bytes(bytes.len() as u32).encode())?;
                out.write_all(bytes)?;
            }
            Err(error) => {
                let Request { offset, length } = request;
                tracing::warn!(offset, length, %error, "an original could not be read");
                let text = error.to_string();
                let end = text.floor_char_boundary(MAX_MESSAGE as usize);
                out.write_all(&Answer::Failed(end as u32).encode())?;
                out.write_all(&text.as_bytes()[..end])?;
            }
        }
        out.flush()?;
    }
}

#[cfg(test)]
mod tests;
