//! What every [`KeyStore`] must pass. For tests of its implementations.

use super::{KeyStore, KeyStoreError};
use crate::key::Kid;
use crate::set::{KeySet, KeyTerms};

/// Runs the contract against an empty store.
///
/// # Errors
/// A sentence that names the first broken promise.
pub fn key_store_conformance(store: &dyn KeyStore) -> Result<(), String> {
    starts_empty(store)?;
    stores_once(store)?;
    finds_by_kid(store)?;
    refuses_bad_sets(store)?;
    lists_in_order(store)?;
    one_winner_among_threads(store)?;
    expires_only_earlier(store)?;
    the_earliest_expiry_wins_a_race(store)?;
    rewraps_without_a_change(store)
}

/// What [`key_store_conformance`] left in it is still there: run it on the
/// same place, opened again, to prove durability.
///
/// # Errors
/// As [`key_store_conformance`].
pub fn key_store_survives(store: &dyn KeyStore) -> Result<(), String> {
    let kept = told("list", store.list())?;
    expect(kept.len() == 6, "six generations are there after reopening")?;
    for generation in kept {
        let set = told("read", store.of_generation(&generation.asset, &generation.generation))?;
        let set = set.ok_or("a listed generation is there")?;
        expect(set.kids() == generation.kids, "the kids of a generation are those listed")?;
        expect(set.terms == generation.terms, "the terms of a generation are those listed")?;
        let wanted = match (generation.asset.as_str(), generation.generation.as_str()) {
            ("expired", _) => (Some(60), Some(100)),
            ("race", "g2") => (None, Some(1 << 40)),
            _ => (None, None),
        };
        expect((set.terms.max_age, set.terms.expires) == wanted, "terms are durable")?;
    }
    Ok(())
}

fn starts_empty(store: &dyn KeyStore) -> Result<(), String> {
    expect(told("list", store.list())?.is_empty(), "conformance starts with an empty store")?;
    let none = told("read", store.of_generation("film", "g1"))?;
    expect(none.is_none(), "an unknown generation is None, not an error")?;
    let unknown = Kid::from_bytes([7; 16]);
    expect(told("get", store.get(&unknown))?.is_none(), "an unknown kid is None, not an error")
}

fn stores_once(store: &dyn KeyStore) -> Result<(), String> {
    let first = fresh(3)?;
    let stored = told("put", store.put("film", "g1", first.clone()))?;
    expect(stored == first, "the first put returns what it was given")?;
    let again = told("second put", store.put("film", "g1", fresh(2)?))?;
    expect(again == first, "a later put returns what the first stored")?;
    let read = told("read", store.of_generation("film", "g1"))?;
    expect(read == Some(first), "a generation reads back with keys and IV seed")
}

fn finds_by_kid(store: &dyn KeyStore) -> Result<(), String> {
    let set = told("put", store.put("film", "g2", fresh(2)?))?;
    for (period, entry) in set.periods.iter().enumerate() {
        let found = told("get", store.get(&entry.kid))?.ok_or("a stored kid is found")?;
        expect(found.key == entry.key, "a kid leads to its key")?;
        expect(found.period == period, "a kid leads to its key period")?;
        let whose = (found.asset.as_str(), found.generation.as_str());
        expect(whose == ("film", "g2"), "a kid leads to its generation")?;
    }
    Ok(())
}

fn refuses_bad_sets(store: &dyn KeyStore) -> Result<(), String> {
    let mut empty = fresh(1)?;
    empty.periods.clear();
    let refused = store.put("bad", "empty", empty);
    expect(matches!(refused, Err(KeyStoreError::BadSet)), "a set without keys is BadSet")?;
    let mut twice = fresh(2)?;
    twice.periods[1].kid = twice.periods[0].kid;
    let refused = store.put("bad", "twice", twice);
    expect(matches!(refused, Err(KeyStoreError::BadSet)), "a set with one kid twice is BadSet")?;
    let mut taken = fresh(2)?;
    let known = told("read", store.of_generation("film", "g1"))?.ok_or("film g1 is there")?;
    taken.periods[1].kid = known.periods[0].kid;
    let refused = store.put("bad", "taken", taken);
    expect(matches!(refused, Err(KeyStoreError::KidTaken(_))), "a known kid is KidTaken")?;
    let nothing = told("read", store.of_generation("bad", "taken"))?;
    expect(nothing.is_none(), "a refused put stores nothing")
}

