//! The price file.

use schemars::JsonSchema;
use serde::Deserialize;

use super::money::{Bytes, Money};

/// Prices of a provider on a date. A gigabyte is 2^30 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceFile {
    /// The day on which the prices were looked up, as `2026-01-31`.
    pub dated: String,
    /// Currency of all prices, as `USD`.
    pub currency: String,
    /// Where the prices are from, for people.
    #[serde(default)]
    pub source: String,
    /// How often the CDN fetches an object from the store while it is watched: once for each of its
    /// regional caches, say.
    pub origin_fetches: u32,
    /// Prices by region.
    pub region: Vec<Region>,
}

/// Prices of one region.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// Its name, as `eu-central-1`.
    pub name: String,
    /// An hour of one processor.
    pub core_hour: Money,
    /// Prices of storage, by class.
    pub storage: Vec<Storage>,
    /// Prices of the CDN for viewers in this part of the world.
    pub cdn: Cdn,
}

/// Prices of a storage class.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// The class, as `STANDARD`.
    pub class: String,
    /// A gigabyte for a month.
    pub gb_month: Money,
    /// A thousand writes.
    pub puts_1000: Money,
    /// A thousand reads.
    pub gets_1000: Money,
    /// Reading a gigabyte.
    #[serde(default)]
    pub retrieved_gb: Money,
}

/// Prices of the CDN.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cdn {
    /// Ten thousand requests over HTTPS.
    pub requests_10000: Money,
    /// Transfer to viewers in a month, the first gigabytes first; the last tier has no end.
    pub transfer: Vec<Tier>,
}

/// A price of transfer up to an amount.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Up to this many gigabytes in the month, from its beginning; without it, for all that follow.
    pub up_to_gb: Option<u64>,
    /// A gigabyte.
    pub gb: Money,
}

impl PriceFile {
    /// What no single field can tell: faults in words, none if it is sound.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if !is_date(&self.dated) {
            faults.push(format!("`dated`: {:?} is no day such as \"2026-01-31\"", self.dated));
        }
        for (at, region) in self.region.iter().enumerate() {
            let name = &region.name;
            if self.region[..at].iter().any(|other| other.name == *name) {
                faults.push(format!("region {name:?} is there twice"));
            }
            if region.storage.is_empty() {
                faults.push(format!("region {name:?} has no [[region.storage]]"));
            }
            faults.extend(region.cdn.fault().map(|fault| format!("region {name:?}: {fault}")));
        }
        faults
    }

    /// The region of that name.
    pub fn region(&self, name: &str) -> Option<&Region> {
        self.region.iter().find(|region| region.name == name)
    }
}

/// Digits and dashes only: a calendar is not needed to tell how old prices are.
fn is_date(text: &str) -> bool {
    let shape = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    text.len() == 10 && text.bytes().enumerate().all(shape)
}

impl Region {
    /// The prices of a class; of the first one, where none is named.
    pub fn storage(&self, class: &str) -> Option<&Storage> {
        match class {
            "" => self.storage.first(),
            _ => self.storage.iter().find(|storage| storage.class == class),
        }
    }
}

impl Cdn {
    /// Tiers must grow, and only the last may be open.
    fn fault(&self) -> Option<String> {
        let Some((last, others)) = self.transfer.split_last() else {
            return Some("`transfer` names no price".to_owned());
        };
        let mut before = 0;
        for tier in others {
            match tier.up_to_gb {
                Some(end) if end > before => before = end,
                _ => return Some("`transfer`: each `up_to_gb` must be more than the last".into()),
            }
        }
        let open = "`transfer`: the last price must have no `up_to_gb`";
        last.up_to_gb.is_some().then(|| open.to_owned())
    }

    /// What transfer costs in a month in which nothing else is transferred.
    pub fn transfer(&self, bytes: Bytes) -> Money {
        let (mut begun, mut sum) = (0_u128, Money(0));
        let all = u128::from(bytes.0);
        for tier in &self.transfer {
            let end = tier.up_to_gb.map_or(u128::MAX, |gb| u128::from(gb) * Bytes::GB).min(all);
            sum = sum + tier.gb.of(end.saturating_sub(begun), Bytes::GB);
            begun = begun.max(end);
        }
        sum
    }
}
