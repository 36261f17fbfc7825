//! Rows of renditions.

use super::commit_points::commit_points;
use crate::contract::{RenditionIndex, RenditionInfo};
use crate::engine::{Engine, Row, Tx, params};
use crate::error::{Object, Result, Sql};

impl<E: Engine> RenditionIndex for E {
    fn rendition(&self, digest: &str) -> Result<Option<RenditionInfo>> {
        self.write("find rendition", digest.into(), |tx| find(tx, digest))
    }

    fn keep_rendition(&self, rendition: &RenditionInfo) -> Result<RenditionInfo> {
        let object = Object::from(rendition.digest.as_str());
        commit_points!("keep_rendition")
            .write(self, "keep rendition", object, |tx| keep(tx, rendition))
    }

    fn evict_renditions(&self, keep_bytes: u64) -> Result<Vec<RenditionInfo>> {
        commit_points!("evict_renditions").write_if(
            self,
            "evict renditions",
            "longest unused".into(),
            |evicted: &Vec<RenditionInfo>| !evicted.is_empty(),
            |tx| evict(tx, keep_bytes),
        )
    }

    fn evictable_renditions(&self, keep_bytes: u64) -> Result<Vec<RenditionInfo>> {
        self.read("list", "renditions".into(), |tx| evictable(tx, keep_bytes))
    }

    fn forget_rendition(&self, digest: &str, place: &str) -> Result<()> {
        self.write("forget rendition", digest.into(), |tx| forget(tx, digest, place))
    }

    fn rendition_places(&self, prefix: &str) -> Result<Vec<String>> {
        self.read("list renditions of", prefix.into(), |tx| places(tx, prefix))
    }
}

const COLUMNS: &str = "digest, place, bytes, facts";

fn info(row: &Row) -> Sql<RenditionInfo> {
    Ok(RenditionInfo {
        digest: row.get(0)?,
        place: row.get(1)?,
        bytes: row.get(2)?,
        facts: row.get(3)?,
    })
}

fn find(tx: &mut dyn Tx, digest: &str) -> Sql<Option<RenditionInfo>> {
    let now = tx.now()?;
    let sql = format!("UPDATE renditions SET used_at = ?2 WHERE digest = ?1 RETURNING {COLUMNS}");
    tx.one(&sql, params![digest, now], info)
}

fn keep(tx: &mut dyn Tx, new: &RenditionInfo) -> Sql<RenditionInfo> {
    let now = tx.now()?;
    let bytes = i64::try_from(new.bytes).unwrap_or(i64::MAX);
    // The update that changes nothing but the time gives back the row that is there.
    let sql = format!(
        "INSERT INTO renditions (digest, place, bytes, facts, used_at)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (digest) DO UPDATE SET used_at = excluded.used_at RETURNING {COLUMNS}"
    );
    let params = params![&new.digest, &new.place, bytes, &new.facts, now];
    Ok(tx.one(&sql, params, info)?.unwrap_or_else(|| new.clone()))
}

/// What [`evict`] would forget.
fn evictable(tx: &mut dyn Tx, keep_bytes: u64) -> Sql<Vec<RenditionInfo>> {
    let mut total = total(tx)?;
    if total <= keep_bytes {
        return Ok(Vec::new());
    }
    let before = oldest_open_job(tx)?;
    let sql =
        format!("SELECT {COLUMNS} FROM renditions WHERE used_at < ?1 ORDER BY used_at, digest");
    let mut found = tx.all(&sql, params![before], info)?;
    found.retain(|one| {
        let is_beyond = total > keep_bytes;
        total = total.saturating_sub(one.bytes);
        is_beyond
    });
    Ok(found)
}

fn evict(tx: &mut dyn Tx, keep_bytes: u64) -> Sql<Vec<RenditionInfo>> {
    tx.lock("evict renditions")?;
    let mut total = total(tx)?;
    if total <= keep_bytes {
        return Ok(Vec::new());
    }
    let before = oldest_open_job(tx)?;
    let mut evicted = Vec::new();
    for (digest, used_at) in unused(tx, before)? {
        if total <= keep_bytes {
            break;
        }
        // Unless it was used meanwhile.
        let sql = format!(
            "DELETE FROM renditions WHERE digest = ?1 AND used_at = ?2 RETURNING {COLUMNS}"
        );
        if let Some(gone) = tx.one(&sql, params![&digest, used_at], info)? {
            total = total.saturating_sub(gone.bytes);
            evicted.push(gone);
        }
    }
    Ok(evicted)
}

/// Bytes of all renditions.
fn total(tx: &mut dyn Tx) -> Sql<u64> {
    let sum = "SELECT CAST(coalesce(sum(bytes), 0) AS BIGINT) FROM renditions";
    Ok(tx.one(sum, params![], |row| row.get(0))?.unwrap_or(0))
}

/// When the oldest job that has not ended was enqueued; the end of time if there is none.
fn oldest_open_job(tx: &mut dyn Tx) -> Sql<i64> {
    let oldest = tx.one(
        "SELECT created_at FROM jobs WHERE ended_at IS NULL ORDER BY created_at LIMIT 1",
        params![],
        |row| row.get(0),
    )?;
    Ok(oldest.unwrap_or(i64::MAX))
}

/// Renditions not used since then, the longest unused first.
fn unused(tx: &mut dyn Tx, since: i64) -> Sql<Vec<(String, i64)>> {
    tx.all(
        "SELECT digest, used_at FROM renditions WHERE used_at < ?1 ORDER BY used_at, digest",
        params![since],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

fn forget(tx: &mut dyn Tx, digest: &str, place: &str) -> Sql<()> {
    let sql = "DELETE FROM renditions WHERE digest = ?1 AND place = ?2";
    tx.execute(sql, params![digest, place])?;
    Ok(())
}

fn places(tx: &mut dyn Tx, prefix: &str) -> Sql<Vec<String>> {
    let sql =
        "SELECT place FROM renditions WHERE substr(place, 1, length(?1)) = ?1 ORDER BY digest";
    tx.all(sql, params![prefix], |row| row.get(0))
}
