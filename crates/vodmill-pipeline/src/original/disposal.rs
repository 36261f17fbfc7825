//! Where an original goes when its job has ended.

use serde::{Deserialize, Serialize};

/// What becomes of an original when its job has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposal {
    /// It stays where it is.
    Leave,
    /// It moves, after publication or refusal.
    Move {
        /// Folder, or prefix in a bucket, for published originals.
        done: String,
        /// The same for refused ones, each with its reason beside it.
        rejected: String,
        /// Storage class of published originals in a bucket; the bucket's own without one.
        #[serde(default)]
        done_class: Option<String>,
    },
}
