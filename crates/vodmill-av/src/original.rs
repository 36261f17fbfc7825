//! The bytes of an original: a file, or what the parent process serves on a Unix socket
//! ([`vodmill_model::original`]).

mod connection;

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use vodmill_model::original::{Answer, MAX_BYTES, Request};
use vodmill_model::outcome::MediaError;

use crate::error;

pub(crate) use connection::reach;
use connection::{InUse, gone};

/// An original, open for reading.
#[derive(Debug)]
pub(crate) enum Original {
    /// On a disk.
    File(File),
    /// Behind a socket.
    Served(Served),
}

impl Original {
    /// Opens the file or connects to the socket at `path`.
    pub(crate) fn open(path: &Path) -> Result<Original, MediaError> {
        let open = || match fs::metadata(path)?.file_type().is_socket() {
            true => Served::open(path).map(Original::Served),
            false => File::open(path).map(Original::File),
        };
        open().map_err(|cause| error::file("open original", path, &cause))
    }

    /// Its length in bytes.
    pub(crate) fn bytes(&self) -> io::Result<u64> {
        match self {
            Original::File(file) => Ok(file.metadata()?.len()),
            Original::Served(served) => Ok(served.length()),
        }
    }
}

impl Read for Original {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Original::File(file) => file.read(buffer),
            Original::Served(served) => served.read(buffer),
        }
    }
}

impl Seek for Original {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Original::File(file) => file.seek(to),
            Original::Served(served) => served.seek(to),
        }
    }
}

/// Why the bytes of a connection cannot be had any more. libav hands on numbers and may take an
/// error for the end of the file; this keeps the words, and that it was no end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fault(Arc<OnceLock<String>>);

impl Fault {
    /// What was the first to go wrong.
    pub(crate) fn get(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }

    /// Notes an error; it never looks like an end of the file.
    fn note(&self, cause: &io::Error) -> io::Error {
        io::Error::other(self.0.get_or_init(|| cause.to_string()).clone())
    }
}

/// An original that the parent serves, read through a connection of its own.
#[derive(Debug)]
pub(crate) struct Served {
    connection: InUse,
    position: u64,
    fault: Fault,
}

impl Served {
    fn open(path: &Path) -> io::Result<Served> {
        Ok(Served { connection: InUse::take(path)?, position: 0, fault: Fault::default() })
    }

    fn length(&self) -> u64 {
        self.connection.bytes()
    }

    /// What will have gone wrong with this connection.
    pub(crate) fn fault(&self) -> Fault {
        self.fault.clone()
    }

    fn fetch(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = u32::try_from(buffer.len()).unwrap_or(MAX_BYTES).min(MAX_BYTES);
        let request = Request { offset: self.position, length };
        let bytes = self.length();
        let mut stream = self.connection.stream();
        stream.write_all(&request.encode()).map_err(gone)?;
        let mut head = [0; Answer::SIZE];
        stream.read_exact(&mut head).map_err(gone)?;
        match Answer::decode(head, length).map_err(io::Error::other)? {
            Answer::Bytes(0) => {
                Err(io::Error::other(format!("no bytes at {} of {bytes}", self.position)))
            }
            Answer::Bytes(got) => {
                let got = got as usize;
                stream.read_exact(&mut buffer[..got]).map_err(gone)?;
                Ok(got)
            }
            Answer::Failed(length) => {
                let mut text = vec![0; length as usize];
                stream.read_exact(&mut text).map_err(gone)?;
                Err(io::Error::other(String::from_utf8_lossy(&text).into_owned()))
            }
        }
    }
}

impl Read for Served {
    /// Fills the buffer but at the end, as reading a file does: where packets of some raw
    /// formats end depends on it.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(fault) = self.fault.get() {
            return Err(io::Error::other(fault.to_owned()));
        }
        let left =
            usize::try_from(self.length().saturating_sub(self.position)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let mut got = 0;
        while got < wanted {
            let more = match self.fetch(&mut buffer[got..wanted]) {
                Ok(more) => more,
                Err(cause) => {
                    self.connection.give_up();
                    return Err(self.fault.note(&cause));
                }
            };
            got += more;
            self.position += more as u64;
        }
        Ok(got)
    }
}

impl Seek for Served {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.length().checked_add_signed(by),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
