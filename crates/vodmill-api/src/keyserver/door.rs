//! The door that keys, viewers' playlists and the gate of a proxy have in common: who asks, how
//! often, and with which token.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, StatusCode};

use super::access::{Denied, Doorkeeper, Network, TokenPlaces, client};
use super::answer::Refusal;
use super::limits::{Limiter, household};
use super::watched::SecretFileError;
use super::{KeySettings, now};
use crate::token::Grant;

pub(crate) struct Door {
    keeper: Doorkeeper,
    places: TokenPlaces,
    proxies: Vec<Network>,
    addresses: Limiter<IpAddr>,
    viewers: Limiter<u64>,
    hash: RandomState,
}

impl Door {
    /// Reads the files of the settings.
    pub(crate) fn new(settings: &KeySettings) -> Result<Door, SecretFileError> {
        let (cookie, query) = (settings.cookie.clone(), settings.query.clone());
        Ok(Door {
            keeper: Doorkeeper::new(settings.viewers.clone())?,
            places: TokenPlaces { cookie, query },
            proxies: settings.proxies.clone(),
            addresses: Limiter::new(settings.address_rate),
            viewers: Limiter::new(settings.viewer_rate),
            hash: RandomState::new(),
        })
    }

    /// Whether anyone is let in without a token.
    pub(crate) fn asks_for_tokens(&self) -> bool {
        self.keeper.asks_for_tokens()
    }

    /// Name of the part of a query that may hold a token.
    pub(crate) fn query(&self) -> &str {
        &self.places.query
    }

    /// Where a request comes from, behind the proxies that are believed.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        client(peer, headers, &self.proxies)
    }

    /// The token of a request.
    pub(crate) fn token<'r>(
        &self,
        headers: &'r HeaderMap,
        query: Option<&'r str>,
    ) -> Option<&'r str> {
        self.places.find(headers, query)
    }

    /// What a token permits now; without one, what is permitted to everybody.
    pub(crate) fn grant(&self, token: Option<&str>) -> Result<Grant, Refusal> {
        self.keeper.check(token, now()).map_err(|denied| match denied {
            Denied::Token(error) => Refusal::from(error),
            Denied::NoToken => Refusal::new(StatusCode::UNAUTHORIZED, denied.to_string()),
        })
    }

    /// As [`grant`](Door::grant), and counts how often its bearer comes.
    pub(crate) fn let_in(&self, token: Option<&str>) -> Result<Grant, Refusal> {
        let grant = self.grant(token)?;
        let Some(token) = token else { return Ok(grant) };
        let viewer = self.hash.hash_one(token);
        let taken = self.viewers.take(viewer, Instant::now());
        taken.map_err(|wait| too_many("too many requests with this token", wait))?;
        Ok(grant)
    }

    /// Counts how often an address comes.
    pub(crate) fn slow_down_address(&self, address: IpAddr) -> Result<(), Refusal> {
        let taken = self.addresses.take(household(address), Instant::now());
        taken.map_err(|wait| too_many("too many requests from this address", wait))
    }
}

fn too_many(reason: &str, wait: Duration) -> Refusal {
    Refusal::later(StatusCode::TOO_MANY_REQUESTS, reason, wait)
}
