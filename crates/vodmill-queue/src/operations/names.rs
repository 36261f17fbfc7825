//! The names under which jobs publish, and the generations below them.

use sha2::{Digest, Sha256};

use super::commit_points::commit_points;
use super::secrets;
use crate::contract::{Kept, Names};
use crate::engine::{Engine, Tx, params};
use crate::error::{Fault, Object, Result, Sql};

/// The id of our own name among the secrets.
const OWNER: &str = "owner";

impl<E: Engine> Names for E {
    fn claim_asset(&self, wanted: &str, owner: &str, before: &[String]) -> Result<String> {
        commit_points!("claim_asset")
            .write(self, "claim asset", wanted.into(), |tx| claim(tx, wanted, owner, before))
    }

    fn next_generation(&self, asset: &str, job: &str) -> Result<u32> {
        let object = Object::from(asset);
        commit_points!("next_generation")
            .write(self, "next generation of", object, |tx| next_generation(tx, asset, job))
    }

    fn republished_assets(&self) -> Result<Vec<String>> {
        self.read("list assets", "published again".into(), republished)
    }

    fn owner_name(&self, fresh: &str) -> Result<String> {
        commit_points!("keep_secret").write(self, "name", OWNER.into(), |tx| owner_name(tx, fresh))
    }

    fn adopt(&self, place: &str) -> Result<()> {
        commit_points!("keep_secret").write(self, "adopt", place.into(), |tx| {
            secrets::keep(tx, &adopted(place), &[], "").map(drop)
        })
    }

    fn is_adopted(&self, place: &str) -> Result<bool> {
        self.read("find adopted", place.into(), |tx| {
            Ok(secrets::get(tx, &adopted(place))?.is_some())
        })
    }
}

/// How many hex digits of the owner's digest follow a taken name: six, and more only if two owners
/// happen to share those.
const SUFFIXES: [usize; 3] = [6, 16, 64];

fn owner_name(tx: &mut dyn Tx, fresh: &str) -> Sql<String> {
    match secrets::keep(tx, OWNER, &[], fresh)? {
        Kept::Stored(name) => Ok(name),
        Kept::NameTaken(name) => Err(Fault::Refused(format!("{name} is taken"))),
    }
}

/// The id among the secrets of a place that was adopted.
fn adopted(place: &str) -> String {
    format!("adopted {place}")
}

/// The owner may have been known by other names before: what it has under one of these, it keeps.
fn claim(tx: &mut dyn Tx, wanted: &str, owner: &str, before: &[String]) -> Sql<String> {
    for known in before.iter().map(String::as_str).chain([owner]).rev() {
        // One name for all versions of an original, though names be made otherwise by now.
        if let Some(asset) = asset_of(tx, known)? {
            return Ok(asset);
        }
    }
    for name in names(wanted, owner) {
        if own(tx, &name, owner)? {
            return Ok(name);
        }
    }
    Err(Fault::Refused("every name made from it is taken".into()))
}

/// The names that an owner may have, the likeliest first.
fn names(wanted: &str, owner: &str) -> Vec<String> {
    let digest = hex_digest(owner);
    let marked = SUFFIXES.iter().map(|&digits| format!("{wanted}-{}", &digest[..digits]));
    std::iter::once(wanted.to_owned()).chain(marked).collect()
}

fn asset_of(tx: &mut dyn Tx, owner: &str) -> Sql<Option<String>> {
    let sql = "SELECT asset FROM assets WHERE owner = ?1 ORDER BY asset LIMIT 1";
    tx.one(sql, params![owner], |row| row.get(0))
}

fn next_generation(tx: &mut dyn Tx, asset: &str, job: &str) -> Sql<u32> {
    tx.lock(asset)?;
    let given = tx.one(
        "SELECT generation FROM generations WHERE asset = ?1 AND job_id = ?2",
        params![asset, job],
        |row| row.get(0),
    )?;
    if let Some(generation) = given {
        return Ok(generation);
    }
    let next = tx.one(
        "SELECT coalesce(max(generation), 0) + 1 FROM generations WHERE asset = ?1",
        params![asset],
        |row| row.get(0),
    )?;
    let generation: u32 = next.unwrap_or(1);
    tx.execute(
        "INSERT INTO generations (asset, generation, job_id) VALUES (?1, ?2, ?3)",
        params![asset, generation, job],
    )?;
    Ok(generation)
}

fn republished(tx: &mut dyn Tx) -> Sql<Vec<String>> {
    let sql = "SELECT asset FROM generations GROUP BY asset HAVING count(*) > 1 ORDER BY asset";
    tx.all(sql, params![], |row| row.get(0))
}

pub(super) fn set_on_job(tx: &mut dyn Tx, job: &str, asset: &str, source_name: &str) -> Sql<()> {
    let changed = tx.execute(
        "UPDATE jobs SET asset = ?2, source_name = ?3 WHERE id = ?1",
        params![job, asset, source_name],
    )?;
    if changed == 0 { Err(Fault::NoSuchJob(job.to_owned())) } else { Ok(()) }
}

/// Takes the name if it is free; whether it is now the owner's.
fn own(tx: &mut dyn Tx, asset: &str, owner: &str) -> Sql<bool> {
    tx.execute(
        "INSERT INTO assets (asset, owner) VALUES (?1, ?2) ON CONFLICT (asset) DO NOTHING",
        params![asset, owner],
    )?;
    let owned =
        tx.one("SELECT owner = ?2 FROM assets WHERE asset = ?1", params![asset, owner], |row| {
            row.get(0)
        })?;
    Ok(owned.unwrap_or(false))
}

fn hex_digest(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}
