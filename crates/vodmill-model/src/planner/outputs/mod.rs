//! What is published, a file for each kind of output.

pub(super) mod file;
pub(super) mod hls;
pub(super) mod stills;
