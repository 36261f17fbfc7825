//! Pausing whole pipelines, and settings.

use crate::engine::{Tx, params};
use crate::error::{Fault, Sql};

pub(super) fn pause(tx: &mut dyn Tx, pipeline: &str) -> Sql<()> {
    tx.execute(
        "INSERT INTO paused (pipeline) VALUES (?1) ON CONFLICT (pipeline) DO NOTHING",
        params![pipeline],
    )?;
    Ok(())
}

pub(super) fn resume(tx: &mut dyn Tx, pipeline: &str) -> Sql<()> {
    tx.execute("DELETE FROM paused WHERE pipeline = ?1", params![pipeline])?;
    tx.wake();
    Ok(())
}

pub(super) fn paused(tx: &mut dyn Tx) -> Sql<Vec<String>> {
    tx.all("SELECT pipeline FROM paused ORDER BY pipeline", params![], |row| row.get(0))
}

pub(super) fn setting(tx: &mut dyn Tx, name: &str) -> Sql<Option<String>> {
    tx.one("SELECT value FROM settings WHERE name = ?1", params![name], |row| row.get(0))
}

pub(super) fn set_setting(tx: &mut dyn Tx, name: &str, value: &str) -> Sql<()> {
    if name == "schema" {
        return Err(Fault::Refused("the schema's version is not a setting".into()));
    }
    tx.execute(
        "INSERT INTO settings (name, value) VALUES (?1, ?2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        params![name, value],
    )?;
    Ok(())
}
