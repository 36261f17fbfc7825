//! What an asset costs to make, keep and serve.
//!
//! Sums of money are whole billionths, sizes whole bytes, times whole milliseconds: nothing is
//! rounded but prices of parts of a unit, half up, once each.

mod cost_model;
mod money;
mod prices;
mod report;
mod rows;
mod summary;

pub use cost_model::report;
pub use money::{Bytes, Money};
pub use prices::{Cdn, PriceFile, Region, Storage, Tier};
pub use report::{Assumptions, CostError, Report, Row, Saving};
pub use summary::{Month, Summary, summary};
