//! Totals by pipeline and month.

use crate::contract::{MonthFigures, Total, Totals};
use crate::engine::{Engine, Tx, params};
use crate::error::{Result, Sql};

impl<E: Engine> Totals for E {
    fn totals(&self) -> Result<Vec<Total>> {
        self.read("list", "totals".into(), list)
    }
}

pub(super) fn add(tx: &mut dyn Tx, pipeline: &str, added: &MonthFigures) -> Sql<()> {
    for (name, &value) in &added.figures {
        tx.execute(
            "INSERT INTO sums (pipeline, month, name, value) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (pipeline, month, name) DO UPDATE SET value = sums.value + excluded.value",
            params![pipeline, &added.month, name, i64::try_from(value).unwrap_or(i64::MAX)],
        )?;
    }
    Ok(())
}

fn list(tx: &mut dyn Tx) -> Sql<Vec<Total>> {
    let sql = "SELECT pipeline, month, name, value FROM sums ORDER BY pipeline, month, name";
    tx.all(sql, params![], |row| {
        let value: i64 = row.get(3)?;
        Ok(Total {
            pipeline: row.get(0)?,
            month: row.get(1)?,
            name: row.get(2)?,
            value: value.unsigned_abs(),
        })
    })
}
