//! The crate from outside.

mod rewriting;
mod signing;
