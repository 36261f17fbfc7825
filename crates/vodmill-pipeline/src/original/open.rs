//! Opening a file that a stranger may exchange at any moment: its name is looked at once, never
//! followed, and nothing that is no regular file is ever opened. A FIFO would hold its reader for
//! ever, a device may act on being opened, a link may lead to another user's file.

use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::{FileExt as _, FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use ring::digest::{Context, SHA256};
use rustix::fs::{CWD, Mode, OFlags, openat};
use serde::{Deserialize, Serialize};

/// Bytes of the head and of the tail that tell a file from another of the same length.
const SAMPLE: u64 = 32 << 10;

/// What the kernel says of a file, as far as it tells one state of it from another. Nobody can set
/// the time of change, as anybody can that of modification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Its file system.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
    /// Its size in bytes.
    pub bytes: u64,
    /// When its content was last said to be modified, in nanoseconds since 1970.
    pub modified: i128,
    /// When anything of it last changed, in nanoseconds since 1970.
    pub changed: i128,
}

impl Facts {
    /// What is in `metadata`.
    pub fn of(metadata: &Metadata) -> Facts {
        let nanoseconds =
            |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        Facts {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.len(),
            modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// A regular file, open for reading, and what it was when it was opened.
#[derive(Debug)]
pub struct OpenOriginal {
    /// Its descriptor: what its name comes to mean later is of no account.
    pub file: File,
    /// Its facts.
    pub facts: Facts,
}

/// Whether a link in the place of a file is followed: for one that a person names on a command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Links {
    Refused,
    Followed,
}

impl OpenOriginal {
    /// Opens the regular file at `path`, which must be no link. Never blocks on what is none.
    ///
    /// # Errors
    /// If there is none, or it cannot be read; [`io::ErrorKind::InvalidInput`] where something else
    /// than a regular file is there.
    pub fn at(path: &Path) -> io::Result<OpenOriginal> {
        OpenOriginal::with(path, Links::Refused)
    }

    pub(super) fn with(path: &Path, links: Links) -> io::Result<OpenOriginal> {
        let follow = match links {
            Links::Refused => OFlags::NOFOLLOW,
            Links::Followed => OFlags::empty(),
        };
        // A path alone opens nothing: it only holds what is there.
        let place = openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC | follow, Mode::empty())?;
        let place = File::from(place);
        let metadata = place.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, kind_of(&metadata)));
        }
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = File::from(openat(CWD, held(&place), flags, Mode::empty())?);
        let facts = Facts::of(&file.metadata()?);
        Ok(OpenOriginal { file, facts })
    }

    /// A digest of its length, head and tail.
    pub(super) fn sample(&self) -> io::Result<String> {
        let bytes = self.facts.bytes;
        let mut hash = Context::new(&SHA256);
        hash.update(&bytes.to_be_bytes());
        let mut buffer = vec![0; SAMPLE.min(bytes) as usize];
        for offset in [0, bytes.saturating_sub(SAMPLE)] {
            self.file.read_exact_at(&mut buffer, offset)?;
            hash.update(&buffer);
        }
        Ok(hex::encode(&hash.finish().as_ref()[..16]))
    }

    /// SHA-256 of all that is in it, read with bounded memory.
    pub(super) fn sha256(&self) -> io::Result<String> {
        let mut hash = Context::new(&SHA256);
        let mut buffer = vec![0; 1 << 18];
        let mut offset = 0;
        loop {
            let count = self.file.read_at(&mut buffer, offset)?;
            if count == 0 {
                return Ok(hex::encode(hash.finish()));
            }
            hash.update(&buffer[..count]);
            offset += count as u64;
        }
    }

    /// The path by which a process that has this descriptor opens the file anew.
    pub(crate) fn held(&self) -> PathBuf {
        held(&self.file)
    }

    /// The descriptor once more, to be given to a child.
    pub(crate) fn descriptor(&self) -> io::Result<OwnedFd> {
        Ok(self.file.try_clone()?.into())
    }
}

fn held(file: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

/// In words, what is there instead of a file.
fn kind_of(metadata: &Metadata) -> &'static str {
    let kind = metadata.file_type();
    match () {
        () if kind.is_symlink() => "it is a link",
        () if kind.is_dir() => "it is a folder",
        () if kind.is_fifo() => "it is a pipe",
        () if kind.is_socket() => "it is a socket",
        () => "it is a device",
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use rustix::fs::FileType;

    use super::*;

    #[test]
    fn only_regular_files_are_opened_and_nothing_blocks() {
        let folder = tempfile::tempdir().expect("scratch");
        let at = |name: &str| folder.path().join(name);
        fs::write(at("film.ts"), "media").expect("write");
        symlink(at("film.ts"), at("link")).expect("link");
        symlink(at("nothing"), at("dangling")).expect("link");
        fs::create_dir(at("folder")).expect("folder");
        rustix::fs::mknodat(CWD, at("pipe"), FileType::Fifo, Mode::RWXU, 0).expect("pipe");
        let _socket = UnixListener::bind(at("socket")).expect("socket");
        for name in ["link", "dangling", "folder", "pipe", "socket"] {
            let refused = OpenOriginal::at(&at(name)).expect_err(name);
            assert_eq!(refused.kind(), io::ErrorKind::InvalidInput, "{name}: {refused}");
        }
        assert!(OpenOriginal::at(Path::new("/dev/zero")).is_err());
        let open = OpenOriginal::at(&at("film.ts")).expect("a file");
        fs::remove_file(at("film.ts")).expect("remove");
        assert_eq!(fs::read(open.held()).expect("still there"), b"media");
        assert!(OpenOriginal::with(&at("link"), Links::Followed).is_err(), "its file is gone");
    }

    #[test]
    fn a_sample_tells_heads_tails_and_lengths_apart() {
        let folder = tempfile::tempdir().expect("scratch");
        let sample = |bytes: &[u8]| {
            let path = folder.path().join("a");
            fs::write(&path, bytes).expect("write");
            OpenOriginal::at(&path).and_then(|open| open.sample()).expect("sample")
        };
        let long = vec![7; 100_000];
        let mut other_head = long.clone();
        other_head[0] = 8;
        let mut other_tail = long.clone();
        other_tail[99_999] = 8;
        let all = [sample(&long), sample(&other_head), sample(&other_tail), sample(&long[1..])];
        let several: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(several.len(), all.len());
        assert_eq!(sample(&long), all[0]);
        assert_ne!(sample(b""), sample(b"\0"));
    }
}
