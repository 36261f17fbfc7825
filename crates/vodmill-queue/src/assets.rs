//! The names under which jobs publish, and the generations below them.

use rusqlite::{OptionalExtension, Transaction, params};
use sha2::{Digest, Sha256};

use crate::error::{Fault, Result};
use crate::queue::SqliteQueue;

/// How many hex digits of the owner's digest follow a taken name: six, and more only if two owners
/// happen to share those.
const SUFFIXES: [usize; 3] = [6, 16, 64];

impl SqliteQueue {
    /// Reserves an asset name for `owner`: `wanted` if it is free or already the owner's, otherwise
    /// `wanted-` and six hex digits of the owner's SHA-256. The same call always gives the same
    /// answer; names are never given back.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub fn claim_asset(&self, wanted: &str, owner: &str) -> Result<String> {
        self.write("claim asset", wanted.into(), |tx, _| {
            if own(tx, wanted, owner)? {
                return Ok(wanted.to_owned());
            }
            let digest = hex_digest(owner);
            for digits in SUFFIXES {
                let name = format!("{wanted}-{}", &digest[..digits]);
                if own(tx, &name, owner)? {
                    return Ok(name);
                }
            }
            Err(Fault::Refused("every name made from it is taken".into()))
        })
    }

    /// The number under which this job publishes this asset: one more than the highest so far, from
    /// 1; the same job always gets the same number.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub fn next_generation(&self, asset: &str, job: &str) -> Result<u32> {
        self.write("next generation of", asset.into(), |tx, _| {
            let given = tx
                .prepare_cached(
                    "SELECT generation FROM generations WHERE asset = ?1 AND job_id = ?2",
                )?
                .query_row([asset, job], |row| row.get(0))
                .optional()?;
            if let Some(generation) = given {
                return Ok(generation);
            }
            let generation: u32 = tx
                .prepare_cached(
                    "SELECT coalesce(max(generation), 0) + 1 FROM generations WHERE asset = ?1",
                )?
                .query_row([asset], |row| row.get(0))?;
            tx.execute(
                "INSERT INTO generations (asset, generation, job_id) VALUES (?1, ?2, ?3)",
                params![asset, generation, job],
            )?;
            Ok(generation)
        })
    }

    /// Notes on the job which asset it publishes, and the name that its source went by.
    ///
    /// # Errors
    /// [`NoSuchJob`](crate::Error::NoSuchJob), [`Database`](crate::Error::Database).
    pub fn set_job_asset(&self, job: &str, asset: &str, source_name: &str) -> Result<()> {
        self.write("set asset of job", job.into(), |tx, _| {
            let changed = tx.execute(
                "UPDATE jobs SET asset = ?2, source_name = ?3 WHERE id = ?1",
                [job, asset, source_name],
            )?;
            if changed == 0 { Err(Fault::NoSuchJob(job.to_owned())) } else { Ok(()) }
        })
    }
}

/// Takes the name if it is free; whether it is now the owner's.
fn own(tx: &Transaction<'_>, asset: &str, owner: &str) -> rusqlite::Result<bool> {
    tx.execute(
        "INSERT INTO assets (asset, owner) VALUES (?1, ?2) ON CONFLICT (asset) DO NOTHING",
        [asset, owner],
    )?;
    tx.query_row("SELECT owner = ?2 FROM assets WHERE asset = ?1", [asset, owner], |row| row.get(0))
}

fn hex_digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
