//! Figures that add up by pipeline and month.

use std::collections::BTreeMap;

use crate::error::Result;

/// Totals by pipeline and month.
///
/// # Contract
///
/// - Figures are added in the transaction of the [`Completion`](crate::Completion) that has them,
///   and so exactly once.
pub trait Totals: Send + Sync {
    /// What completions have [added](crate::Completion::figures), by pipeline, month and name.
    fn totals(&self) -> Result<Vec<Total>>;
}

/// Figures to be added to a month's totals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthFigures {
    /// The month, as `2026-11`.
    pub month: String,
    /// The figures by name; ordered, so that two who add do not wait for each other in a circle.
    pub figures: BTreeMap<String, u64>,
}

/// What a figure has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    /// The pipeline.
    pub pipeline: String,
    /// The month, as `2026-11`.
    pub month: String,
    /// The figure's name.
    pub name: String,
    /// Its value.
    pub value: u64,
}
