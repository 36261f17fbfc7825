//! `[audience]` of a pipeline.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who is expected to watch what a pipeline publishes, and what that costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Audience {
    /// How often a programme is expected to be watched whole.
    #[schemars(range(min = 1))]
    pub expected_views: u64,
    /// Region of the price file, as `us-east-1`.
    pub region: String,
    /// What is paid there: that of the price file, where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices: Option<AudiencePrices>,
}

/// Prices in billionths of a currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AudiencePrices {
    /// Currency of both, as `USD`.
    pub currency: String,
    /// An hour of one processor.
    pub core_hour_billionths: u64,
    /// A gigabyte (2^30 bytes) to viewers.
    pub gb_billionths: u64,
}
