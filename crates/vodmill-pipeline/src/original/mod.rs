//! Originals: as they were delivered, as a child reads them, and where they go in the end.

mod away;
mod disposal;
mod file;
mod late;
mod names;
mod object;
mod open;
mod read;
mod read_ahead;
mod serve;
mod served;
mod writers;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use vodmill_model::{Failed, MediaError};
use vodmill_store::StoreError;
use vodmill_store::s3::S3Settings;

pub use disposal::Disposal;
pub use file::{FileOriginal, Mark};
pub(crate) use late::{LateWriters, WATCH};
pub(crate) use names::hidden;
pub use object::ObjectOriginal;
pub use open::{Facts, OpenOriginal};
pub use read::{OpenFile, ReadAt};
pub use serve::Server;
pub(crate) use served::ServedOriginal;
pub use writers::{OpenFiles, Writers};

/// An original: where it is, and what tells this content from another of the same name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Original {
    /// A file that every worker sees under the same path.
    File(FileOriginal),
    /// An object of a bucket.
    Object(ObjectOriginal),
}

impl Original {
    /// Where it is, as text: a path, or `s3://bucket/key`.
    pub fn source(&self) -> String {
        match self {
            Original::File(file) => file.path.to_string_lossy().into_owned(),
            Original::Object(object) => object.source(),
        }
    }

    /// Its size.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Original::File(file) => file.bytes,
            Original::Object(object) => object.bytes,
        }
    }

    /// The last part of its name, as bytes: a name need not be UTF-8.
    pub(crate) fn file_name(&self) -> &std::ffi::OsStr {
        match self {
            Original::File(file) => file.path.file_name().unwrap_or_default(),
            Original::Object(object) => object.file_name().as_ref(),
        }
    }

    /// What its identity is made of, as bytes that no other original has.
    pub(crate) fn identity(&self) -> (Vec<u8>, String) {
        match self {
            Original::File(file) => file.identity(),
            Original::Object(object) => object.identity(),
        }
    }

    /// Whether another one is the same content in the same place.
    pub(crate) fn is_same(&self, other: &Original) -> bool {
        match (self, other) {
            (Original::File(one), Original::File(other)) => one.is_same(other),
            (one, other) => one.identity() == other.identity(),
        }
    }

    /// Refuses to go on with an original that is not the one that was submitted. `sha256` is that of
    /// its content, once it is known.
    pub(crate) fn check_unchanged(
        &self,
        s3: &S3Settings,
        sha256: Option<&str>,
    ) -> Result<(), Unchecked> {
        match self {
            Original::File(file) => Ok(file.open(sha256).map(drop)?),
            Original::Object(object) => object.check_unchanged(s3),
        }
    }

    /// The same one, told by all of its content from what another job was about, where that was of
    /// the same size, time, head and tail. None where it is the very same.
    pub(crate) fn told_from(
        &self,
        other: &Original,
        sha256: &str,
    ) -> Result<Option<Original>, MediaError> {
        let (Original::File(file), Original::File(other)) = (self, other) else { return Ok(None) };
        if file.is_untouched(other) {
            return Ok(None);
        }
        let own = file.sha256()?;
        Ok((own != sha256).then(|| Original::File(file.clone().told_by(&own))))
    }

    /// Where it is after publication.
    pub(crate) fn whereabouts(&self, disposal: &Disposal, job: &str) -> Whereabouts {
        let done = match disposal {
            Disposal::Move { done, .. } => Some(done.as_str()),
            Disposal::Leave => None,
        };
        match self {
            Original::File(file) => {
                let folder = file.path.parent().unwrap_or(&file.path).to_string_lossy();
                let name = self.file_name().to_string_lossy().into_owned();
                Whereabouts::File { folder: done.unwrap_or(&folder).to_owned(), name }
            }
            Original::Object(object) => {
                Whereabouts::Objects { places: object.places(done, job), bytes: object.bytes }
            }
        }
    }

    /// Moves it where its pipeline says, with a note beside it where it was refused. One that was
    /// moved by an earlier attempt, taken away or replaced is left alone. The new path of a file.
    pub(crate) fn put_away(
        &self,
        s3: &S3Settings,
        disposal: &Disposal,
        ended: &Ended<'_>,
    ) -> Result<Option<PathBuf>, Failed> {
        let Disposal::Move { done, rejected, done_class } = disposal else { return Ok(None) };
        let place = if ended.note.is_some() { rejected } else { done };
        match self {
            Original::File(file) => file.move_to(place, ended.note, ended.sha256),
            Original::Object(object) => {
                let class = done_class.as_deref().filter(|_| ended.note.is_none());
                object.move_to(s3, place, ended.job, ended.note, class).map(|()| None)
            }
        }
    }
}

/// How the job of an original ended.
pub(crate) struct Ended<'a> {
    /// The job's id.
    pub job: &'a str,
    /// Why it was refused, if it was.
    pub note: Option<&'a str>,
    /// SHA-256 of the content that it was about, if it came so far.
    pub sha256: Option<&'a str>,
}

/// Where an original may be, now that its job has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// In this folder, or where it was delivered, under this name.
    File {
        /// The folder.
        folder: String,
        /// The name that it was delivered under.
        name: String,
    },
    /// One of these objects, by bucket and key: the first that is there with this size.
    Objects {
        /// The likeliest first.
        places: Vec<(String, String)>,
        /// Its size.
        bytes: u64,
    },
}

/// Why an original was not found to be what it was.
pub(crate) enum Unchecked {
    /// It is another one, or a disk fails.
    Media(MediaError),
    /// It cannot be read before somebody does something about it.
    Lasting(Failed),
    /// The store does not answer.
    Away(StoreError),
}

impl<E: Into<MediaError>> From<E> for Unchecked {
    fn from(error: E) -> Unchecked {
        Unchecked::Media(error.into())
    }
}
