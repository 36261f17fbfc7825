//! What can go wrong, each naming the operation and its object.

use std::io;

use crate::s3::RemoteError;

/// The result of a store operation.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Why a store operation did not happen.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Not a key.
    #[error("{0:?} cannot be the key of an object")]
    BadKey(String),
    /// No object has this key.
    #[error("there is no object {0}")]
    NotFound(String),
    /// A file of a tree cannot be an object: not a plain file, or not named in UTF-8.
    #[error("{0} cannot be published")]
    NotAnObject(String),
    /// There is an object where a new one was to be.
    #[error("there is an object {0} already")]
    Exists(String),
    /// The object is not the one that was meant: it has another ETag or version.
    #[error("the object {0} has changed")]
    Changed(String),
    /// The object is in an archive, and its bytes cannot be had before it is restored.
    #[error("the object {0} is archived: `vodmill restore {0}` brings it back")]
    Archived(String),
    /// Where it leads may be outside the folder: nothing is kept behind it.
    #[error(
        "{0} is a symbolic link, behind which nothing is published or served: make it a folder, or \
         name the folder that it leads to as the destination"
    )]
    Link(String),
    /// Neither a folder nor a place in a bucket.
    #[error("{location:?} is no place for objects: {why}")]
    BadLocation {
        /// As it was given.
        location: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A server that cannot be trusted with objects.
    #[error("bucket {bucket} cannot be written to: {why}")]
    BadServer {
        /// The bucket.
        bucket: String,
        /// What it got wrong.
        why: String,
    },
    /// S3 did not do it, however often it was tried; may be tried again later.
    #[error("{operation} {object}")]
    Remote {
        /// What was tried.
        operation: &'static str,
        /// On which object.
        object: String,
        /// Why it failed.
        #[source]
        source: RemoteError,
    },
    /// The world is at fault; may be tried again.
    #[error("{operation} {object}")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On which object or file.
        object: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

impl StoreError {
    /// Whether only a change by the operator can help: no repetition will.
    pub fn is_lasting(&self) -> bool {
        use io::ErrorKind::*;
        match self {
            StoreError::Remote { source, .. } => source.is_lasting(),
            StoreError::Io { source, .. } => matches!(
                source.kind(),
                NotFound
                    | PermissionDenied
                    | ReadOnlyFilesystem
                    | NotADirectory
                    | IsADirectory
                    | InvalidFilename
                    | AlreadyExists
            ),
            StoreError::BadKey(_)
            | StoreError::NotAnObject(_)
            | StoreError::Link(_)
            | StoreError::BadLocation { .. }
            | StoreError::BadServer { .. } => true,
            StoreError::NotFound(_)
            | StoreError::Exists(_)
            | StoreError::Changed(_)
            | StoreError::Archived(_) => false,
        }
    }

    /// A closure for `map_err` that names the operation and the object.
    pub(crate) fn io(
        operation: &'static str,
        object: impl ToString,
    ) -> impl FnOnce(io::Error) -> StoreError {
        move |source| StoreError::Io { operation, object: object.to_string(), source }
    }
}
