//! Keys in memory, so that the place where they are kept is asked seldom, and may be away for a
//! while.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use vodmill_hls::key::Kid;
use vodmill_hls::keyring::{KeyStore, KeyStoreError, StoredKey};

use super::bounded::Bounded;

/// Kids that are remembered, some 20 MB.
const REMEMBERED: usize = 65_536;

/// Looks at the store at a time; each may hold a thread for as long as the store takes.
const LOOKS: usize = 32;

/// How long a store that failed is left alone.
const REST: Duration = Duration::from_secs(1);

/// How long an unknown kid counts as unknown.
const UNKNOWN: Duration = Duration::from_secs(1);

/// How keys are kept in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// A key is given without asking the store for so long: what a revocation by another server may
    /// take to be heeded.
    pub fresh: Duration,
    /// While the store is away, a key that it gave is given for so long.
    pub keep: Duration,
    /// The store is away when it takes longer than this.
    pub patience: Duration,
}

impl Default for Memory {
    fn default() -> Memory {
        Memory {
            fresh: Duration::from_secs(5),
            keep: Duration::from_secs(300),
            patience: Duration::from_secs(2),
        }
    }
}

/// A key store behind its memory.
pub(crate) struct KeyCache {
    store: Arc<dyn KeyStore>,
    memory: Memory,
    slots: Bounded<Kid, Arc<Slot>>,
    looks: Arc<Semaphore>,
    /// Until then the store is not asked.
    resting: Mutex<Option<Instant>>,
}

#[derive(Default)]
struct Slot {
    seen: Mutex<Option<Seen>>,
    /// Who has it asks the store; all others would ask the same.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Seen {
    key: Option<Arc<StoredKey>>,
    at: Instant,
}

/// The store did not answer, and what it said before is too old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Away;

impl KeyCache {
    pub(crate) fn new(store: Arc<dyn KeyStore>, memory: Memory) -> KeyCache {
        KeyCache {
            store,
            memory,
            slots: Bounded::new(REMEMBERED),
            looks: Arc::new(Semaphore::new(LOOKS)),
            resting: Mutex::default(),
        }
    }

    /// The key, from memory or from the store; none if there is none.
    pub(crate) async fn get(&self, kid: Kid) -> Result<Option<Arc<StoredKey>>, Away> {
        let slot = self.slots.change(kid, Arc::default, |slot| Arc::clone(slot));
        if let Some(seen) = self.fresh(&slot) {
            return Ok(seen.key);
        }
        let _asking = match (slot.asking.try_lock(), self.kept(&slot)) {
            (Ok(asking), _) => asking,
            // Somebody asks already.
            (Err(_), Some(seen)) => return Ok(seen.key),
            (Err(_), None) => slot.asking.lock().await,
        };
        if let Some(seen) = self.fresh(&slot) {
            return Ok(seen.key);
        }
        match self.ask(kid).await {
            Ok(key) => {
                let key = key.map(Arc::new);
                let seen = Seen { key: key.clone(), at: Instant::now() };
                *slot.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
                Ok(key)
            }
            Err(away) => self.kept(&slot).map(|seen| seen.key).ok_or(away),
        }
    }

    /// Forgets everything: something was changed in the store.
    pub(crate) fn clear(&self) {
        self.slots.clear();
    }

    fn fresh(&self, slot: &Slot) -> Option<Seen> {
        let seen = slot.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        let good = if seen.key.is_some() { self.memory.fresh } else { UNKNOWN };
        (seen.at.elapsed() < good).then_some(seen)
    }

    /// What may be given while the store is away: keys only. An unknown kid may have come to be.
    fn kept(&self, slot: &Slot) -> Option<Seen> {
        let seen = slot.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        (seen.key.is_some() && seen.at.elapsed() < self.memory.keep).then_some(seen)
    }

    async fn ask(&self, kid: Kid) -> Result<Option<StoredKey>, Away> {
        if self.rests() {
            return Err(Away);
        }
        let error = match tokio::time::timeout(self.memory.patience, self.look(kid)).await {
            Ok(Ok(found)) => return Ok(found),
            Ok(Err(error)) => error,
            Err(_) => "it does not answer".to_owned(),
        };
        self.rest();
        tracing::error!(%kid, error, "key store away");
        Err(Away)
    }

    /// One look at the store, in a thread where it may wait. It goes on where nobody waits for it any
    /// more, and counts among the looks until it has ended.
    async fn look(&self, kid: Kid) -> Result<Option<StoredKey>, String> {
        let look = Arc::clone(&self.looks).acquire_owned().await;
        let look = look.map_err(|error| error.to_string())?;
        let store = Arc::clone(&self.store);
        let found = tokio::task::spawn_blocking(move || {
            let _look = look;
            store.get(&kid).map_err(|error| told(&error))
        });
        found.await.map_err(|error| error.to_string())?
    }

    fn rests(&self) -> bool {
        let resting = *self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.is_some_and(|until| Instant::now() < until)
    }

    fn rest(&self) {
        *self.resting.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + REST);
    }
}

/// An error with its causes.
pub(crate) fn told(error: &KeyStoreError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
