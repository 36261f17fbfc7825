//! Keys in memory, so that the place where they are kept is asked seldom, and may be away for a
//! while.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use quick_cache::sync::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use vodmill_clock::Clock;
use vodmill_keys::{KeyStore, KeyStoreError, Kid, StoredKey};

use super::limits::{Limiter, Rate};

/// Kids that are remembered, some 20 MB.
const REMEMBERED: usize = 65_536;

/// Looks at the store at a time; each may hold a thread for as long as the store takes.
const LOOKS: usize = 32;

/// How long a store that failed is left alone.
const REST: Duration = Duration::from_secs(1);

/// How long an unknown kid counts as unknown.
const UNKNOWN: Duration = Duration::from_secs(1);

/// Of these, looks for one viewer at a time.
const LOOKS_EACH: usize = 4;

/// How often a viewer may ask for keys that there are not. Players ask for what playlists name; and
/// a look for what is nowhere may take as long as there are keys.
const STRAYS: Rate = Rate { per_second: 1, burst: 20 };

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
    slots: Cache<Kid, Arc<Slot>>,
    looks: Arc<Semaphore>,
    /// Those of each viewer.
    looks_each: Cache<u64, Arc<Semaphore>>,
    /// Viewers who asked for keys that there are not.
    strays: Limiter<u64>,
    /// The uptime until which the store is not asked.
    resting: Mutex<Option<Duration>>,
    clock: Arc<dyn Clock>,
}

/// Places among the looks of a viewer, and among all.
type Turns = [OwnedSemaphorePermit; 2];

#[derive(Default)]
struct Slot {
    seen: Mutex<Option<Seen>>,
    /// Who has it asks the store; all others would ask the same.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Seen {
    key: Option<Arc<StoredKey>>,
    /// The uptime then.
    at: Duration,
}

/// Why it is not known whether there is a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// The store did not answer, and what it said before is too old.
    Away,
    /// This viewer asked for too many keys that there are not, and has to wait so long.
    TooMany(Duration),
}

impl KeyCache {
    pub(crate) fn new(store: Arc<dyn KeyStore>, memory: Memory, clock: Arc<dyn Clock>) -> KeyCache {
        KeyCache {
            store,
            memory,
            slots: Cache::new(REMEMBERED),
            looks: Arc::new(Semaphore::new(LOOKS)),
            looks_each: Cache::new(REMEMBERED),
            strays: Limiter::new(STRAYS),
            resting: Mutex::default(),
            clock,
        }
    }

    /// The key for a viewer, from memory or from the store; none if there is none.
    pub(crate) async fn get(
        &self,
        kid: Kid,
        viewer: u64,
    ) -> Result<Option<Arc<StoredKey>>, NoAnswer> {
        let Ok(slot) = self.slots.get_or_insert_with(&kid, || Ok::<_, Infallible>(Arc::default()));
        if let Some(seen) = self.fresh(&slot) {
            return Ok(seen.key);
        }
        let _asking = match (slot.asking.try_lock(), self.kept(&slot)) {
            (Ok(asking), _) => asking,
            // Another request asks already.
            (Err(_), Some(seen)) => return Ok(seen.key),
            (Err(_), None) => slot.asking.lock().await,
        };
        if let Some(seen) = self.fresh(&slot) {
            return Ok(seen.key);
        }
        match self.ask(kid, viewer).await {
            Ok(key) => {
                let key = key.map(Arc::new);
                let seen = Seen { key: key.clone(), at: self.clock.uptime() };
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
        (self.age(&seen) < good).then_some(seen)
    }

    fn age(&self, seen: &Seen) -> Duration {
        self.clock.uptime().saturating_sub(seen.at)
    }

    /// What may be given while the store is away: keys only. An unknown kid may have come to be.
    fn kept(&self, slot: &Slot) -> Option<Seen> {
        let seen = slot.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        (seen.key.is_some() && self.age(&seen) < self.memory.keep).then_some(seen)
    }

    async fn ask(&self, kid: Kid, viewer: u64) -> Result<Option<StoredKey>, NoAnswer> {
        let turns = tokio::time::timeout(self.memory.patience, self.turns(viewer));
        // That others take their time says nothing of the store.
        let turns = turns.await.map_err(|_| NoAnswer::Away)??;
        if self.rests() {
            return Err(NoAnswer::Away);
        }
        let error = match tokio::time::timeout(self.memory.patience, self.look(kid, turns)).await {
            Ok(Ok(found)) => {
                if found.is_none() {
                    // The next request of this viewer is refused where this one exceeds the rate.
                    let _ = self.strays.take(viewer, self.clock.uptime());
                }
                return Ok(found);
            }
            Ok(Err(error)) => error,
            Err(_) => "it does not answer".to_owned(),
        };
        self.rest();
        tracing::error!(%kid, error, "key store away");
        Err(NoAnswer::Away)
    }

    /// A viewer's turn among its own looks, and then among all.
    async fn turns(&self, viewer: u64) -> Result<Turns, NoAnswer> {
        let new = || Ok::<_, Infallible>(Arc::new(Semaphore::new(LOOKS_EACH)));
        let Ok(own) = self.looks_each.get_or_insert_with(&viewer, new);
        let own = own.acquire_owned().await.map_err(|_| NoAnswer::Away)?;
        if let Some(wait) = self.strays.wait(viewer, self.clock.uptime()) {
            return Err(NoAnswer::TooMany(wait));
        }
        let all = Arc::clone(&self.looks).acquire_owned().await.map_err(|_| NoAnswer::Away)?;
        Ok([own, all])
    }

    /// One look at the store, in a thread where it may wait. It goes on where nobody waits for it any
    /// more, and counts among the looks until it has ended.
    async fn look(&self, kid: Kid, turns: Turns) -> Result<Option<StoredKey>, String> {
        let store = Arc::clone(&self.store);
        let found = tokio::task::spawn_blocking(move || {
            let _turns = turns;
            store.get(&kid).map_err(|error| told(&error))
        });
        found.await.map_err(|error| error.to_string())?
    }

    fn rests(&self) -> bool {
        let resting = *self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.is_some_and(|until| self.clock.uptime() < until)
    }

    fn rest(&self) {
        *self.resting.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(self.clock.uptime() + REST);
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
