//! URLs that can be signed, and the resources of policies, which may have wildcards.

use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Query parameters that CloudFront takes for its own and does not pass on.
const RESERVED: [&str; 5] = ["Expires", "Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm"];

/// Why a text is no URL that CloudFront could check a signature for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Neither `http://` nor `https://`.
    #[error("{0:?} is no whole URL: begin with https:// or http://")]
    Scheme(String),
    /// Nothing between `//` and the path.
    #[error("{0:?} names no host")]
    NoHost(String),
    /// A character that must not stand in a URL (RFC 3986, 2).
    #[error("{character:?} at byte {at} must be percent-encoded in a URL")]
    Character {
        /// The character.
        character: char,
        /// Its place, in bytes from 0.
        at: usize,
    },
    /// `%` without two hex digits.
    #[error("% at byte {0} is not followed by two hex digits")]
    Percent(usize),
    /// `#` and what follows never reaches a server.
    #[error("there is a fragment (#): it is not sent to a server, so leave it out")]
    Fragment,
    /// A name and password before the host.
    #[error("there is a name or password before the host: leave it out")]
    UserInfo,
    /// A query parameter with a name of CloudFront's own.
    #[error("there is a query parameter {0} already: it is one of the signature's")]
    Reserved(String),
    /// `*` in what is to be fetched.
    #[error("a URL to fetch cannot hold *; write %2A, or give the wildcard as a policy's resource")]
    Wildcard,
}

/// A whole URL of one object, as a player asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignableUrl(String);

impl SignableUrl {
    /// The URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SignableUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<SignableUrl, UrlError> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        check(text, rest)?;
        match text.contains('*') {
            true => Err(UrlError::Wildcard),
            false => Ok(SignableUrl(text.to_owned())),
        }
    }
}

impl fmt::Display for SignableUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a policy speaks of: a URL in which `*` stands for any run of characters, slashes included,
/// and `?` for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource(String);

impl Resource {
    /// The resource.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is a `*` in it; a `?` may as well be that of a query.
    pub fn has_wildcard(&self) -> bool {
        self.0.contains('*')
    }

    /// Whether `url` is one of those that are meant.
    pub fn matches(&self, url: &SignableUrl) -> bool {
        matches(self.0.as_bytes(), url.0.as_bytes())
    }
}

impl From<SignableUrl> for Resource {
    fn from(url: SignableUrl) -> Resource {
        Resource(url.0)
    }
}

impl FromStr for Resource {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Resource, UrlError> {
        // `http*://` is either of the two.
        let rest = ["https://", "http://", "http*://"].iter().find_map(|s| text.strip_prefix(s));
        check(text, rest)?;
        Ok(Resource(text.to_owned()))
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Holds `text` to the grammar; `rest` is what follows its scheme.
fn check(text: &str, rest: Option<&str>) -> Result<(), UrlError> {
    let rest = rest.ok_or_else(|| UrlError::Scheme(text.to_owned()))?;
    check_characters(text)?;
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    if host.contains('@') {
        return Err(UrlError::UserInfo);
    }
    if host.is_empty() || host.starts_with(':') {
        return Err(UrlError::NoHost(text.to_owned()));
    }
    let query = rest.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let names = query.split('&').map(|pair| pair.split('=').next().unwrap_or(pair));
    match names.into_iter().find(|name| RESERVED.contains(name)) {
        Some(name) => Err(UrlError::Reserved(name.to_owned())),
        None => Ok(()),
    }
}

fn check_characters(text: &str) -> Result<(), UrlError> {
    for (at, character) in text.char_indices() {
        match character {
            '#' => return Err(UrlError::Fragment),
            '%' => {
                let digits = text.as_bytes().get(at + 1..at + 3);
                if !digits.is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit)) {
                    return Err(UrlError::Percent(at));
                }
            }
            _ if is_allowed(character) => {}
            _ => return Err(UrlError::Character { character, at }),
        }
    }
    Ok(())
}

/// Reserved and unreserved characters (RFC 3986, 2.2 and 2.3). None of them needs escaping in JSON.
fn is_allowed(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-._~:/?[]@!$&'()*+,;=".contains(character)
}

/// Whether `text` fits `pattern`, in time linear in both but for `*`, which goes back to the last
/// one only.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&one) if one == b'?' || one == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((back, from)) = star else { return false };
                star = Some((back, from + 1));
                p = back + 1;
                t = from + 1;
            }
        }
    }
    pattern[p..].iter().all(|&rest| rest == b'*')
}

/// Unreserved characters (RFC 3986, 2.3) and slashes stay as they are.
const IN_PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// A path as it stands in a URL: no name of an asset can be a wildcard, or begin a query.
pub fn encode_path(path: &str) -> String {
    utf8_percent_encode(path, IN_PATH).to_string()
}
