//! Policies of CloudFront: what may be fetched, until when, from when, and from where.
//!
//! Source: Amazon CloudFront Developer Guide, "Use signed URLs" and "Use signed cookies".

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use ipnet::Ipv4Net;

use crate::url::{Resource, SignableUrl};

/// The last second that CloudFront takes: 2038-01-19 03:14:07 UTC.
pub const LAST: Epoch = Epoch(2_147_483_647);

/// Seconds since 1970-01-01 00:00:00 UTC, leap seconds not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(pub u64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why there is no such policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Beyond [`LAST`].
    #[error("{0} s since 1970 is later than CloudFront takes, which is {LAST}, in January 2038")]
    TooLate(Epoch),
    /// It would never hold.
    #[error("it would end ({expires}) no later than it begins ({from})")]
    NeverValid {
        /// When it begins to hold.
        from: Epoch,
        /// When it ends.
        expires: Epoch,
    },
    /// Not an address or a range.
    #[error("{0:?} is no IPv4 address or range, such as 192.0.2.7 or 192.0.2.0/24")]
    Address(String),
    /// CloudFront compares IPv4 addresses only.
    #[error("{0:?} is IPv6: CloudFront's policies know IPv4 only")]
    Ipv6(String),
    /// Bits are set that the range leaves open.
    #[error("{given} names a machine, not a range: write {meant}")]
    HostBits {
        /// As it was written.
        given: String,
        /// The range that holds it.
        meant: AddressRange,
    },
}

/// A range of IPv4 addresses (RFC 4632).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressRange(Ipv4Net);

impl From<Ipv4Addr> for AddressRange {
    /// This address alone.
    fn from(address: Ipv4Addr) -> AddressRange {
        AddressRange(address.into())
    }
}

impl FromStr for AddressRange {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<AddressRange, PolicyError> {
        if text.contains(':') {
            return Err(PolicyError::Ipv6(text.to_owned()));
        }
        let alone = || text.parse::<Ipv4Addr>().map(Ipv4Net::from);
        let given = text.parse::<Ipv4Net>().or_else(|_| alone());
        let given = given.map_err(|_| PolicyError::Address(text.to_owned()))?;
        let meant = AddressRange(given.trunc());
        if meant.0 != given {
            return Err(PolicyError::HostBits { given: text.to_owned(), meant });
        }
        Ok(meant)
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    resource: Resource,
    expires: Epoch,
    from: Option<Epoch>,
    address: Option<AddressRange>,
}

impl Policy {
    /// Lets everyone who has it fetch `resource` before `expires`.
    ///
    /// # Errors
    /// [`PolicyError::TooLate`].
    pub fn new(resource: Resource, expires: Epoch) -> Result<Policy, PolicyError> {
        match expires > LAST {
            true => Err(PolicyError::TooLate(expires)),
            false => Ok(Policy { resource, expires, from: None, address: None }),
        }
    }

    /// The same, after that second only.
    ///
    /// # Errors
    /// [`PolicyError::NeverValid`].
    pub fn starting(self, from: Epoch) -> Result<Policy, PolicyError> {
        match from >= self.expires {
            true => Err(PolicyError::NeverValid { from, expires: self.expires }),
            false => Ok(Policy { from: Some(from), ..self }),
        }
    }

    /// The same, from these addresses only.
    #[must_use]
    pub fn only_from(self, address: AddressRange) -> Policy {
        Policy { address: Some(address), ..self }
    }

    /// Whether CloudFront can put it together again from the URL and the time alone: then it need
    /// not be sent.
    pub fn is_canned(&self) -> bool {
        self.from.is_none() && self.address.is_none() && !self.resource.has_wildcard()
    }

    /// When it ends.
    pub fn expires(&self) -> Epoch {
        self.expires
    }

    /// What it speaks of.
    pub fn resource(&self) -> &Resource {
        &self.resource
    }

    /// Whether it lets anybody fetch this.
    pub fn covers(&self, url: &SignableUrl) -> bool {
        self.resource.matches(url)
    }

    /// The JSON that is signed: without white space, its fields in the one order that canned
    /// policies have.
    pub fn to_json(&self) -> String {
        let time = |name: &str, at: Epoch| format!(r#""{name}":{{"AWS:EpochTime":{at}}}"#);
        let mut conditions = vec![time("DateLessThan", self.expires)];
        if let Some(address) = self.address {
            conditions.push(format!(r#""IpAddress":{{"AWS:SourceIp":"{address}"}}"#));
        }
        conditions.extend(self.from.map(|from| time("DateGreaterThan", from)));
        // A resource holds nothing that JSON escapes.
        let (resource, conditions) = (&self.resource, conditions.join(","));
        format!(r#"{{"Statement":[{{"Resource":"{resource}","Condition":{{{conditions}}}}}]}}"#)
    }
}
