//! What wrapping anew could not do.

use super::{KeyStoreError, backend};
use crate::set::WrappedKeySet;

/// Sets that could not be wrapped anew: the others are, and the old key is still needed.
#[derive(Default)]
pub(super) struct Unopened {
    pub(super) count: usize,
}

impl Unopened {
    pub(super) fn note(&mut self, set: &WrappedKeySet, error: &KeyStoreError) {
        let (asset, generation) = (&set.asset, &set.generation);
        let error = error as &dyn std::error::Error;
        tracing::error!(asset, generation, error, "keys not wrapped anew");
        self.count += 1;
    }

    /// `wrapped`, unless there are any.
    pub(super) fn or(&self, wrapped: usize) -> Result<usize, KeyStoreError> {
        if self.count == 0 {
            return Ok(wrapped);
        }
        Err(backend(format!(
            "{wrapped} generations wrapped anew, and {} that do not open: the old key-encryption \
             key is still needed",
            self.count
        )))
    }
}
