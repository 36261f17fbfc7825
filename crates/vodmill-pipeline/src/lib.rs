//! Runs vodmill's tasks: a queue of them, workers, media work in child processes, packages and
//! their proof.
//!
//! A job is a row of tasks: `plan`, then `video/…` chunks and `audio/…` tracks side by side, the
//! `segments/…` of each chunk after it, then `package`, then `publish`. Each is redone from its beginning when it is interrupted, and leaves
//! the same bytes.

pub mod child;
mod error;
mod file;
mod generation;
mod housekeeping;
mod job;
mod measure;
pub mod original;
mod package;
mod proof;
mod publication;
mod published;
mod renditions;
mod settings;
mod stage_error;
mod stages;
mod standalone;
mod worker;

pub use error::{Error, Result};
pub use housekeeping::gc::{Garbage, GarbageKind, RenditionCache, old_scratch, old_uploads};
pub use housekeeping::old_generations::{OldGeneration, Sweep};
pub use housekeeping::settle::whereabouts;
pub use job::Submission;
pub use measure::{Candidate, Compared, MeasureOptions, PackageRungs, WorstFrame, measure};
pub use original::Disposal;
pub use proof::{CheckReport, Finding};
pub use publication::object_metadata::is_media;
pub use publication::owner;
pub use publication::rekey::{Rekey, Rekeyed};
pub use published::{Joined, Made, join};
pub use settings::{ChildCommand, Limits, Sandbox, Settings};
pub use standalone::{check, keys_of, plan, probe};
pub use worker::{
    Bar, Shared, Stop, StopLevel, Submitted, Worker, WorkerBuilder, names_path, progress,
    queue_path, retry,
};
