//! Renditions that are kept: rows here, bytes in a store.

use crate::error::Result;

/// Which renditions there are, found by what they were made of.
///
/// # Contract
///
/// - The bytes are in their place before the row is written, and the row is gone before they are
///   removed.
/// - The first row for a digest counts.
/// - None is evicted that was used since the oldest job that has not ended was enqueued.
pub trait RenditionIndex: Send + Sync {
    /// The rendition of this digest, if it is kept; it is now used.
    fn rendition(&self, digest: &str) -> Result<Option<RenditionInfo>>;

    /// Keeps a rendition whose bytes are in their place, and returns the row that counts: a caller
    /// that gets another place than its own removes its bytes.
    fn keep_rendition(&self, rendition: &RenditionInfo) -> Result<RenditionInfo>;

    /// Forgets renditions, the longest unused first, until the others have at most `keep_bytes`, and
    /// returns them: their bytes are now the caller's to remove.
    fn evict_renditions(&self, keep_bytes: u64) -> Result<Vec<RenditionInfo>>;

    /// What [`evict_renditions`](Self::evict_renditions) would forget now.
    fn evictable_renditions(&self, keep_bytes: u64) -> Result<Vec<RenditionInfo>>;

    /// Forgets a rendition whose bytes are missing or torn, if it is still the one in this place.
    fn forget_rendition(&self, digest: &str, place: &str) -> Result<()>;

    /// The places of renditions that begin with `prefix`, by digest; it looks at all of them, and
    /// marks nothing as used.
    fn rendition_places(&self, prefix: &str) -> Result<Vec<String>>;
}

/// A rendition; all of it is opaque but the number of bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RenditionInfo {
    /// What it was made from, and how.
    pub digest: String,
    /// Where its bytes are.
    pub place: String,
    /// How many bytes these are.
    pub bytes: u64,
    /// What is known of it.
    pub facts: String,
}
