//! `[delivery]` of `vodmill.toml`: what signs for the CDN, and prices. Where a pipeline's packages
//! are at the CDN, the pipeline says.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use vodmill_delivery::cost::{Money, PriceFile};
use vodmill_model::audience::AudiencePrices;

use super::files::{Source, read_source};
use super::problem::{Problem, Problems, Reporter};

/// The prices of a home that names no file of its own.
const BUILT_IN: &str = include_str!("../../../../prices/aws.toml");

/// Delivery, as far as it is the same for all pipelines.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DeliverySettings {
    /// Id of the public key in CloudFront, as `K2JCJMDEHXQW5F`; needed for signing.
    pub key_pair_id: Option<String>,
    /// File of the private key in PEM; needed for signing.
    pub private_key_file: Option<String>,
    /// What is signed of a policy.
    pub hash: Hash,
    /// Seconds for which the signatures in viewers' playlists hold, as far as the viewer's token
    /// does: no less than a viewing takes, pauses included.
    #[schemars(range(min = 60))]
    pub valid_seconds: u32,
    /// Part of the query in which a viewer's token comes, and goes on to playlists and keys. Where
    /// the key server asks for tokens, the same as its `query`.
    pub token: String,
    /// Price file for `vodmill cost`; the built-in example without it.
    pub prices: Option<String>,
}

/// A hash that CloudFront knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Hash {
    /// What CloudFront expects where nothing is said.
    Sha1,
    /// Said with each signature.
    Sha256,
}

impl Default for DeliverySettings {
    fn default() -> DeliverySettings {
        DeliverySettings {
            key_pair_id: None,
            private_key_file: None,
            hash: Hash::Sha256,
            valid_seconds: 6 * 3600,
            token: "token".to_owned(),
            prices: None,
        }
    }
}

impl From<Hash> for vodmill_delivery::Hash {
    fn from(hash: Hash) -> vodmill_delivery::Hash {
        match hash {
            Hash::Sha1 => vodmill_delivery::Hash::Sha1,
            Hash::Sha256 => vodmill_delivery::Hash::Sha256,
        }
    }
}

impl DeliverySettings {
    /// What does not go together.
    pub(super) fn check(&self, problems: &mut Vec<Problem>) {
        let mut report = |message: String| {
            problems.push(Problem { file: "vodmill.toml".into(), line: None, message });
        };
        if self.key_pair_id.is_some() != self.private_key_file.is_some() {
            report(
                "`delivery.key_pair_id` and `delivery.private_key_file` go together: set both"
                    .into(),
            );
        }
        let plain = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        if self.key_pair_id.as_deref().is_some_and(|id| !plain(id) || id.contains('_')) {
            report(
                "`delivery.key_pair_id` must be letters and digits, as \"K2JCJMDEHXQW5F\"".into(),
            );
        }
        if !plain(&self.token) {
            report("`delivery.token` must be letters, digits and _".into());
        }
    }
}

/// What processors and viewers cost in a region of the price file.
///
/// # Errors
/// What is wrong, in words.
pub(super) fn audience_prices(
    home: &Path,
    file: Option<&str>,
    region: &str,
) -> Result<AudiencePrices, String> {
    let prices = prices(home, file).map_err(|problems| problems.to_string())?;
    let no_region = || format!("audience.region: the price file has no region {region:?}");
    let found = prices.region(region).ok_or_else(no_region)?;
    let billionths = |money: Money| u64::try_from(money.0).unwrap_or(u64::MAX);
    Ok(AudiencePrices {
        currency: prices.currency.clone(),
        core_hour_billionths: billionths(found.core_hour),
        gb_billionths: billionths(found.cdn.transfer[0].gb),
    })
}

/// The prices in `file`, or the built-in ones.
///
/// # Errors
/// Every fault of the file.
pub fn prices(home: &Path, file: Option<&str>) -> Result<PriceFile, Problems> {
    let mut problems = Vec::new();
    let source = match file {
        None => Source {
            name: "aws".to_owned(),
            file: PathBuf::from("(built in) prices/aws.toml"),
            text: BUILT_IN.to_owned(),
        },
        Some(file) => match read_source(home, PathBuf::from(file)) {
            Ok(source) => source,
            Err((file, error)) => {
                problems.push(Problem { file, line: None, message: error.to_string() });
                Source { name: String::new(), file: PathBuf::new(), text: String::new() }
            }
        },
    };
    // An unreadable file was reported already.
    let parsed = if problems.is_empty() { source.parse::<PriceFile>(&mut problems) } else { None };
    let mut reporter = Reporter { file: &source.file, text: &source.text, problems: &mut problems };
    for fault in parsed.iter().flat_map(PriceFile::faults) {
        reporter.at(None, fault);
    }
    match parsed {
        Some(prices) => Problems::none_or(problems, prices),
        None => Err(Problems::some(problems)),
    }
}
