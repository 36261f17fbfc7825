//! Figures that add up, by pipeline and month: counted in the transaction of what they count, so once.

use std::collections::BTreeMap;

use crate::engine::{Tx, params};
use crate::error::Sql;

/// Figures to be added to a month's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// The month, as `2026-11`.
    pub month: String,
    /// What is counted, by name: in one order for all, so that two who count do not wait for each
    /// other in a circle.
    pub figures: BTreeMap<String, u64>,
}

/// What a figure has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// The pipeline.
    pub pipeline: String,
    /// The month.
    pub month: String,
    /// The figure's name.
    pub name: String,
    /// Its value.
    pub value: u64,
}

pub(crate) fn add(tx: &mut dyn Tx, pipeline: &str, tally: &Tally) -> Sql<()> {
    for (name, &value) in &tally.figures {
        tx.execute(
            "INSERT INTO sums (pipeline, month, name, value) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (pipeline, month, name) DO UPDATE SET value = sums.value + excluded.value",
            params![pipeline, &tally.month, name, i64::try_from(value).unwrap_or(i64::MAX)],
        )?;
    }
    Ok(())
}

pub(crate) fn list(tx: &mut dyn Tx) -> Sql<Vec<Sum>> {
    let sql = "SELECT pipeline, month, name, value FROM sums ORDER BY pipeline, month, name";
    tx.all(sql, params![], |row| {
        let value: i64 = row.get(3)?;
        Ok(Sum {
            pipeline: row.get(0)?,
            month: row.get(1)?,
            name: row.get(2)?,
            value: value.unsigned_abs(),
        })
    })
}
