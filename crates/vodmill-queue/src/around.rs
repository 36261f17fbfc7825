//! Fault points around the commits of operations.

use vodmill_fault::Point;

use crate::engine::{Engine, Tx};
use crate::error::{Fault, Object, Result, Sql};

/// The fault points on either side of an operation's commit.
macro_rules! around {
    ($operation:literal) => {
        $crate::around::Around {
            written: const { vodmill_fault::Point::named(concat!("queue.", $operation, ".written")) },
            committed: const { vodmill_fault::Point::named(concat!("queue.", $operation, ".committed")) },
        }
    };
}
pub(crate) use around;

/// At the one it is as if the operation had not happened, at the other as if nobody had been told.
#[derive(Clone, Copy)]
pub(crate) struct Around {
    pub written: Point,
    pub committed: Point,
}

impl Around {
    /// A write with its fault points. They count only where something `has_happened`: an idle
    /// worker asks for tasks all the time.
    pub(crate) fn write<E: Engine, T>(
        self,
        engine: &E,
        operation: &'static str,
        object: Object<'_>,
        has_happened: impl Fn(&T) -> bool,
        mut work: impl FnMut(&mut dyn Tx) -> Sql<T>,
    ) -> Result<T> {
        let pass = |point: Point, value: &T| match has_happened(value) {
            true => point.pass().map_err(|error| Fault::Database(error.into())),
            false => Ok(()),
        };
        let value = engine.write(operation, object, |tx| {
            let value = work(tx)?;
            pass(self.written, &value)?;
            Ok(value)
        })?;
        pass(self.committed, &value).map_err(|fault| fault.during(operation, object))?;
        Ok(value)
    }
}

/// For operations that always change something.
pub(crate) fn always<T>(_: &T) -> bool {
    true
}
