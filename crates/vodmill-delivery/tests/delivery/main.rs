//! The crate from outside.

mod cost;
mod rewriting;
mod signing;
