//! Connections to the parent that serves an original: made while this process may still connect,
//! used by one opening after the other.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use vodmill_model::original::Hello;
use vodmill_model::outcome::MediaError;

use crate::error;

/// Openings of an original at a time: to read it, to look whether it is whole, and one to spare.
const AT_A_TIME: usize = 4;

/// Connections that were made ahead and that nobody uses just now.
static AT_HAND: Mutex<Vec<Connection>> = Mutex::new(Vec::new());

/// Connects to the server of `original`, if it is served, as often as it will be open at a time.
pub(crate) fn reach(original: &Path) -> Result<(), MediaError> {
    let connect = || {
        if fs::metadata(original)?.file_type().is_socket() {
            for _ in 0..AT_A_TIME {
                let connection = Connection::make(original)?;
                at_hand().push(connection);
            }
        }
        Ok(())
    };
    connect().map_err(|cause: io::Error| error::file("open original", original, &cause))
}

fn at_hand() -> MutexGuard<'static, Vec<Connection>> {
    AT_HAND.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A connection to the server of an original.
#[derive(Clone, Debug)]
struct Connection {
    path: PathBuf,
    stream: Arc<UnixStream>,
    bytes: u64,
}

impl Connection {
    fn make(path: &Path) -> io::Result<Connection> {
        let (folder, name) = folder_and_name(path)?;
        let folder = File::open(folder)?;
        // A socket's address has room for 107 bytes, which a path may well exceed.
        let short = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(name);
        let mut stream = UnixStream::connect(short)?;
        let mut hello = [0; Hello::SIZE];
        stream.read_exact(&mut hello).map_err(gone)?;
        let hello = Hello::decode(hello).map_err(io::Error::other)?;
        Ok(Connection { path: path.to_owned(), stream: Arc::new(stream), bytes: hello.bytes })
    }
}

/// A connection in use. One that was made ahead is at hand again when this is dropped.
#[derive(Debug)]
pub(super) struct InUse {
    connection: Connection,
    reusable: bool,
}

impl InUse {
    /// One that is at hand, or a new one.
    pub(super) fn take(path: &Path) -> io::Result<InUse> {
        let mut at_hand = at_hand();
        match at_hand.iter().position(|connection| connection.path == path) {
            Some(index) => Ok(InUse { connection: at_hand.swap_remove(index), reusable: true }),
            None => Ok(InUse { connection: Connection::make(path)?, reusable: false }),
        }
    }

    /// Where requests go and answers come from.
    pub(super) fn stream(&self) -> &UnixStream {
        &self.connection.stream
    }

    /// Length of the original.
    pub(super) fn bytes(&self) -> u64 {
        self.connection.bytes
    }

    /// It broke, perhaps within an answer: nobody is to use it again.
    pub(super) fn give_up(&mut self) {
        self.reusable = false;
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        if self.reusable {
            at_hand().push(self.connection.clone());
        }
    }
}

fn folder_and_name(path: &Path) -> io::Result<(PathBuf, PathBuf)> {
    let path = std::path::absolute(path)?;
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => Ok((folder.to_owned(), name.into())),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
}

/// A connection that ends in mid-word is no end of the original.
pub(super) fn gone(cause: io::Error) -> io::Error {
    io::Error::other(format!("the server of the original went away ({cause})"))
}
