//! Names of generations, and their order.
//!
//! `g0001-91e83032` is the first version of an asset, made by the job whose id begins so.
//! `g0001r1-5d0c7f21` is the same version under other keys: it comes after the first, and before
//! every later version, also before one that was planned already when it was made.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Hex digits of a mark.
const MARK: usize = 8;

/// Which version of an asset a generation is, and how often that was given other keys: what comes
/// later is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GenerationNumber {
    version: u64,
    rekeyed: u64,
}

impl GenerationNumber {
    /// The number of the first version of an asset.
    pub const FIRST: GenerationNumber = GenerationNumber::of_version(1);

    /// The number of a version as it was first made.
    pub const fn of_version(version: u64) -> GenerationNumber {
        GenerationNumber { version, rekeyed: 0 }
    }

    /// The version.
    pub fn version(self) -> u64 {
        self.version
    }

    /// The number of the same version under the next keys; none where numbers end.
    pub fn rekeyed(self) -> Option<GenerationNumber> {
        Some(GenerationNumber { rekeyed: self.rekeyed.checked_add(1)?, ..self })
    }

    fn parse(text: &str) -> Option<GenerationNumber> {
        let digits = text.strip_prefix('g')?;
        let (version, rekeyed) = digits.split_once('r').unwrap_or((digits, "0"));
        let number =
            GenerationNumber { version: version.parse().ok()?, rekeyed: rekeyed.parse().ok()? };
        // One number has one name: no other zeros, no signs.
        (number.to_string() == text).then_some(number)
    }
}

impl fmt::Display for GenerationNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rekeyed {
            0 => write!(f, "g{:04}", self.version),
            rekeyed => write!(f, "g{:04}r{rekeyed}", self.version),
        }
    }
}

/// The name of a generation: its number, and a mark of what made it, 8 hex digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^g[0-9]{4,20}(r[1-9][0-9]*)?-[0-9a-f]{8}$"))]
pub struct GenerationName {
    text: String,
    number: GenerationNumber,
}

/// A text is not the name of a generation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the name of a generation, as g0001-91e83032 is")]
pub struct NotAGeneration(pub String);

impl GenerationName {
    /// The name of the generation of this number that `token` made: the id of a job, or a digest.
    ///
    /// # Errors
    /// If the token does not begin with 8 hex digits.
    pub fn new(number: GenerationNumber, token: &str) -> Result<GenerationName, NotAGeneration> {
        format!("{number}-{}", token.get(..MARK).unwrap_or(token)).parse()
    }

    /// The name in a text; none in any other text.
    pub fn parse(text: &str) -> Option<GenerationName> {
        let (number, mark) = text.split_once('-')?;
        let number = GenerationNumber::parse(number)?;
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let is_mark = mark.len() == MARK && mark.bytes().all(is_hex);
        is_mark.then(|| GenerationName { text: text.to_owned(), number })
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its number.
    pub fn number(&self) -> GenerationNumber {
        self.number
    }

    /// Whether the job of that id has made it.
    pub fn is_made_by(&self, job: &str) -> bool {
        self.text.split_once('-').is_some_and(|(_, mark)| job.starts_with(mark))
    }
}

impl FromStr for GenerationName {
    type Err = NotAGeneration;

    fn from_str(text: &str) -> Result<GenerationName, NotAGeneration> {
        GenerationName::parse(text).ok_or_else(|| NotAGeneration(text.to_owned()))
    }
}

impl TryFrom<String> for GenerationName {
    type Error = NotAGeneration;

    fn try_from(text: String) -> Result<GenerationName, NotAGeneration> {
        text.parse()
    }
}

impl From<GenerationName> for String {
    fn from(name: GenerationName) -> String {
        name.text
    }
}

impl fmt::Display for GenerationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
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
        let numbers: Vec<_> =
            order.iter().map(|name| GenerationName::parse(name).map(|it| it.number())).collect();
        assert!(numbers.iter().all(Option::is_some), "{numbers:?}");
        assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
        let last = numbers[9].and_then(GenerationNumber::rekeyed);
        assert_eq!(last, None, "numbers do not wrap");
    }

    #[test]
    fn a_name_says_its_number_and_its_job_again() {
        let job = "91e8303277aaaaaa";
        let first = GenerationName::new(GenerationNumber::FIRST, job).expect("a name");
        assert_eq!(first.as_str(), "g0001-91e83032");
        assert!(first.is_made_by(job) && !first.is_made_by("81e8303277aaaaaa"));
        let again = first.number().rekeyed().and_then(GenerationNumber::rekeyed).expect("a number");
        let name = GenerationName::new(again, "5d0c7f21").expect("a name");
        assert_eq!(name.as_str(), "g0001r2-5d0c7f21");
        assert_eq!(GenerationName::parse(name.as_str()), Some(name));
        for token in ["", "5d0c7f2", "5D0C7F21", "film"] {
            assert!(GenerationName::new(again, token).is_err(), "{token}");
        }
    }

    #[test]
    fn other_texts_are_no_names() {
        for other in [
            "",
            "g",
            "talk",
            "g-91e83032",
            "g1-91e83032",
            "g00001-91e83032",
            "g0001x-91e83032",
            "gr1-91e83032",
            "g0001r-91e83032",
            "g0001r0-91e83032",
            "g0001r01-91e83032",
            "g+001-91e83032",
            "g0001r+1-91e83032",
            "h0001-91e83032",
            "g0001-91e8303",
            "g0001-91e830322",
            "g0001-91E83032",
            "g0001-91e83032/",
            "g99999999999999999999-91e83032",
        ] {
            assert_eq!(GenerationName::parse(other), None, "{other}");
            assert!(serde_json::from_value::<GenerationName>(other.into()).is_err(), "{other}");
        }
    }
}
