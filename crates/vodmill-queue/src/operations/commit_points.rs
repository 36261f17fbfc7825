//! Fault points around the commits of operations.

use vodmill_fault::Point;

use crate::engine::{Engine, Tx};
use crate::error::{Fault, Object, Result, Sql};

/// The fault points on either side of an operation's commit.
macro_rules! commit_points {
    ($operation:literal) => {
        $crate::operations::commit_points::CommitPoints {
            written: const { vodmill_fault::Point::named(concat!("queue.", $operation, ".written")) },
            committed: const { vodmill_fault::Point::named(concat!("queue.", $operation, ".committed")) },
        }
    };
}
pub(crate) use commit_points;

/// At the first it is as if the operation had not happened, at the second as if its answer was lost.
#[derive(Clone, Copy)]
pub(crate) struct CommitPoints {
    pub written: Point,
    pub committed: Point,
}

impl CommitPoints {
    /// A write with its fault points.
    pub(crate) fn write<E: Engine, T>(
        self,
        engine: &E,
        operation: &'static str,
        object: Object<'_>,
        work: impl FnMut(&mut dyn Tx) -> Sql<T>,
    ) -> Result<T> {
        self.write_if(engine, operation, object, |_| true, work)
    }

    /// As [`write`](Self::write); but the points count only where something `has_happened`: an idle
    /// worker asks for tasks all the time.
    pub(crate) fn write_if<E: Engine, T>(
        self,
        engine: &E,
        operation: &'static str,
        object: Object<'_>,
        has_happened: impl Fn(&T) -> bool,
        mut work: impl FnMut(&mut dyn Tx) -> Sql<T>,
    ) -> Result<T> {
        let value = engine.write(operation, object, |tx| {
            let value = work(tx)?;
            if has_happened(&value) {
                pass(self.written)?;
            }
            Ok(value)
        })?;
        if has_happened(&value) {
            pass(self.committed).map_err(|fault| fault.during(operation, object))?;
        }
        Ok(value)
    }
}

fn pass(point: Point) -> Sql<()> {
    point.pass().map_err(|error| Fault::Database(error.into()))
}
