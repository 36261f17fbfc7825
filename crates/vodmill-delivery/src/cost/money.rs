//! Money and sizes.

use std::borrow::Cow;
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Sub};
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

const BILLION: i128 = 1_000_000_000;

/// A sum of money in billionths of its currency; written as a decimal, as `"0.085"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Money(pub i128);

impl Money {
    /// What `count` cost where `per` of them cost this, rounded half up.
    #[must_use]
    pub fn of(self, count: u128, per: u128) -> Money {
        let (count, per) = (count as i128, per.max(1) as i128);
        // A view of a whole catalogue is 10^15 bytes; a price 10^12 billionths: far from 10^38.
        Money((self.0.saturating_mul(count) + per / 2).div_euclid(per))
    }
}

impl FromStr for Money {
    type Err = String;

    fn from_str(text: &str) -> Result<Money, String> {
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let sane = digits(whole) && digits(part) && whole.len() <= 12 && part.len() <= 9;
        let billionths = format!("{part:0<9}");
        let sum = whole.parse::<i128>().ok().zip(billionths.parse::<i128>().ok());
        match sum.filter(|_| sane) {
            Some((whole, part)) => Ok(Money(whole * BILLION + part)),
            None => Err(format!(
                "{text:?} is no price: write it as \"0.085\", with nine decimals at most"
            )),
        }
    }
}

impl TryFrom<String> for Money {
    type Error = String;

    fn try_from(text: String) -> Result<Money, String> {
        text.parse()
    }
}

impl From<Money> for String {
    fn from(money: Money) -> String {
        money.to_string()
    }
}

impl fmt::Display for Money {
    /// All nine decimals, or as many as the format asks for, rounded half up.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = f.precision().unwrap_or(9).min(9);
        let unit = 10_i128.pow(9 - decimals as u32);
        let rounded = (self.0.abs() + unit / 2) / unit;
        let scale = 10_i128.pow(decimals as u32);
        let sign = if self.0 < 0 && rounded > 0 { "-" } else { "" };
        let (whole, part) = (rounded / scale, rounded % scale);
        match decimals {
            0 => write!(f, "{sign}{whole}"),
            _ => write!(f, "{sign}{whole}.{part:0decimals$}"),
        }
    }
}

impl JsonSchema for Money {
    fn schema_name() -> Cow<'static, str> {
        "Money".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,9})?$" })
    }
}

impl Add for Money {
    type Output = Money;

    fn add(self, other: Money) -> Money {
        Money(self.0.saturating_add(other.0))
    }
}

impl Sub for Money {
    type Output = Money;

    fn sub(self, other: Money) -> Money {
        Money(self.0.saturating_sub(other.0))
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Money>>(all: I) -> Money {
        all.fold(Money(0), Add::add)
    }
}

/// A size in bytes.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Bytes(pub u64);

impl Bytes {
    /// The gigabyte of price lists: 2^30 bytes.
    pub const GB: u128 = 1 << 30;
}

impl Sum for Bytes {
    fn sum<I: Iterator<Item = Bytes>>(all: I) -> Bytes {
        Bytes(all.fold(0, |sum, bytes| sum.saturating_add(bytes.0)))
    }
}
