//! JSON Web Tokens (RFC 7519) as compact JWS (RFC 7515), checked with the keys of a JWK set (RFC
//! 7517): HS256, ES256 and RS256 (RFC 7518, 3.2 to 3.4).
//!
//! The key decides the algorithm, never the token: a token whose header names another one than its
//! key's is refused, and so is `none`. Claims: `exp` is needed; `asset` too, an asset, `folder/*` or
//! `*`, or a list of such; `ip` binds to an address; `nbf`, `iss` and `aud` count where they stand;
//! `sub` is for the log.

use std::fmt;
use std::net::IpAddr;

use ring::{hmac, signature};
use serde::Deserialize;
use serde_json::Value;

use super::{Grant, MAX_TOKEN, Scope, TokenError, decode};

/// The most keys of a set that are read.
const MAX_KEYS: usize = 64;

/// The most scopes of a token.
const MAX_SCOPES: usize = 64;

/// How far ahead the clock of an issuer may be, in seconds.
const NOT_BEFORE_LEEWAY: f64 = 60.0;

/// The longest name of a viewer that is logged, in bytes.
const MAX_VIEWER: usize = 64;

/// Keys of a JWK set that signatures are checked with. Debug shows no secret.
#[derive(Clone)]
pub struct JwkSet {
    keys: Vec<Jwk>,
    has_secrets: bool,
}

/// Who may make tokens, and for whom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// `iss` has to be this.
    pub issuer: Option<String>,
    /// `aud` has to hold this. Without it a token that has an `aud` is for another server.
    pub audience: Option<String>,
}

#[derive(Clone)]
struct Jwk {
    kid: Option<String>,
    key: Key,
}

#[derive(Clone)]
enum Key {
    Hs256(hmac::Key),
    /// An uncompressed point.
    Es256(Vec<u8>),
    Rs256 {
        n: Vec<u8>,
        e: Vec<u8>,
    },
}

#[derive(Deserialize)]
struct Entry {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    k: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

#[derive(Deserialize)]
struct Claims {
    exp: Option<f64>,
    nbf: Option<f64>,
    iss: Option<String>,
    aud: Option<OneOrMany>,
    sub: Option<String>,
    asset: Option<OneOrMany>,
    ip: Option<IpAddr>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl JwkSet {
    /// From the JSON of a JWK set. Keys for other purposes or of other kinds are passed over.
    ///
    /// # Errors
    /// Says what is wrong, and shows no key.
    pub fn parse(text: &str) -> Result<JwkSet, String> {
        let set: Value = serde_json::from_str(text).map_err(|_| "not JSON".to_owned())?;
        let entries = set["keys"].as_array().ok_or("there is no list `keys`")?;
        if entries.len() > MAX_KEYS {
            return Err(format!("more than {MAX_KEYS} keys"));
        }
        let mut keys = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            let entry = Entry::deserialize(entry).map_err(|_| format!("key {index}: not a JWK"))?;
            let key = key_of(&entry).map_err(|why| format!("key {index}: {why}"))?;
            keys.extend(key.map(|key| Jwk { kid: entry.kid, key }));
        }
        match keys.is_empty() {
            true => Err("no key for HS256, ES256 or RS256".to_owned()),
            false => Ok(JwkSet { keys, has_secrets: entries.iter().any(is_secret) }),
        }
    }

    /// Whether who reads the set can make tokens: most sets hold public keys only.
    pub fn has_secrets(&self) -> bool {
        self.has_secrets
    }

    /// What the token permits at `now`, in Unix seconds.
    ///
    /// # Errors
    /// [`TokenError`], each for its reason.
    pub fn check(&self, token: &str, expected: &Expected, now: u64) -> Result<Grant, TokenError> {
        if token.len() > MAX_TOKEN {
            return Err(TokenError::TooLong);
        }
        let (said, signed) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, claims) = said.split_once('.').ok_or(TokenError::Malformed)?;
        let header: Header = json(header)?;
        // No extension is understood here (RFC 7515, 4.1.11).
        if header.crit.is_some() {
            return Err(TokenError::Malformed);
        }
        let signed = decode(signed)?;
        let fits = |jwk: &&Jwk| {
            jwk.key.algorithm() == header.alg && (header.kid.is_none() || jwk.kid == header.kid)
        };
        let mut keys = self.keys.iter().filter(fits).peekable();
        keys.peek().ok_or(TokenError::UnknownKey)?;
        if !keys.any(|jwk| jwk.key.verifies(said.as_bytes(), &signed)) {
            return Err(TokenError::BadSignature);
        }
        json::<Claims>(claims)?.grant(expected, now)
    }
}

