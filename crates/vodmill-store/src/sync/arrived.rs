//! Before anything is deleted: whether what was uploaded is where it was put.
//!
//! Some servers keep an object under another key than the one that it was given: they write `/` for
//! `\`, or fold the forms of letters that Unicode has several of. Such an object looks like one
//! that has no file.

use super::report::Tally;
use super::send::SendError;
use super::{Result, Sent, Sync, list};

impl Sync<'_> {
    /// Looks at the destination once more. What is missing under its name, or was replaced, counts as
    /// a failure, after which nothing is deleted.
    pub(super) fn look_for(&self, sent: &Sent, tally: &mut Tally<'_>) -> Result<()> {
        if sent.is_empty() || tally.has_failures() {
            return Ok(());
        }
        let there = list(self.bucket, self.prefix)?;
        let mut lost: Vec<&String> = sent
            .iter()
            .filter(|(name, etag)| there.get(*name).is_none_or(|object| object.etag != **etag))
            .map(|(name, _)| name)
            .collect();
        lost.sort_unstable();
        lost.into_iter().for_each(|name| tally.fail(name, &SendError::Elsewhere));
        Ok(())
    }
}
