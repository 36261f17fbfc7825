//! What all who publish must agree on.

use crate::error::Result;

/// Names of assets and numbers of generations, and the name of the home that gives them.
///
/// # Contract
///
/// - The same call always gets the same answer: a name or a number is given once, and never given
///   back.
/// - Of two that ask at once for the same name, one gets it and the other another.
pub trait Names: Send + Sync {
    /// Reserves an asset name for `owner`: `wanted` if it is free or already the owner's, otherwise
    /// `wanted-` and six hex digits of the owner's SHA-256. What the owner has under another name,
    /// of those that it was known by `before`, it keeps.
    fn claim_asset(&self, wanted: &str, owner: &str, before: &[String]) -> Result<String>;

    /// The number under which this job publishes this asset: one more than the highest so far, from
    /// 1.
    fn next_generation(&self, asset: &str, job: &str) -> Result<u32>;

    /// The assets that have had more than one number, by name.
    fn republished_assets(&self) -> Result<Vec<String>>;

    /// The name under which destinations belong to these names: `fresh` if they have none yet.
    fn owner_name(&self, fresh: &str) -> Result<String>;

    /// Notes that what is published at `place` is ours, even if others published it.
    fn adopt(&self, place: &str) -> Result<()>;

    /// Whether `place` was [adopted](Self::adopt).
    fn is_adopted(&self, place: &str) -> Result<bool>;
}
