//! An original that is a file.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use vodmill_model::outcome::Reason;
use vodmill_model::{Failed, MediaError, Rejected};

use super::away;
use super::open::{Facts, Links, OpenOriginal};
use super::writers::{OpenFiles, Writers};
use crate::file::failed;

/// A file and its state when it was submitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileOriginal {
    /// Its absolute path.
    #[serde(with = "path_bytes")]
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its modification time in nanoseconds since 1970.
    pub modified: i128,
    /// What tells it from another of that size and time; jobs of older builds have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Mark>,
    /// Whether its path may lead over a link: where a person named it, and no stranger can.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub follow: bool,
}

/// What tells a file from another that has taken its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// What the kernel said of it.
    pub facts: Facts,
    /// A digest of its length, head and tail; or of all of it, where these did not tell it apart.
    pub digest: String,
}

impl FileOriginal {
    /// The file as it is now. A link is none.
    ///
    /// # Errors
    /// If it cannot be looked at.
    pub fn at(path: impl Into<PathBuf>) -> Result<FileOriginal, Failed> {
        FileOriginal::with(path.into(), Links::Refused)
    }

    /// As [`at`](Self::at), for a path that a person named: links on it are meant.
    ///
    /// # Errors
    /// As `at`.
    pub fn named(path: impl Into<PathBuf>) -> Result<FileOriginal, Failed> {
        FileOriginal::with(path.into(), Links::Followed)
    }

    fn with(path: PathBuf, links: Links) -> Result<FileOriginal, Failed> {
        let open = OpenOriginal::with(&path, links).map_err(failed("look at", &path))?;
        let digest = open.sample().map_err(failed("read", &path))?;
        let (facts, follow) = (open.facts, links == Links::Followed);
        let (bytes, modified) = (facts.bytes, facts.modified);
        Ok(FileOriginal { path, bytes, modified, mark: Some(Mark { facts, digest }), follow })
    }

    /// Whether it is what `facts` say.
    pub fn has(&self, facts: &Facts) -> bool {
        self.mark.as_ref().is_some_and(|mark| mark.facts == *facts)
    }

    pub(super) fn identity(&self) -> (Vec<u8>, String) {
        let digest = self.mark.as_ref().map(|mark| format!(" {}", mark.digest));
        let version = format!("{} {}{}", self.bytes, self.modified, digest.unwrap_or_default());
        (self.path.as_os_str().as_bytes().to_vec(), version)
    }

    /// Whether another job's original is this very content.
    pub(super) fn is_same(&self, other: &FileOriginal) -> bool {
        let plain = |file: &FileOriginal| (file.path.clone(), file.bytes, file.modified);
        let digests = self.mark.as_ref().zip(other.mark.as_ref());
        plain(self) == plain(other) && digests.is_none_or(|(a, b)| a.digest == b.digest)
    }

    /// The same file, told by all of its content from others whose head and tail are the same.
    pub(super) fn told_by(mut self, sha256: &str) -> FileOriginal {
        if let Some(mark) = &mut self.mark {
            sha256.clone_into(&mut mark.digest);
        }
        self
    }

