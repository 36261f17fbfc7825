//! Runs vodmill's tasks: a queue of them, workers, media work in child processes, packages and
//! their proof.
//!
//! A job is a row of tasks: `plan`, then `video/…` chunks and `audio/…` tracks side by side, the
//! `segments/…` of each chunk after it, then `package`, then `publish`. Each is redone from its beginning when it is interrupted, and leaves
//! the same bytes.

mod admission;
mod asset_name;
mod cache;
pub mod child;
mod error;
mod file;
mod generation;
mod headers;
mod job;
pub mod keys;
mod litter;
mod mill;
pub mod original;
pub mod owner;
mod package;
mod progress;
mod proof;
mod receipt;
mod rekey;
mod renditions;
mod settings;
mod settle;
mod stages;
mod stop;
mod sweep;
mod work;

pub use error::{Error, Result};
pub use headers::is_media;
pub use job::{Disposal, Submission};
pub use litter::{Attic, Litter, LitterKind, old_scratch, old_uploads};
pub use mill::{
    Mill, Shared, Submitted, check, keys_of, names_path, plan, probe, queue_path, retry,
};
pub use package::KeyTable;
pub use progress::{Bar, progress};
pub use proof::{CheckReport, Finding};
pub use receipt::Receipt;
pub use rekey::{Rekey, Rekeyed};
pub use settings::{ChildCommand, Limits, Sandbox, Settings};
pub use settle::whereabouts;
pub use stop::{Stop, StopLevel};
pub use sweep::{OldGeneration, Sweep};
