//! Errors of libav with the operation and the object.

use std::io;
use std::path::Path;

use vodmill_model::outcome::{Failed, MediaError, Reason, Rejected};

/// An error of libav in `operation` on `object`.
pub(crate) fn libav(
    operation: &str,
    object: impl std::fmt::Display,
    cause: ffmpeg_next::Error,
) -> MediaError {
    // Without it, libav's errors have no text.
    crate::libav::prepare();
    let disk_full =
        matches!(cause, ffmpeg_next::Error::Other { errno: ffmpeg_next::error::ENOSPC });
    Failed { disk_full, ..Failed::new(format!("{operation} {object}"), cause) }.into()
}

/// An error of the operating system in `operation` on `path`.
pub(crate) fn file(operation: &str, path: &Path, cause: &io::Error) -> MediaError {
    let cause = io::Error::new(cause.kind(), cause.to_string());
    Failed::from_error(format!("{operation} {}", path.display()), &cause).into()
}

/// A failure of `operation` on `object`.
pub(crate) fn failed(
    operation: &str,
    object: impl std::fmt::Display,
    cause: impl std::fmt::Display,
) -> MediaError {
    Failed::new(format!("{operation} {object}"), cause).into()
}

/// A refusal of the input.
pub(crate) fn rejected(reason: Reason, detail: impl Into<String>) -> MediaError {
    Rejected::new(reason, detail).into()
}
