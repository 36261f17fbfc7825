//! The end of a sync: objects that have no file are deleted.

use super::Sync;
use super::report::Tally;

/// Names of which the store is told at a time.
const AT_ONCE: usize = 1000;

impl Sync<'_> {
    /// Deletes `names`: what was to come last goes first, so that nothing points to what has gone.
    /// Nothing is deleted after a failure: what is missing may be what replaces it.
    pub(super) fn delete_extra(&self, mut names: Vec<String>, tally: &mut Tally<'_>) {
        names.sort_by_cached_key(|name| std::cmp::Reverse((self.phase)(name, None)));
        let phases = names.chunk_by(|one, two| (self.phase)(one, None) == (self.phase)(two, None));
        for some in phases.flat_map(|phase| phase.chunks(AT_ONCE)) {
            if tally.has_failures() {
                tally.spare(some.len());
            } else if self.dry_run {
                tally.deleted(some);
            } else {
                self.delete_some(some, tally);
            }
        }
    }

    fn delete_some(&self, names: &[String], tally: &mut Tally<'_>) {
        let keys: Vec<String> = names.iter().map(|name| format!("{}{name}", self.prefix)).collect();
        match self.bucket.delete_many(&keys) {
            Ok(()) => tally.deleted(names),
            Err(error) => tally.fail(&names[0], &error),
        }
    }
}
