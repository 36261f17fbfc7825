//! The queue from outside: the contract, opening, concurrency, and sudden death.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conformance;
mod load;
mod opening;
mod postgres;
mod processes;
mod server;
mod thief;
mod world;
