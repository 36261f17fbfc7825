//! How a child sees an original: under a name of ours, as a file or as a socket that gives its
//! bytes. What a name can hold never reaches libav, and a child needs no network.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use vodmill_model::Failed;
use vodmill_store::s3::S3Settings;

use super::object::Ranges;
use super::{Original, Server};
use crate::file::failed;

/// An original on offer; withdrawn when it is dropped.
pub(crate) struct Offer {
    path: PathBuf,
    served: Option<(Server, Arc<Ranges>)>,
}

impl Offer {
    /// Offers `original` as `original` in the folder `scratch`.
    pub(crate) fn new(
        original: &Original,
        s3: &S3Settings,
        scratch: &Path,
    ) -> Result<Offer, Failed> {
        let path = scratch.join("original");
        let served = match original {
            Original::File(file) => {
                symlink(&file.path, &path).map_err(failed("link", &path))?;
                None
            }
            Original::Object(object) => {
                let ranges = object.reader(s3);
                Some((Server::start(&path, ranges.clone())?, ranges))
            }
        };
        Ok(Offer { path, served })
    }

    /// Where a child opens it.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Why its store did not give what a child asked for, if that happened.
    pub(crate) fn fault(&self) -> Option<String> {
        self.served.as_ref().and_then(|(_, ranges)| ranges.fault())
    }
}
