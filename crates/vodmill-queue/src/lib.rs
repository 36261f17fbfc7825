//! Durable jobs, tasks and leases; one database is the truth.
//!
//! A **job** is a unit of intent, its identity computed by the caller. It is made of **tasks**, a
//! graph in which a task is ready once everything it waits for is done. A **lease** is the right to
//! work on one task until it expires; each carries a fencing token, and every write of a holder is
//! refused with [`Error::LeaseLost`] once the token is old, the lease has expired or the task was
//! taken away with its job. Payloads, results, progress and reasons are opaque strings (JSON by
//! convention): this crate knows no media.
//!
//! Beside jobs the queue holds what their work shares and must agree on: names of assets and numbers
//! of generations, rows of renditions, wrapped secrets, totals by month. And it holds what goes to
//! systems outside: events, and paths that caches are to drop.
//!
//! - `contract` has a trait for each of these, with its types. A user takes the one it needs;
//!   [`Queue`] is all of them.
//! - `operations` implements the contracts, once, over the trait `Engine`.
//! - `engine` has the two engines: [`SqliteQueue`], one file for one machine, and [`PostgresQueue`],
//!   one server for many. The tests of the contracts are run on both.

mod backoff;
mod contract;
mod engine;
mod error;
mod operations;

pub use contract::*;
pub use engine::postgres::{PostgresOptions, PostgresQueue};
pub use engine::sqlite::SqliteQueue;
pub use error::{Error, Result};