/// Names as they come from outside: a backend may not trip over them, nor
/// take one pair for another.
fn lists_in_order(store: &dyn KeyStore) -> Result<(), String> {
    told("put", store.put("Äpfel/../x y", "g:1", fresh(1)?))?;
    let list = told("list", store.list())?;
    let names: Vec<_> = list.iter().map(|g| (g.asset.as_str(), g.generation.as_str())).collect();
    let wanted = [("film", "g1"), ("film", "g2"), ("Äpfel/../x y", "g:1")];
    expect(names == wanted, "list is ordered by asset, then generation")?;
    expect(list[0].kids.len() == 3, "list has every kid")
}

fn one_winner_among_threads(store: &dyn KeyStore) -> Result<(), String> {
    let put = || {
        let stored = store.put("race", "g1", fresh(1)?);
        told("put in a race", stored)
    };
    let results: Vec<Result<KeySet, String>> = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..8).map(|_| scope.spawn(put)).collect();
        racers.into_iter().map(|racer| racer.join().map_err(|_| "a put panicked")?).collect()
    });
    let winners: Result<Vec<KeySet>, String> = results.into_iter().collect();
    let winners = winners?;
    let same = winners.iter().all(|set| *set == winners[0]);
    expect(same, "all who put at once get the same keys")
}

fn expires_only_earlier(store: &dyn KeyStore) -> Result<(), String> {
    let none = told("expire", store.expire("expired", "g1", 50))?;
    expect(none.is_none(), "to expire an unknown generation is None, not an error")?;
    let mut set = fresh(2)?;
    set.terms.max_age = Some(60);
    let set = told("put", store.put("expired", "g1", set))?;
    expect(set.terms.max_age == Some(60), "a set keeps its terms")?;
    for (at, counts) in [(300, 300), (100, 100), (200, 100), (100, 100)] {
        let expiry = told("expire", store.expire("expired", "g1", at))?;
        expect(expiry == Some(counts), "the earliest expiry counts")?;
    }
    let found = told("get", store.get(&set.periods[1].kid))?.ok_or("an expired key is found")?;
    expect(found.key == set.periods[1].key, "an expiry changes no key")?;
    let terms = KeyTerms { max_age: Some(60), expires: Some(100) };
    expect(found.terms == terms, "a kid leads to its terms")?;
    expect(
        terms.have_expired(100) && !terms.have_expired(99),
        "an expiry is the first moment without keys",
    )?;
    let again = told("put", store.put("expired", "g1", fresh(2)?))?;
    expect(again.terms == terms, "a later put changes no expiry")?;
    expect(again.iv_seed == set.iv_seed, "an expiry changes no IV seed")
}

fn the_earliest_expiry_wins_a_race(store: &dyn KeyStore) -> Result<(), String> {
    told("put", store.put("race", "g2", fresh(1)?))?;
    let expire = |at: u64| told("expire in a race", store.expire("race", "g2", at));
    let expiries: Result<Vec<_>, String> = std::thread::scope(|scope| {
        let expire = &expire;
        let racers: Vec<_> = (1..=8).map(|at| scope.spawn(move || expire(at << 40))).collect();
        racers.into_iter().map(|racer| racer.join().map_err(|_| "an expire panicked")?).collect()
    });
    expiries?;
    let set = told("read", store.of_generation("race", "g2"))?.ok_or("race g2 is there")?;
    expect(set.terms.expires == Some(1 << 40), "of expiries set at once, the earliest counts")?;
    Ok(())
}

fn rewraps_without_a_change(store: &dyn KeyStore) -> Result<(), String> {
    let before = told("read", store.of_generation("film", "g1"))?;
    told("rewrap", store.rewrap())?;
    let again = told("rewrap again", store.rewrap())?;
    expect(again == 0, "after wrapping anew nothing is left to wrap")?;
    let after = told("read", store.of_generation("film", "g1"))?;
    expect(before == after, "wrapping anew changes no key")
}

fn fresh(periods: usize) -> Result<KeySet, String> {
    KeySet::generate(periods).map_err(|error| error.to_string())
}

fn told<T>(what: &str, result: Result<T, KeyStoreError>) -> Result<T, String> {
    result.map_err(|error| format!("{what} failed: {error}"))
}

fn expect(holds: bool, promise: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("broken: {promise}")) }
}
