//! Secrets under an id and names.

use super::commit_points::commit_points;
use crate::contract::{Kept, Secret, Secrets};
use crate::engine::{Engine, Tx, params};
use crate::error::{Result, Sql};

impl<E: Engine> Secrets for E {
    fn keep_secret(&self, id: &str, names: &[String], value: &str) -> Result<Kept> {
        commit_points!("keep_secret")
            .write(self, "keep secret", id.into(), |tx| keep(tx, id, names, value))
    }

    fn replace_secret(&self, id: &str, expected: &str, value: &str) -> Result<bool> {
        commit_points!("replace_secret").write_if(
            self,
            "replace secret",
            id.into(),
            |replaced| *replaced,
            |tx| replace(tx, id, expected, value),
        )
    }

    fn secret(&self, id: &str) -> Result<Option<Secret>> {
        self.read("find secret", id.into(), |tx| get(tx, id))
    }

    fn secret_by_name(&self, name: &str) -> Result<Option<Secret>> {
        self.read("find secret", name.into(), |tx| by_name(tx, name))
    }

    fn secrets(&self) -> Result<Vec<Secret>> {
        self.read("list secrets", "of all ids".into(), all)
    }
}

pub(super) fn keep(tx: &mut dyn Tx, id: &str, names: &[String], value: &str) -> Sql<Kept> {
    // One at a time, so that no name is taken between the look and the writing.
    tx.lock("keep secret")?;
    if let Some(first) = value_of(tx, id)? {
        return Ok(Kept::Stored(first));
    }
    for name in names {
        let taken = "SELECT 1 FROM secret_names WHERE name = ?1";
        if !tx.rows(taken, params![name])?.is_empty() {
            return Ok(Kept::NameTaken(name.clone()));
        }
    }
    tx.execute("INSERT INTO secrets (id, value) VALUES (?1, ?2)", params![id, value])?;
    for name in names {
        tx.execute(
            "INSERT INTO secret_names (name, id) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING",
            params![name, id],
        )?;
    }
    Ok(Kept::Stored(value.to_owned()))
}

fn value_of(tx: &mut dyn Tx, id: &str) -> Sql<Option<String>> {
    tx.one("SELECT value FROM secrets WHERE id = ?1", params![id], |row| row.get(0))
}

/// Also true where the value was replaced already, and the answer was lost.
fn replace(tx: &mut dyn Tx, id: &str, expected: &str, value: &str) -> Sql<bool> {
    let sql = "UPDATE secrets SET value = ?3 WHERE id = ?1 AND value = ?2";
    if tx.execute(sql, params![id, expected, value])? > 0 {
        return Ok(true);
    }
    Ok(value_of(tx, id)?.is_some_and(|there| there == value))
}

pub(super) fn get(tx: &mut dyn Tx, id: &str) -> Sql<Option<Secret>> {
    let Some(value) = value_of(tx, id)? else { return Ok(None) };
    let sql = "SELECT name FROM secret_names WHERE id = ?1 ORDER BY name";
    let names = tx.all(sql, params![id], |row| row.get(0))?;
    Ok(Some(Secret { id: id.to_owned(), names, value }))
}

fn by_name(tx: &mut dyn Tx, name: &str) -> Sql<Option<Secret>> {
    let sql = "SELECT id FROM secret_names WHERE name = ?1";
    match tx.one(sql, params![name], |row| row.get::<String>(0))? {
        Some(id) => get(tx, &id),
        None => Ok(None),
    }
}

fn all(tx: &mut dyn Tx) -> Sql<Vec<Secret>> {
    let mut secrets = tx.all("SELECT id, value FROM secrets ORDER BY id", params![], |row| {
        Ok(Secret { id: row.get(0)?, names: Vec::new(), value: row.get(1)? })
    })?;
    let names: Vec<(String, String)> =
        tx.all("SELECT id, name FROM secret_names ORDER BY id, name", params![], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    for (id, name) in names {
        if let Ok(at) = secrets.binary_search_by(|secret| secret.id.cmp(&id)) {
            secrets[at].names.push(name);
        }
    }
    Ok(secrets)
}
