//! The report on all assets of a pipeline.

use std::collections::BTreeMap;

use serde::Serialize;
use vodmill_model::AssetDocument;

use super::cost_model::{report, transfer};
use super::money::{Bytes, Money};
use super::prices::Region;
use super::report::{Assumptions, CostError, Report};

/// What many assets cost, among which the views are spread evenly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Size of all objects.
    pub bytes: Bytes,
    /// Making them, once.
    pub make: Money,
    /// Storage for all months.
    pub keep: Money,
    /// Serving all views; transfer is priced for the sum.
    pub serve: Money,
    /// All of it.
    pub total: Money,
    /// Bytes to viewers.
    pub transferred: Bytes,
    /// What was published in each month (UTC), as `2026-01`.
    pub months: BTreeMap<String, Month>,
    /// Each asset by itself.
    pub assets: Vec<Report>,
}

/// What was published in a month.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Month {
    /// How many assets.
    pub assets: u64,
    /// Processor time, where it is known.
    pub cpu_ms: u64,
    /// Their size.
    pub bytes: Bytes,
    /// Making them.
    pub make: Money,
}

/// Calculates what assets cost together. Shares go by the names of rungs that each of them has.
///
/// # Errors
/// [`CostError`].
pub fn summary(
    assets: &[AssetDocument],
    region: &Region,
    class: &str,
    given: &Assumptions,
) -> Result<Summary, CostError> {
    let mut reports = Vec::new();
    for (at, asset) in assets.iter().enumerate() {
        // What does not divide goes to the first ones.
        let (count, at) = (assets.len() as u64, at as u64);
        let views = given.views / count + u64::from(at < given.views % count);
        let given = Assumptions { views, ..given.clone() };
        reports.push(report(asset, region, class, &given)?);
    }
    let sum = |of: fn(&Report) -> Money| reports.iter().map(of).sum::<Money>();
    let transferred: Bytes = reports.iter().map(|one| one.transferred).sum();
    let (make, keep) = (sum(|one| one.make), sum(|one| one.keep));
    let serve = sum(|one| one.serve - one.transfer) + transfer(region, given, transferred);
    Ok(Summary {
        bytes: reports.iter().map(|one| one.bytes).sum(),
        make,
        keep,
        serve,
        total: make + keep + serve,
        transferred,
        months: months(assets, &reports),
        assets: reports,
    })
}

fn months(assets: &[AssetDocument], reports: &[Report]) -> BTreeMap<String, Month> {
    let mut months: BTreeMap<String, Month> = BTreeMap::new();
    for (asset, report) in assets.iter().zip(reports) {
        let Some(name) = asset.publication.month() else {
            continue;
        };
        let month = months.entry(name.to_owned()).or_default();
        month.assets += 1;
        month.cpu_ms += report.cpu_ms.unwrap_or(0);
        month.bytes = Bytes(month.bytes.0.saturating_add(report.bytes.0));
        month.make = month.make + report.make;
    }
    months
}
