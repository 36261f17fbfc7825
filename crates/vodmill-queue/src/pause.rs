//! Pausing whole pipelines.

use crate::error::Result;
use crate::queue::SqliteQueue;

impl SqliteQueue {
    /// Stops handing out tasks of this pipeline's jobs; leases that are held go on. Pausing twice
    /// is pausing once.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub fn pause(&self, pipeline: &str) -> Result<()> {
        self.write("pause", pipeline.into(), |tx, _| {
            tx.execute(
                "INSERT INTO paused (pipeline) VALUES (?1) ON CONFLICT (pipeline) DO NOTHING",
                [pipeline],
            )?;
            Ok(())
        })
    }

    /// Hands out this pipeline's tasks again.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub fn resume(&self, pipeline: &str) -> Result<()> {
        self.write("resume", pipeline.into(), |tx, _| {
            tx.execute("DELETE FROM paused WHERE pipeline = ?1", [pipeline])?;
            Ok(())
        })
    }

    /// The paused pipelines, by name.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub fn paused(&self) -> Result<Vec<String>> {
        self.read("list paused", "pipelines".into(), |tx, _| {
            let mut query = tx.prepare_cached("SELECT pipeline FROM paused ORDER BY pipeline")?;
            let names = query.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
            Ok(names)
        })
    }
}
