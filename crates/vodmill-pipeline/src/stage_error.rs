//! Why a stage did not end well, by what is to be done about it.

use vodmill_keys::KeyStoreError;
use vodmill_model::{Failed, MediaError, Rejected};
use vodmill_store::StoreError;

/// Why a stage did not come to its end.
#[derive(Debug)]
pub(crate) enum StageError {
    /// The media work refused its input, or failed.
    Media(MediaError),
    /// This machine has too little memory, disk or descriptors for it now; says which.
    NoCapacity(String),
    /// A store or the queue does not answer: no fault of the work, which is tried for longer.
    Unavailable(Failed),
    /// A store answers, and will not do it before somebody has mended something: credentials, a
    /// bucket, rights on a folder.
    Misconfigured(Failed),
    /// No further attempt mends it.
    Permanent(Failed),
    /// It was stopped before it was done: parked, cancelled, or its lease was lost.
    Interrupted,
}

impl StageError {
    /// For `map_err`: a store did not do what `stage` needs. Whether that may pass, the error says.
    pub(crate) fn unavailable<E: std::error::Error + 'static>(
        stage: impl Into<String>,
    ) -> impl FnOnce(E) -> Self {
        let stage = stage.into();
        move |error| {
            let failed = Failed::from_error(stage, &error);
            if is_lasting(&error) {
                StageError::Misconfigured(failed)
            } else {
                StageError::Unavailable(failed)
            }
        }
    }

    /// With the last lines of a child's log, where it failed.
    pub(crate) fn with_log(mut self, log: &str) -> StageError {
        if let StageError::Media(MediaError::Failed(failed)) = &mut self
            && !log.is_empty()
        {
            failed.cause.push_str("\nlast lines of the log:\n");
            failed.cause.push_str(log);
        }
        self
    }
}

/// Whether an error is one of a store, or of keys, that no repetition mends.
fn is_lasting(error: &(dyn std::error::Error + 'static)) -> bool {
    let keys = matches!(
        error.downcast_ref(),
        Some(KeyStoreError::BadSet | KeyStoreError::KidTaken(_) | KeyStoreError::Unwrap(_))
    );
    keys || error.downcast_ref().is_some_and(StoreError::is_lasting)
}

impl From<MediaError> for StageError {
    fn from(error: MediaError) -> StageError {
        StageError::Media(error)
    }
}

impl From<Failed> for StageError {
    fn from(failed: Failed) -> StageError {
        StageError::Media(failed.into())
    }
}

impl From<Rejected> for StageError {
    fn from(rejected: Rejected) -> StageError {
        StageError::Media(rejected.into())
    }
}

impl From<vodmill_queue::Error> for StageError {
    fn from(error: vodmill_queue::Error) -> StageError {
        StageError::unavailable("ask the queue")(error)
    }
}
