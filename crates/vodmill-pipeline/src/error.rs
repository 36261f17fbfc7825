//! What can go wrong with the worker itself.

use std::path::PathBuf;

use vodmill_keys::KeyStoreError;
use vodmill_model::{Failed, MediaError};
use vodmill_store::StoreError;

/// The result of an operation of the worker.
pub type Result<T> = std::result::Result<T, Error>;

/// Why the worker did not do something.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process works in this state folder.
    #[error("another vodmill is at work: it holds {0}")]
    Busy(PathBuf),
    /// There is no such pipeline.
    #[error("there is no pipeline {0:?}; `vodmill pipelines` lists those there are")]
    NoPipeline(String),
    /// The queue failed.
    #[error(transparent)]
    Queue(#[from] vodmill_queue::Error),
    /// The key store failed.
    #[error("key store")]
    Keys(#[from] KeyStoreError),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Media work was refused or failed.
    #[error(transparent)]
    Media(#[from] MediaError),
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Error {
        Error::Media(failed.into())
    }
}
