//! What a point is without the feature.

use std::io;

/// Nothing to start.
///
/// # Errors
/// Never.
pub fn start() -> Result<(), String> {
    Ok(())
}

/// Nothing to hand on.
pub fn environment() -> std::iter::Empty<(&'static str, std::ffi::OsString)> {
    std::iter::empty()
}

#[inline(always)]
pub(crate) fn pass(_name: &str) -> io::Result<()> {
    Ok(())
}
