//! What an original is read from, by ranges.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// The bytes of an original, wherever it lies. Called from several threads at once; every call
/// ends, with the bytes or with an error, within a time that the implementation bounds.
pub trait ReadAt: Send + Sync {
    /// Its length in bytes; never changes.
    fn bytes(&self) -> u64;

    /// Exactly the `length` bytes from `offset` on, all of which lie within [`Self::bytes`]. The
    /// implementation retries what may pass; its error's text reaches the evidence of the task.
    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>>;
}

/// A file on a disk.
#[derive(Debug)]
pub struct OpenFile {
    file: File,
    bytes: u64,
}

impl OpenFile {
    /// Opens the file at `path`.
    pub fn open(path: &Path) -> io::Result<OpenFile> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        Ok(OpenFile { file, bytes })
    }
}

impl ReadAt for OpenFile {
    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, offset)?;
        Ok(bytes)
    }
}
