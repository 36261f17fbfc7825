//! Fault points: names for the moments before and after every durable step, so that tests can have
//! a process end, stand still, wait or fail at each of them.
//!
//! Without the feature `faults` a point compiles to nothing. With it, the environment says what is to
//! happen: `VODMILL_FAULT` holds orders, separated by `;`, each `POINT=ACTION` or `POINT=ACTION@PASS`.
//!
//! - `POINT` is one of [`POINTS`], or `*` for all of them.
//! - `ACTION` is `kill` (SIGKILL to this process), `stop` (SIGSTOP), `fail` (the step fails), `full`
//!   (it fails as on a full disk) or `delay:MS`.
//! - `PASS` is the number of the pass at which it happens, from 1, which it is when left out, or `*`
//!   for every pass.
//!
//! `VODMILL_FAULT_FILE` names a file to which every pass adds a line: point, process, action or `-`.
//! Passes are counted in it, over all processes that share it; without it, in each process. The one
//! word `list` for orders prints all points and ends the program.

mod points;

#[cfg(any(feature = "faults", test))]
mod orders;

#[cfg(feature = "faults")]
mod live;
#[cfg(not(feature = "faults"))]
#[path = "none.rs"]
mod live;

use std::io;

pub use live::{environment, start};
pub use points::POINTS;

/// A moment that can be disturbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point(&'static str);

impl Point {
    /// The point of that name. An unknown one does not compile, where it is named in a constant.
    ///
    /// # Panics
    /// If there is none.
    pub const fn named(name: &'static str) -> Point {
        assert!(points::is_listed(name), "no such fault point: see points.rs");
        Point(name)
    }

    /// Comes by.
    ///
    /// # Errors
    /// Only where it was ordered to fail.
    #[inline]
    pub fn pass(self) -> io::Result<()> {
        live::pass(self.0)
    }
}

/// Comes by the point of that name, and gives an [`io::Result`]: `point!("publish.pointed")?`. A
/// name that is not among [`POINTS`] does not compile.
#[macro_export]
macro_rules! point {
    ($name:expr) => {
        const { $crate::Point::named($name) }.pass()
    };
}
