//! Who asks: where from, and with which token.

use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use axum::http::{HeaderMap, header};
use ipnet::IpNet;
use vodmill_clock::Clock;

use super::reloading_file::{ReloadingFile, SecretFileError};
use crate::token::jwt::{Expected, JwkSet};
use crate::token::own::Secrets;
use crate::token::{Grant, TokenError};

/// The longest chain of proxies that is read.
const MAX_HOPS: usize = 32;

/// Who gets keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Viewers {
    /// Everybody who can connect.
    Anyone,
    /// Who has a token made with a secret of this file ([`Secrets::parse`]).
    Tokens(PathBuf),
    /// Who has a JSON Web Token signed with a key of this JWK set.
    Jwt(PathBuf, Expected),
}

/// [`Viewers`], with their files read.
pub(crate) enum TokenVerifier {
    Anyone,
    Tokens(ReloadingFile<Secrets>),
    Jwt(ReloadingFile<JwkSet>, Expected),
}

impl TokenVerifier {
    pub(crate) fn new(
        viewers: Viewers,
        clock: &Arc<dyn Clock>,
    ) -> Result<TokenVerifier, SecretFileError> {
        Ok(match viewers {
            Viewers::Anyone => TokenVerifier::Anyone,
            Viewers::Tokens(file) => {
                TokenVerifier::Tokens(ReloadingFile::open(file, Secrets::parse, |_| true, clock)?)
            }
            Viewers::Jwt(file, expected) => TokenVerifier::Jwt(
                ReloadingFile::open(file, JwkSet::parse, JwkSet::has_secrets, clock)?,
                expected,
            ),
        })
    }

    pub(crate) fn asks_for_tokens(&self) -> bool {
        !matches!(self, TokenVerifier::Anyone)
    }

    pub(crate) fn check(&self, token: Option<&str>, now: u64) -> Result<Grant, Denied> {
        let token = || token.ok_or(Denied::NoToken);
        match self {
            TokenVerifier::Anyone => Ok(Grant::of_all()),
            TokenVerifier::Tokens(secrets) => Ok(secrets.get().check(token()?, now)?),
            TokenVerifier::Jwt(keys, expected) => Ok(keys.get().check(token()?, expected, now)?),
        }
    }
}

/// Why a viewer is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denied {
    #[error("a token is needed")]
    NoToken,
    #[error(transparent)]
    Token(#[from] TokenError),
}

/// Where tokens are looked for, beside `Authorization: Bearer`.
pub(crate) struct TokenPlaces {
    pub(crate) cookie: String,
    pub(crate) query: String,
}

impl TokenPlaces {
    /// The token of a request: of the header, else of the query, else of the cookie.
    pub(crate) fn find<'r>(
        &self,
        headers: &'r HeaderMap,
        query: Option<&'r str>,
    ) -> Option<&'r str> {
        bearer(headers).or_else(|| self.in_query(query?)).or_else(|| self.in_cookies(headers))
    }

    pub(crate) fn in_query<'r>(&self, query: &'r str) -> Option<&'r str> {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(name, _)| *name == self.query).map(|(_, value)| value)
    }

    fn in_cookies<'r>(&self, headers: &'r HeaderMap) -> Option<&'r str> {
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut cookies =
            lines.flat_map(|line| line.split(';')).filter_map(|it| it.split_once('='));
        let cookie = cookies.find(|(name, _)| name.trim() == self.cookie);
        cookie.map(|(_, value)| value.trim().trim_matches('"'))
    }
}

/// What stands after `Authorization: Bearer` (RFC 6750, 2.1).
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// Addresses with their first bits in common, as `10.0.0.0/8`; an address alone is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(IpNet);

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Network, String> {
        let alone = || text.parse::<IpAddr>().map(IpNet::from);
        let network = text.parse::<IpNet>().or_else(|_| alone());
        network.map(Network).map_err(|_| format!("{text:?} is not a network such as 10.0.0.0/8"))
    }
}

impl Network {
    pub(crate) fn holds(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

/// The address of the client: of `X-Forwarded-For` the last that is no proxy of ours, as far as the
/// chain leads there from the connection.
pub(crate) fn client(peer: IpAddr, headers: &HeaderMap, proxies: &[Network]) -> IpAddr {
    let is_proxy = |address: IpAddr| proxies.iter().any(|network| network.holds(address));
    let mut client = peer.to_canonical();
    if !is_proxy(client) {
        return client;
    }
    let lines = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok());
    let hops: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
    for hop in hops.iter().rev().take(MAX_HOPS) {
        // What a stranger wrote there counts for nothing.
        let Ok(address) = hop.parse::<IpAddr>() else { break };
        client = address.to_canonical();
        if !is_proxy(client) {
            break;
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (name.parse().expect("a name"), value.parse().expect("a value"))
        };
        lines.iter().map(pair).collect()
    }

    #[test]
    fn tokens_are_found_in_three_places() {
        let places = TokenPlaces { cookie: "vm".into(), query: "token".into() };
        let cookies = headers(&[("cookie", "a=b; vm=\"c1\"; xvm=no")]);
        let both = headers(&[("cookie", "vm=c1"), ("authorization", "bearer h1")]);
        assert_eq!(places.find(&cookies, None), Some("c1"));
        assert_eq!(places.find(&cookies, Some("x=1&token=q1&token=q2")), Some("q1"));
        assert_eq!(places.find(&both, Some("token=q1")), Some("h1"));
        assert_eq!(places.find(&headers(&[("authorization", "Basic x")]), Some("tokens=1")), None);
    }

    #[test]
    fn only_proxies_of_ours_say_who_the_client_is() {
        let proxies = ["10.0.0.0/8", "::1"].map(|text| text.parse().expect("a network"));
        let told = |peer: &str, chain: &'static str| {
            let headers = headers(&[("x-forwarded-for", chain)]);
            client(peer.parse().expect("an address"), &headers, &proxies).to_string()
        };
        assert_eq!(told("192.0.2.1", "198.51.100.7"), "192.0.2.1");
        assert_eq!(told("10.1.2.3", "198.51.100.7"), "198.51.100.7");
        assert_eq!(told("::ffff:10.1.2.3", "6.6.6.6, 198.51.100.7, 10.9.9.9"), "198.51.100.7");
        assert_eq!(told("::1", "10.0.0.9, nonsense"), "::1");
        for bad in ["10.0.0.0/33", "10.0.0/8", "::/129", "", "a/b"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }
}
