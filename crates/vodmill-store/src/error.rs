//! What can go wrong, each naming the operation and its object.

use std::io;

/// The result of a store operation.
pub type Result<T> = std::result::Result<T, StoreError>;

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
    /// A closure for `map_err` that names the operation and the object.
    pub(crate) fn io(
        operation: &'static str,
        object: impl ToString,
    ) -> impl FnOnce(io::Error) -> StoreError {
        move |source| StoreError::Io { operation, object: object.to_string(), source }
    }
}
