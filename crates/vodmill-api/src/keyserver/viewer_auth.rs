//! Authorization of all that is served to viewers: keys, objects of packages, viewers' playlists,
//! pages, and the gate of a proxy.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use vodmill_clock::Clock;
use vodmill_delivery::{AssetPath, ObjectKind};

use super::KeySettings;
use super::access::{Denied, Network, TokenPlaces, TokenVerifier, bearer, client};
use super::answer::Refusal;
use super::credentials::{Credentials, Role};
use super::limits::{Limiter, rate_limit_key};
use super::reloading_file::{ReloadingFile, SecretFileError};
use crate::token::Grant;

/// Decides what a request may have, and how often one viewer or address may ask.
pub(crate) struct ViewerAuth {
    verifier: TokenVerifier,
    places: TokenPlaces,
    credentials: Option<ReloadingFile<Credentials>>,
    proxies: Vec<Network>,
    addresses: Limiter<IpAddr>,
    viewers: Limiter<u64>,
    hash: RandomState,
    clock: Arc<dyn Clock>,
}

/// The client of a request, with its headers and query.
pub(crate) struct Visitor {
    pub(crate) address: IpAddr,
    headers: HeaderMap,
    query: Option<String>,
}

impl ViewerAuth {
    /// Reads the files of the settings.
    pub(crate) fn new(settings: &KeySettings) -> Result<ViewerAuth, SecretFileError> {
        let (cookie, query) = (settings.cookie.clone(), settings.query.clone());
        let credentials = settings.credentials.clone();
        let credentials = credentials
            .map(|file| ReloadingFile::open(file, Credentials::parse, |_| true, &settings.clock))
            .transpose()?;
        Ok(ViewerAuth {
            verifier: TokenVerifier::new(settings.viewers.clone(), &settings.clock)?,
            places: TokenPlaces { cookie, query },
            credentials,
            proxies: settings.proxies.clone(),
            addresses: Limiter::new(settings.address_rate),
            viewers: Limiter::new(settings.viewer_rate),
            hash: RandomState::new(),
            clock: Arc::clone(&settings.clock),
        })
    }

    /// The clock that it goes by.
    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Whether anyone is let in without a token.
    pub(crate) fn asks_for_tokens(&self) -> bool {
        self.verifier.asks_for_tokens()
    }

    /// Name of the part of a query that may hold a token.
    pub(crate) fn query(&self) -> &str {
        &self.places.query
    }

    /// Whether an address is that of a proxy that is believed.
    pub(crate) fn is_proxy(&self, address: IpAddr) -> bool {
        self.proxies.iter().any(|network| network.holds(address))
    }

    /// Where a request comes from, behind the proxies that are believed.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        client(peer, headers, &self.proxies)
    }

    /// Who asks with these headers and this query.
    pub(crate) fn visitor(
        &self,
        peer: IpAddr,
        headers: &HeaderMap,
        query: Option<&str>,
    ) -> Visitor {
        Visitor {
            address: self.client(peer, headers),
            headers: headers.clone(),
            query: query.map(str::to_owned),
        }
    }

    /// The token of a request.
    pub(crate) fn token<'v>(&self, visitor: &'v Visitor) -> Option<&'v str> {
        self.places.find(&visitor.headers, visitor.query.as_deref())
    }

    /// Name and value of the token, if it is the query's: what a player has to be given for each URI.
    pub(crate) fn token_in_query(&self, visitor: &Visitor) -> Option<String> {
        if !self.asks_for_tokens() || bearer(&visitor.headers).is_some() {
            return None;
        }
        let token = self.places.in_query(visitor.query.as_deref()?)?;
        Some(format!("{}={token}", self.query()))
    }

    /// Whether a visitor may have an object of an asset, None for what is none. Who may not have it
    /// does not learn whether it is there.
    pub(crate) fn admit(
        &self,
        visitor: &Visitor,
        object: Option<&AssetPath<'_>>,
    ) -> Result<Grant, Refusal> {
        let kind = object.map(|object| object.kind);
        let role = self.role(&visitor.headers).map(|(role, _)| role);
        match (kind, role) {
            // Who reads keys could decrypt what is clear here; an operator reads no key.
            (Some(ObjectKind::Private), Some(Role::Segmenter)) => return Ok(Grant::of_all()),
            (Some(ObjectKind::Private), _) => return Err(Refusal::for_no_viewer()),
            (Some(ObjectKind::Receipt), Some(_)) => return Ok(Grant::of_all()),
            _ => {}
        }
        let grant = self.grant(self.token(visitor))?;
        let object = object.ok_or_else(Refusal::nothing)?;
        if object.kind == ObjectKind::Receipt && self.asks_for_tokens() {
            return Err(Refusal::for_no_viewer());
        }
        grant.permits(object.asset, visitor.address)?;
        Ok(grant)
    }

    /// Role and name of who shows a credential.
    pub(crate) fn role(&self, headers: &HeaderMap) -> Option<(Role, String)> {
        let credentials = self.credentials.as_ref()?.get();
        let (role, name) = credentials.find(bearer(headers)?)?;
        Some((role, name.to_owned()))
    }

    /// Whether there are segmenters and operators.
    pub(crate) fn has_credentials(&self) -> bool {
        self.credentials.is_some()
    }

    /// What a token permits now; without one, what is permitted to everybody.
    pub(crate) fn grant(&self, token: Option<&str>) -> Result<Grant, Refusal> {
        self.verifier.check(token, self.clock.unix_seconds()).map_err(|denied| match denied {
            Denied::Token(error) => Refusal::from(error),
            Denied::NoToken => Refusal::new(StatusCode::UNAUTHORIZED, denied.to_string()),
        })
    }

    /// As [`grant`](ViewerAuth::grant), and counts the request against the rate of its viewer.
    pub(crate) fn authorize(&self, visitor: &Visitor) -> Result<Grant, Refusal> {
        let token = self.token(visitor);
        let grant = self.grant(token)?;
        if self.asks_for_tokens() && token.is_some() {
            let taken = self.viewers.take(self.bearer_of(visitor), self.clock.uptime());
            taken.map_err(|wait| too_many("too many requests with this token", wait))?;
        }
        Ok(grant)
    }

    /// The viewer of a request: the bearer of its token, else its address.
    pub(crate) fn bearer_of(&self, visitor: &Visitor) -> u64 {
        match self.token(visitor).filter(|_| self.asks_for_tokens()) {
            Some(token) => self.hash.hash_one(token),
            None => self.of_address(visitor.address),
        }
    }

    /// Everybody at an address, as one viewer.
    pub(crate) fn of_address(&self, address: IpAddr) -> u64 {
        self.hash.hash_one(rate_limit_key(address))
    }

    /// Counts a request against the rate of its address.
    pub(crate) fn slow_down_address(&self, address: IpAddr) -> Result<(), Refusal> {
        let taken = self.addresses.take(rate_limit_key(address), self.clock.uptime());
        taken.map_err(|wait| too_many("too many requests from this address", wait))
    }
}

pub(crate) fn too_many(reason: &str, wait: Duration) -> Refusal {
    Refusal::later(StatusCode::TOO_MANY_REQUESTS, reason, wait)
}