impl Claims {
    fn grant(self, expected: &Expected, now: u64) -> Result<Grant, TokenError> {
        let now = now as f64;
        let expires = self.exp.ok_or(TokenError::Incomplete)?;
        if expires <= now {
            return Err(TokenError::Expired);
        }
        if self.nbf.is_some_and(|from| from > now + NOT_BEFORE_LEEWAY) {
            return Err(TokenError::NotYet);
        }
        let audience = self.aud.map(OneOrMany::into_list);
        let for_us = match (&expected.audience, &audience) {
            (None, given) => given.is_none(),
            (Some(wanted), given) => given.as_ref().is_some_and(|given| given.contains(wanted)),
        };
        if !for_us || expected.issuer.is_some() && self.iss != expected.issuer {
            return Err(TokenError::OtherService);
        }
        let assets = self.asset.ok_or(TokenError::Incomplete)?.into_list();
        if assets.is_empty() || assets.len() > MAX_SCOPES {
            return Err(TokenError::Incomplete);
        }
        let assets: Option<Vec<Scope>> = assets.iter().map(|text| Scope::parse(text)).collect();
        let assets = assets.ok_or(TokenError::Malformed)?;
        // Floats beyond the range become its ends.
        let expires = expires as u64;
        Ok(Grant { assets, address: self.ip, expires, viewer: viewer(self.sub) })
    }
}

impl OneOrMany {
    fn into_list(self) -> Vec<String> {
        match self {
            OneOrMany::One(one) => vec![one],
            OneOrMany::Many(many) => many,
        }
    }
}

impl Key {
    fn algorithm(&self) -> &'static str {
        match self {
            Key::Hs256(_) => "HS256",
            Key::Es256(_) => "ES256",
            Key::Rs256 { .. } => "RS256",
        }
    }

    fn verifies(&self, said: &[u8], signed: &[u8]) -> bool {
        match self {
            Key::Hs256(key) => hmac::verify(key, said, signed).is_ok(),
            Key::Es256(point) => {
                let kind = &signature::ECDSA_P256_SHA256_FIXED;
                signature::UnparsedPublicKey::new(kind, point).verify(said, signed).is_ok()
            }
            Key::Rs256 { n, e } => {
                let key = signature::RsaPublicKeyComponents { n, e };
                key.verify(&signature::RSA_PKCS1_2048_8192_SHA256, said, signed).is_ok()
            }
        }
    }
}

impl fmt::Debug for JwkSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|jwk| (&jwk.kid, jwk.key.algorithm()))).finish()
    }
}

/// The key of an entry, if it is one that signatures can be checked with here.
/// Whether a key, of whatever kind, makes signatures too: a shared secret, or a private key.
fn is_secret(entry: &Value) -> bool {
    entry.get("k").is_some() || entry.get("d").is_some()
}

fn key_of(entry: &Entry) -> Result<Option<Key>, &'static str> {
    if entry.usage.as_deref().is_some_and(|usage| usage != "sig") {
        return Ok(None);
    }
    let part = |part: &Option<String>| {
        let text = part.as_deref().ok_or("a part is missing")?;
        decode(text).map_err(|_| "a part is not base64url")
    };
    let key = match (entry.kty.as_str(), entry.crv.as_deref()) {
        ("oct", _) => {
            let secret = part(&entry.k)?;
            // RFC 7518, 3.2: as long as the hash.
            if secret.len() < 32 {
                return Err("a secret for HS256 needs 32 bytes");
            }
            Key::Hs256(hmac::Key::new(hmac::HMAC_SHA256, &secret))
        }
        ("EC", Some("P-256")) => {
            let (x, y) = (part(&entry.x)?, part(&entry.y)?);
            if (x.len(), y.len()) != (32, 32) {
                return Err("coordinates of P-256 have 32 bytes");
            }
            Key::Es256([&[4][..], &x, &y].concat())
        }
        ("RSA", _) => {
            let (n, e) = (part(&entry.n)?, part(&entry.e)?);
            if n.len() < 256 || n.len() > 1024 {
                return Err("an RSA key has 2048 to 8192 bits");
            }
            Key::Rs256 { n, e }
        }
        _ => return Ok(None),
    };
    let meant = entry.alg.as_deref().is_none_or(|alg| alg == key.algorithm());
    Ok(meant.then_some(key))
}

fn json<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, TokenError> {
    serde_json::from_slice(&decode(text)?).map_err(|_| TokenError::Malformed)
}

/// A name for the log: short, and nothing that could pass for another line.
fn viewer(sub: Option<String>) -> String {
    let sub = sub.unwrap_or_default();
    sub.chars().filter(|c| !c.is_control()).take(MAX_VIEWER).collect()
}
