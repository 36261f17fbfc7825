//! Our own tokens, version 1:
//!
//! ```text
//! vm1 . KEY . EXPIRES . ASSET . ADDRESS . MAC
//! ```
//!
//! `KEY` names the secret; `EXPIRES` is in Unix seconds; `ASSET` is an asset, `folder/*` or `*`, in
//! base64url; `ADDRESS` is empty, or an IP address in base64url; `MAC` is HMAC-SHA-256 (RFC 2104) of
//! everything before its dot, in base64url (RFC 4648, 5, without padding). All characters may stand
//! in a cookie, a header and a query as they are. An asset of 20 letters makes 95 characters.

use std::fmt;
use std::net::IpAddr;

use hex::FromHex as _;
use ring::hmac;

use super::{Grant, MAX_TOKEN, Scope, TokenError, decode, encode};

/// What every token begins with.
const VERSION: &str = "vm1";

/// The most secrets at a time.
const MAX_SECRETS: usize = 32;

/// The longest name of a secret.
const MAX_NAME: usize = 32;

/// Secrets that tokens are made with, under their names. The first makes new ones; the others are
/// good for those that are about. Debug shows no secret.
#[derive(Clone)]
pub struct Secrets(Vec<(String, hmac::Key)>);

/// What a new token is to permit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// These assets.
    pub scope: Scope,
    /// Until then, in Unix seconds.
    pub expires: u64,
    /// Only at this address.
    pub address: Option<IpAddr>,
}

impl Secrets {
    /// From a file of lines `NAME SECRET`: a name of letters, digits, `-` and `_`, and 64 hex digits.
    /// Empty lines and those that begin with `#` do not count.
    ///
    /// # Errors
    /// Says which line is wrong, and shows none of it.
    pub fn parse(text: &str) -> Result<Secrets, String> {
        let mut secrets: Vec<(String, hmac::Key)> = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let bad = || format!("line {}: not a name and 64 hex digits", number + 1);
            let (name, secret) = line.split_once(char::is_whitespace).ok_or_else(bad)?;
            let secret = hex(secret.trim()).filter(|_| is_name(name)).ok_or_else(bad)?;
            if secrets.iter().any(|(known, _)| known == name) {
                return Err(format!("line {}: the name is there twice", number + 1));
            }
            secrets.push((name.to_owned(), hmac::Key::new(hmac::HMAC_SHA256, &secret)));
        }
        match secrets.len() {
            0 => Err("there is no secret".to_owned()),
            1..=MAX_SECRETS => Ok(Secrets(secrets)),
            _ => Err(format!("more than {MAX_SECRETS} secrets")),
        }
    }

    /// A new token, made with the first secret.
    pub fn mint(&self, order: &Order) -> String {
        let (name, key) = &self.0[0];
        let asset = encode(order.scope.to_string().as_bytes());
        let address = order.address.map(|address| encode(address.to_string().as_bytes()));
        let address = address.unwrap_or_default();
        let said = format!("{VERSION}.{name}.{}.{asset}.{address}", order.expires);
        let mac = encode(hmac::sign(key, said.as_bytes()).as_ref());
        format!("{said}.{mac}")
    }

    /// What the token permits at `now`, in Unix seconds. Nothing that it says is believed before its
    /// MAC was compared, in constant time.
    ///
    /// # Errors
    /// [`TokenError`], each for its reason.
    pub fn check(&self, token: &str, now: u64) -> Result<Grant, TokenError> {
        if token.len() > MAX_TOKEN {
            return Err(TokenError::TooLong);
        }
        let (said, mac) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let fields: Vec<&str> = said.split('.').collect();
        let [VERSION, name, expires, asset, address] = fields[..] else {
            return Err(TokenError::Malformed);
        };
        let mac = decode(mac)?;
        let known = self.0.iter().find(|(known, _)| known == name);
        let (name, key) = known.ok_or(TokenError::UnknownKey)?;
        hmac::verify(key, said.as_bytes(), &mac).map_err(|_| TokenError::BadSignature)?;
        let order =
            Order { scope: scope(asset)?, expires: number(expires)?, address: ip(address)? };
        if order.expires <= now {
            return Err(TokenError::Expired);
        }
        let Order { scope, expires, address } = order;
        Ok(Grant { assets: vec![scope], address, expires, viewer: name.clone() })
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !name.is_empty() && name.len() <= MAX_NAME && name.bytes().all(allowed)
}

fn number(text: &str) -> Result<u64, TokenError> {
    // `parse` would take a sign.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or(TokenError::Malformed)
}

fn scope(text: &str) -> Result<Scope, TokenError> {
    let asset = String::from_utf8(decode(text)?).map_err(|_| TokenError::Malformed)?;
    Scope::parse(&asset).ok_or(TokenError::Malformed)
}

fn ip(text: &str) -> Result<Option<IpAddr>, TokenError> {
    if text.is_empty() {
        return Ok(None);
    }
    let address = String::from_utf8(decode(text)?).map_err(|_| TokenError::Malformed)?;
    address.parse().map(Some).map_err(|_| TokenError::Malformed)
}

/// 32 bytes from 64 hex digits.
pub(crate) fn hex(text: &str) -> Option<[u8; 32]> {
    <[u8; 32]>::from_hex(text).ok()
}
