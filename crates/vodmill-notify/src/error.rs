//! Why something was not sent.

use std::time::Duration;

/// The result of sending.
pub type Result<T> = std::result::Result<T, Error>;

/// Why something was not sent. No text has a secret in it, nor what a receiver answered in full.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A secret cannot be used.
    #[error("secret: {0}")]
    BadSecret(&'static str),
    /// The address cannot be asked for.
    #[error("address {0} cannot be used")]
    BadAddress(String),
    /// There was no answer: no connection, or one that broke.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// The answer did not come in time.
    #[error("no answer within {0} s")]
    TooLate(u64),
    /// The receiver does not want it.
    #[error("answered {status}")]
    Refused {
        /// What it answered.
        status: u16,
        /// How long it is to be left alone, as it says (RFC 9110, 10.2.3).
        retry_after: Duration,
    },
    /// The receiver is gone for good (RFC 9110, 15.5.11).
    #[error("answered 410: there is nobody any more")]
    Gone,
    /// A service of AWS refused.
    #[error("{code}: {message}")]
    Aws {
        /// The service's code, as `TooManyInvalidationsInProgress`.
        code: String,
        /// What it says.
        message: String,
    },
    /// The request could not be made.
    #[error("{operation}: {cause}")]
    Unmade {
        /// What was being done.
        operation: &'static str,
        /// Why it was not possible.
        cause: String,
    },
}

impl Error {
    /// Whether no further attempt can change it.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Error::Gone)
    }

    /// How long the other side wants to be left alone.
    pub(crate) fn retry_after(&self) -> Duration {
        match self {
            Error::Refused { retry_after, .. } => *retry_after,
            _ => Duration::ZERO,
        }
    }

    /// An error of a library, with all its causes.
    pub(crate) fn unmade(operation: &'static str, error: &dyn std::error::Error) -> Error {
        Error::Unmade { operation, cause: chain(error) }
    }
}

/// An error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
