//! Whose a destination is: of the home that publishes there first, or of the workers that share a
//! database.
//!
//! Names of assets and numbers of generations are kept apart from what is published. Two who keep
//! them each for itself would take one another's assets for their own, and begin numbers again. So a
//! destination has a mark, and whoever has other names is refused until somebody says that the
//! destination is theirs from now on.

use serde::{Deserialize, Serialize};
use vodmill_keys::Kid;
use vodmill_model::Failed;
use vodmill_queue::Names;
use vodmill_store::{Expected, Headers, Key, PutOutcome, Store, StoreError};

use crate::Result;

/// The mark of a destination.
const MARK: &str = ".vodmill/owner.json";

/// How often the mark may change under our eyes.
const TRIES: u32 = 20;

/// Whose a destination is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// Ours.
    Ours,
    /// That of another home, which goes by this name.
    Others(String),
    /// Nobody has published there.
    Nobodys,
}

#[derive(Serialize, Deserialize)]
struct Mark {
    version: u32,
    owner: String,
}

/// Whose a destination is.
///
/// # Errors
/// If the store or the names fail, or the mark cannot be read.
pub fn look(store: &dyn Store, names: &dyn Names) -> Result<Ownership> {
    let us = us(names)?;
    match store.get(&Key::new(MARK)?) {
        Ok(bytes) => owner_in(&bytes, &us),
        Err(StoreError::NotFound(_)) => Ok(Ownership::Nobodys),
        Err(error) => Err(error.into()),
    }
}

/// Whose a destination is; one without a mark is ours from now on.
///
/// # Errors
/// As [`look`].
pub(crate) fn claim(store: &dyn Store, names: &dyn Names) -> Result<Ownership> {
    let (key, us) = (Key::new(MARK)?, us(names)?);
    for _ in 0..TRIES {
        match look(store, names)? {
            Ownership::Nobodys => {}
            owned => return Ok(owned),
        }
        if put(store, &key, &us, &Expected::Nothing)? == PutOutcome::Stored {
            return Ok(Ownership::Ours);
        }
    }
    Err(StoreError::Changed(MARK.to_owned()).into())
}

/// Makes a destination ours, whosever it was: assets that are published there go on with originals
/// of the same name.
///
/// # Errors
/// If the store or the names fail.
pub fn adopt(store: &dyn Store, names: &dyn Names, place: &str) -> Result<()> {
    let (key, us) = (Key::new(MARK)?, us(names)?);
    names.adopt(place)?;
    for _ in 0..TRIES {
        let was = match store.get_version(&key) {
            Ok((_, was)) => was,
            Err(StoreError::NotFound(_)) => Expected::Nothing,
            Err(error) => return Err(error.into()),
        };
        if put(store, &key, &us, &was)? == PutOutcome::Stored {
            return Ok(());
        }
    }
    Err(StoreError::Changed(MARK.to_owned()).into())
}

/// What to tell a user whose destination is not theirs.
pub fn not_ours(place: &str, owner: &str) -> String {
    format!(
        "{place} belongs to another vodmill (owner {owner}), or the names of this one were lost: \
         give each its own destination, or, if nobody else publishes there any more, \
         `vodmill adopt {place}`"
    )
}

/// Our own name: the first that is kept decides.
fn us(names: &dyn Names) -> Result<String> {
    let fresh = Kid::generate().map_err(|error| Failed::from_error("name this home", &error))?;
    Ok(names.owner_name(&fresh.to_string())?)
}

fn owner_in(bytes: &[u8], us: &str) -> Result<Ownership> {
    let mark: Mark = serde_json::from_slice(bytes)
        .map_err(|error| Failed::from_error(format!("read {MARK} of the destination"), &error))?;
    Ok(if mark.owner == us { Ownership::Ours } else { Ownership::Others(mark.owner) })
}

fn put(store: &dyn Store, key: &Key, us: &str, expected: &Expected) -> Result<PutOutcome> {
    let mark = Mark { version: 1, owner: us.to_owned() };
    let json = serde_json::to_vec(&mark)
        .map_err(|error| Failed::from_error(format!("describe {MARK}"), &error))?;
    let headers = Headers {
        content_type: Some("application/json".to_owned()),
        cache_control: Some("no-store".to_owned()),
    };
    Ok(store.put_if(key, &json, &headers, expected)?)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use vodmill_queue::SqliteQueue;
    use vodmill_store::MemoryStore;

    use super::*;

    #[test]
    fn a_destination_is_of_whoever_comes_first() {
        let dir = tempfile::tempdir().unwrap();
        let names = |home| SqliteQueue::open(dir.path().join(home)).unwrap();
        let store = MemoryStore::default();
        assert_eq!(claim(&store, &names("one")).unwrap(), Ownership::Ours);
        assert_eq!(claim(&store, &names("one")).unwrap(), Ownership::Ours, "and stays so");
        let other = claim(&store, &names("two")).unwrap();
        assert!(matches!(other, Ownership::Others(_)), "{other:?}");
        assert!(!names("two").is_adopted("s3://bucket").unwrap());
        adopt(&store, &names("two"), "s3://bucket").unwrap();
        assert!(names("two").is_adopted("s3://bucket").unwrap());
        assert!(!names("two").is_adopted("s3://another").unwrap());
        assert_eq!(claim(&store, &names("two")).unwrap(), Ownership::Ours);
        assert!(matches!(claim(&store, &names("one")).unwrap(), Ownership::Others(_)));
    }

    #[test]
    fn of_two_that_begin_at_once_one_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let store = MemoryStore::default();
        let ours = std::thread::scope(|scope| {
            let claims: Vec<_> = (0..4)
                .map(|home| {
                    let names = SqliteQueue::open(dir.path().join(home.to_string())).unwrap();
                    let store = &store;
                    scope.spawn(move || claim(store, &names).unwrap())
                })
                .collect();
            claims.into_iter().map(|it| it.join().unwrap()).collect::<Vec<_>>()
        });
        assert_eq!(ours.iter().filter(|it| **it == Ownership::Ours).count(), 1);
    }

    #[test]
    fn a_mark_that_cannot_be_read_is_nobodys_leave() {
        let dir = tempfile::tempdir().unwrap();
        let names = SqliteQueue::open(dir.path().join("names")).unwrap();
        let store = MemoryStore::default();
        for text in ["", "{", "[]", r#"{"version":1}"#] {
            store.put(&Key::new(MARK).unwrap(), text.as_bytes(), &Headers::default()).unwrap();
            assert!(claim(&store, &names).is_err(), "{text}");
        }
    }
}
