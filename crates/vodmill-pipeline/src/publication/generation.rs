//! Names of generations, and their order.
//!
//! `g0001-91e83032` is the first version of an asset, made by the job whose id begins so.
//! `g0001r1-5d0c7f21` is the same version under other keys: it comes after the first, and before
//! every later version, also before one that was planned already when it was made.

use std::fmt;

/// Which version of an asset a generation is, and how often that was given other keys: what comes
/// later is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Number {
    version: u64,
    rekeyed: u64,
}

impl Number {
    /// The number of a version as it was first made.
    pub(crate) fn of_version(version: u64) -> Number {
        Number { version, rekeyed: 0 }
    }

    /// The number in a generation's name.
    pub(crate) fn of(generation: &str) -> Option<Number> {
        let number = generation.strip_prefix('g')?.split('-').next()?;
        let (version, rekeyed) = match number.split_once('r') {
            Some((version, rekeyed)) => (version, digits(rekeyed)?),
            None => (number, 0),
        };
        Some(Number { version: digits(version)?, rekeyed })
    }

    /// The number in what an `asset.json` says.
    pub(crate) fn published(asset_json: &[u8]) -> Option<Number> {
        Number::of(&published(asset_json)?)
    }

    /// The version.
    pub(crate) fn version(self) -> u64 {
        self.version
    }

    /// The number of the same version under the next keys; none where numbers end.
    pub(crate) fn rekeyed(self) -> Option<Number> {
        Some(Number { rekeyed: self.rekeyed.checked_add(1)?, ..self })
    }

    /// The name of the generation of this number that `token` marks: 8 hex digits.
    pub(crate) fn name(self, token: &str) -> String {
        format!("{self}-{}", token.get(..8).unwrap_or(token))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rekeyed {
            0 => write!(f, "g{:04}", self.version),
            rekeyed => write!(f, "g{:04}r{rekeyed}", self.version),
        }
    }
}

/// The generation that an `asset.json` names.
pub(crate) fn published(asset_json: &[u8]) -> Option<String> {
    let asset: serde_json::Value = serde_json::from_slice(asset_json).ok()?;
    Some(asset.get("generation")?.as_str()?.to_owned())
}

/// Digits alone, and as many as a number holds.
fn digits(text: &str) -> Option<u64> {
    let all = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_the_order_of_their_numbers() {
        let order = [
            "g0001-ffffffff",
            "g0001r1-00000000",
            "g0001r2-00000000",
            "g0001r10-00000000",
            "g0002-00000000",
            "g0010-00000000",
            "g10000-00000000",
            "g4294967295-00000000",
            "g4294967296-00000000",
            "g18446744073709551615r18446744073709551615-00000000",
        ];
        let numbers: Vec<_> = order.iter().map(|name| Number::of(name)).collect();
        assert!(numbers.iter().all(Option::is_some), "{numbers:?}");
        assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
        assert_eq!(numbers[9].and_then(Number::rekeyed), None, "numbers do not wrap");
    }

    #[test]
    fn a_name_says_its_number_again() {
        let first = Number::of_version(1);
        let again = first.rekeyed().and_then(Number::rekeyed);
        assert_eq!(first.name("91e8303277"), "g0001-91e83032");
        let name = again.map(|number| number.name("5d0c7f21")).unwrap_or_default();
        assert_eq!(name, "g0001r2-5d0c7f21");
        assert_eq!(Number::of(&name), again);
        for other in ["", "g", "g-1", "g1x-a", "gr1-a", "g1r-a", "g+1-a", "g1r+1-a", "h1-a", "talk"]
        {
            assert_eq!(Number::of(other), None, "{other}");
        }
        assert_eq!(Number::of("g99999999999999999999-a"), None, "more than a number holds");
    }
}