    /// Opens the file that was submitted, or refuses what is in its place. `sha256` is that of its
    /// content, once it is known.
    pub(super) fn open(&self, sha256: Option<&str>) -> Result<OpenOriginal, MediaError> {
        let links = if self.follow { Links::Followed } else { Links::Refused };
        let open = match OpenOriginal::with(&self.path, links) {
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                return Err(changed(format!("something else took its place: {error}")));
            }
            open => open.map_err(failed("look at", &self.path))?,
        };
        let now = open.facts;
        if (now.bytes, now.modified) != (self.bytes, self.modified) {
            let detail = format!("{} bytes when it was taken, {} bytes now", self.bytes, now.bytes);
            return Err(changed(detail));
        }
        let Some(mark) = &self.mark else { return Ok(open) };
        // Device numbers are given anew at every boot, and by every machine.
        let is_untouched = (now.inode, now.changed) == (mark.facts.inode, mark.facts.changed);
        if is_untouched && now.device == mark.facts.device {
            return Ok(open);
        }
        let is_same = self.is_content(&open, mark, sha256.filter(|_| !is_untouched));
        match is_same.map_err(failed("read", &self.path))? {
            true => Ok(open),
            false => Err(changed("another file of the same size and time took its place")),
        }
    }

    /// Whether an open file holds what was submitted, though something of it has changed: its mode or
    /// a label, say, that no content depends on.
    fn is_content(
        &self,
        open: &OpenOriginal,
        mark: &Mark,
        sha256: Option<&str>,
    ) -> io::Result<bool> {
        let is_whole_digest = mark.digest.len() == 64;
        if !is_whole_digest && open.sample()? != mark.digest {
            return Ok(false);
        }
        match sha256.or(Some(mark.digest.as_str()).filter(|_| is_whole_digest)) {
            Some(sha256) => Ok(sha256_once(open)? == sha256),
            None => Ok(true),
        }
    }

    /// The SHA-256 of the file as it is now, if it is the one that was submitted.
    pub(super) fn sha256(&self) -> Result<String, MediaError> {
        let open = self.open(None)?;
        Ok(sha256_once(&open).map_err(failed("read", &self.path))?)
    }

    /// Whether it is the file that a job was about, without reading more than its head and tail.
    pub(super) fn is_untouched(&self, other: &FileOriginal) -> bool {
        self.mark.is_some() && self.mark == other.mark
    }

    /// Moves the file to a name that is free in `folder`, with a note beside it. One that was taken
    /// away or replaced is left alone.
    pub(super) fn move_to(
        &self,
        folder: &str,
        note: Option<&str>,
        sha256: Option<&str>,
    ) -> Result<Option<PathBuf>, Failed> {
        match self.open(sha256) {
            Ok(open) => {
                self.refuse_writers(&open)?;
                away::put_away(&self.path, &open, Path::new(folder), note).map(Some)
            }
            Err(MediaError::Rejected(_)) => Ok(None),
            Err(MediaError::Failed(_)) if away::is_gone(&self.path) => Ok(None),
            Err(MediaError::Failed(failed)) => Err(failed),
        }
    }

    /// Whoever writes to it still is let finish, since it may be more than was published.
    fn refuse_writers(&self, open: &OpenOriginal) -> Result<(), Failed> {
        let seen = OpenFiles::look().and_then(|files| files.writers(&open.file));
        match seen.map_err(failed("look for writers of", &self.path))? {
            Writers::Somebody(program) => {
                let stage = format!("move {}", self.path.display());
                Err(Failed::new(stage, format!("{program} has it open for writing")))
            }
            Writers::Nobody | Writers::OutOfSight => Ok(()),
        }
    }
}

fn changed(detail: impl Into<String>) -> MediaError {
    Rejected::new(Reason::Changed, detail).into()
}

/// Digests of whole files that were read lately, by what the kernel says of them.
static READ: Mutex<VecDeque<(Facts, String)>> = Mutex::new(VecDeque::new());

/// How many of them are kept.
const KEPT: usize = 64;

fn sha256_once(open: &OpenOriginal) -> io::Result<String> {
    let read = || READ.lock().unwrap_or_else(PoisonError::into_inner);
    let known = read().iter().find(|(facts, _)| *facts == open.facts).map(|(_, sha)| sha.clone());
    if let Some(known) = known {
        return Ok(known);
    }
    let sha256 = open.sha256()?;
    // Written to while it was read: not what these facts stand for.
    if Facts::of(&open.file.metadata()?) == open.facts {
        let mut read = read();
        read.push_back((open.facts, sha256.clone()));
        if read.len() > KEPT {
            read.pop_front();
        }
    }
    Ok(sha256)
}

/// A path as text where it is UTF-8, else as bytes.
mod path_bytes {
    use super::*;
    use serde::{Deserializer, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Form {
        Text(String),
        Bytes(Vec<u8>),
    }

    pub(super) fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
        let form = match path.to_str() {
            Some(text) => Form::Text(text.to_owned()),
            None => Form::Bytes(path.as_os_str().as_bytes().to_vec()),
        };
        form.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<PathBuf, D::Error> {
        Ok(match Form::deserialize(deserializer)? {
            Form::Text(text) => PathBuf::from(text),
            Form::Bytes(bytes) => PathBuf::from(OsString::from_vec(bytes)),
        })
    }
}
