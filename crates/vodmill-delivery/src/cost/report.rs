//! The report on one asset.

use std::collections::BTreeMap;

use serde::Serialize;

use super::money::{Bytes, Money};

/// What is taken for granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Assumptions {
    /// Views in all.
    pub views: u64,
    /// Months that it is kept, over which the views are spread evenly; at least 1.
    pub months: u32,
    /// How much of the programme a view takes, in per cent.
    pub watched_percent: u32,
    /// Views in a thousand by rung; rungs that are not named share what is left evenly.
    pub shares_per_mille: BTreeMap<String, u32>,
    /// How often the CDN fetches an object from the store.
    pub origin_fetches: u32,
    /// Bytes that the account transfers in a month besides: what these views cost comes on top.
    pub other_transfer: Bytes,
}

/// Why there is no report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CostError {
    /// The price file has no such class.
    #[error("the price file has no storage class {class:?} for {region}")]
    NoClass {
        /// The region.
        region: String,
        /// The class.
        class: String,
    },
    /// A share of a rung that is not there.
    #[error("there is no rung {name:?}; there are {known}")]
    NoRung {
        /// As it was named.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// Shares of more than all views, or of fewer where every rung is named.
    #[error("the shares of the rungs add up to {0} in a thousand")]
    Shares(u32),
}

/// What one asset costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The asset.
    pub asset: String,
    /// Its generation.
    pub generation: String,
    /// Size of all objects.
    pub bytes: Bytes,
    /// Processor time, in all; None where the description does not say.
    pub cpu_ms: Option<u64>,
    /// Processor time, and writing every object: once.
    pub make: Money,
    /// Storage for all months.
    pub keep: Money,
    /// Transfer, requests to the CDN and its reads from the store, for all views.
    pub serve: Money,
    /// All of it.
    pub total: Money,
    /// What a thousand views cost to serve.
    pub serve_1000: Money,
    /// Of `serve`, the transfer to viewers.
    pub transfer: Money,
    /// Bytes to viewers, for all views.
    pub transferred: Bytes,
    /// Requests to the CDN in an hour of viewing.
    pub requests_view_hour: u64,
    /// Each rendition by itself; what belongs to none, as posters, is in the sums only.
    pub renditions: Vec<Row>,
}

/// What one rendition costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// `variant`, `audio`, `subtitles` or `mp4`.
    pub kind: String,
    /// Its objects.
    pub bytes: Bytes,
    /// Its part of the encoding, by pixels, and its writes.
    pub make: Money,
    /// Its storage for all months.
    pub keep: Money,
    /// Its transfer, for all views.
    pub serve: Money,
    /// Views in a thousand that play it.
    pub share_per_mille: u32,
    /// Whether a rung pays, against the next larger one; None for the largest and for all that is
    /// no rung.
    pub saving: Option<Saving>,
}

/// What a rung saves if its viewers would else be sent the next larger one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Saving {
    /// The rung that they would be sent.
    pub instead: String,
    /// Bytes saved by each of its views.
    pub bytes_view: Bytes,
    /// Transfer that is saved in all.
    pub saved: Money,
    /// Making and keeping it, which is what it has to save.
    pub costs: Money,
    /// Whether it saves more than it costs.
    pub pays: bool,
    /// Views of the whole asset from which on it pays; None if it never does.
    pub pays_from_views: Option<u64>,
}
