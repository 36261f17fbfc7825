//! Why a sync did not run.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::StoreError;

pub(super) type Result<T> = std::result::Result<T, SyncError>;

/// Why a sync did not run. What went wrong with single files is in its report.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// Not a glob.
    #[error("{glob:?} is not a glob: {why}")]
    Glob {
        /// The text.
        glob: String,
        /// What is wrong with it.
        why: String,
    },
    /// More would be deleted than is allowed; nothing was changed.
    #[error(
        "{count} of {objects} objects at the destination are not in the folder, and at most \
         {limit} may be deleted; nothing was changed. Among them:\n  {}",
        head.join("\n  ")
    )]
    TooManyDeletes {
        /// How many would be deleted.
        count: usize,
        /// How many may be.
        limit: usize,
        /// How many there are.
        objects: usize,
        /// The first of them.
        head: Vec<String>,
    },
    /// Another process syncs the same folder to the same place.
    #[error("another sync uses the manifest {}", .0.display())]
    Busy(PathBuf),
    /// The world of files is at fault.
    #[error("{operation} {object}")]
    Local {
        /// What was tried.
        operation: &'static str,
        /// On which file.
        object: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The store is at fault.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bucket was tried out and cannot be written to.
    #[error(transparent)]
    Bucket(Arc<StoreError>),
}

impl SyncError {
    /// A closure for `map_err` that names the operation and the file.
    pub(super) fn local(
        operation: &'static str,
        path: impl AsRef<Path>,
    ) -> impl FnOnce(io::Error) -> SyncError {
        move |source| {
            let object = path.as_ref().display().to_string();
            SyncError::Local { operation, object, source }
        }
    }
}
