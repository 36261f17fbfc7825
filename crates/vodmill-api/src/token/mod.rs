//! Viewers' tokens: what they permit, read and checked. No clock, disk or network: text, keys and
//! the time go in, a [`Grant`] or a [`TokenError`] comes out.
//!
//! There are two kinds: ours ([`own`]), short and made with a secret that both sides have, and JSON
//! Web Tokens ([`jwt`], RFC 7519), made by the service that knows the viewers already.

pub mod jwt;
pub mod own;

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The longest token that is looked at, in bytes.
pub const MAX_TOKEN: usize = 4096;

/// The longest asset name in a token, in bytes.
pub const MAX_ASSET: usize = 1024;

/// What a valid token permits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Assets whose keys its bearer gets.
    pub assets: Vec<Scope>,
    /// Where its bearer has to be, if that is said.
    pub address: Option<IpAddr>,
    /// Until when, in Unix seconds.
    pub expires: u64,
    /// Who the bearer is, or which secret made the token: for the log.
    pub viewer: String,
}

/// Some assets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// One, by its name.
    Asset(String),
    /// All whose names begin so: a folder with its slash, or nothing at all for every asset.
    Prefix(String),
}

/// Why a token opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not of the form of a token.
    #[error("the token is malformed")]
    Malformed,
    /// Longer than [`MAX_TOKEN`].
    #[error("the token is too long")]
    TooLong,
    /// Made with a secret or key, or by an algorithm, that this server does not take.
    #[error("the token is signed with an unknown key")]
    UnknownKey,
    /// Changed, or made with another secret.
    #[error("the signature of the token is wrong")]
    BadSignature,
    /// It was good until a moment that is over.
    #[error("the token has expired")]
    Expired,
    /// It will be good later.
    #[error("the token is not valid yet")]
    NotYet,
    /// Made for another service, or by another issuer.
    #[error("the token is for another service")]
    OtherService,
    /// It does not say which assets, or until when.
    #[error("the token lacks `exp` or `asset`")]
    Incomplete,
    /// It permits other assets.
    #[error("the token is for another asset")]
    OtherAsset,
    /// It permits another address.
    #[error("the token is for another address")]
    OtherAddress,
}

impl Grant {
    /// Everything, everywhere, for ever: to whom no token is needed.
    pub(crate) fn of_all() -> Grant {
        let assets = vec![Scope::Prefix(String::new())];
        Grant { assets, address: None, expires: u64::MAX, viewer: String::new() }
    }

    /// Whether it permits the keys of this asset to a viewer at this address.
    ///
    /// # Errors
    /// [`TokenError::OtherAddress`], [`TokenError::OtherAsset`].
    pub fn permits(&self, asset: &str, address: IpAddr) -> Result<(), TokenError> {
        if self.address.is_some_and(|bound| bound.to_canonical() != address.to_canonical()) {
            return Err(TokenError::OtherAddress);
        }
        match self.assets.iter().any(|scope| scope.holds(asset)) {
            true => Ok(()),
            false => Err(TokenError::OtherAsset),
        }
    }
}

impl Scope {
    /// As people write it: an asset, `folder/*`, or `*` for all.
    pub fn parse(text: &str) -> Option<Scope> {
        if text.is_empty() || text.len() > MAX_ASSET || text.chars().any(char::is_control) {
            return None;
        }
        match text.strip_suffix('*') {
            // In the middle of a name it would include names that were not meant.
            Some(prefix) if prefix.is_empty() || prefix.ends_with('/') => {
                Some(Scope::Prefix(prefix.to_owned()))
            }
            Some(_) => None,
            None => Some(Scope::Asset(text.to_owned())),
        }
    }

    /// Whether this asset is one of them.
    pub fn holds(&self, asset: &str) -> bool {
        match self {
            Scope::Asset(name) => name == asset,
            Scope::Prefix(prefix) => asset.starts_with(prefix.as_str()),
        }
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Scope::Asset(name) => f.write_str(name),
            Scope::Prefix(prefix) => write!(f, "{prefix}*"),
        }
    }
}

/// Base64url without padding (RFC 4648, 5), strictly: one text for each value.
fn decode(text: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenError::Malformed)
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
