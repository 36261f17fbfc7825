//! How a child sees an original: under a name of ours, as a file or as a socket that gives its
//! bytes. What a name can hold never reaches libav, and a child needs no network. A file is opened
//! once, here: the child gets its descriptor, and the name in the scratch folder leads to that.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use vodmill_model::MediaError;
use vodmill_store::s3::S3Settings;

use super::object::Ranges;
use super::{OpenOriginal, Original, Server};
use crate::file::failed;

/// An original on offer; withdrawn when it is dropped.
pub(crate) struct ServedOriginal {
    path: PathBuf,
    given: Given,
}

/// What the child reads from.
enum Given {
    File(OpenOriginal),
    Served { ranges: Arc<Ranges>, _server: Server },
}

impl ServedOriginal {
    /// Offers `original` as `original` in the folder `scratch`, if it is what was submitted.
    /// `sha256` is that of its content, once it is known.
    pub(crate) fn new(
        original: &Original,
        s3: &S3Settings,
        scratch: &Path,
        sha256: Option<&str>,
    ) -> Result<ServedOriginal, MediaError> {
        let path = scratch.join("original");
        let given = match original {
            Original::File(file) => {
                let open = file.open(sha256)?;
                symlink(open.held(), &path).map_err(failed("link", &path))?;
                Given::File(open)
            }
            Original::Object(object) => {
                let ranges = object.reader(s3);
                Given::Served { _server: Server::start(&path, ranges.clone())?, ranges }
            }
        };
        Ok(ServedOriginal { path, given })
    }

    /// Where a child opens it.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The open file, which the child is given.
    pub(crate) fn open(&self) -> Option<&OpenOriginal> {
        match &self.given {
            Given::File(open) => Some(open),
            Given::Served { .. } => None,
        }
    }

    /// Why its store did not give what a child asked for, if that happened.
    pub(crate) fn fault(&self) -> Option<String> {
        match &self.given {
            Given::File(_) => None,
            Given::Served { ranges, .. } => ranges.fault(),
        }
    }
}
