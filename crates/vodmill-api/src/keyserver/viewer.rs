//! `GET /k/{kid}`: 16 bytes for a viewer who may have them.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Extension, Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use vodmill_keys::{Kid, StoredKey};

use super::KeyServer;
use super::answer::Refusal;
use super::cache::NoAnswer;
use super::viewer_auth::{Visitor, too_many};
use crate::peer::Peer;

/// What a viewer is told to do while the store is away.
const AWAY: Duration = Duration::from_secs(5);

/// `GET /k/{kid}`: the key, raw (RFC 8216, 5.1).
pub(crate) async fn key(
    State(server): State<Arc<KeyServer>>,
    Extension(Peer(peer)): Extension<Peer>,
    Path(kid): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let visitor = server.auth.visitor(peer, &headers, query.as_deref());
    let address = visitor.address;
    // What is written there could be anything, a token too; only a kid is logged.
    let kid = Kid::from_hex(&kid);
    match server.key_for(kid, &visitor).await {
        Ok((stored, viewer)) => {
            let StoredKey { asset, generation, .. } = &*stored;
            let kid = kid.map(tracing::field::display);
            tracing::info!(kid, asset, generation, viewer, %address, "key given");
            answer(&stored, server.now())
        }
        Err(refusal) => {
            let (status, reason) = (refusal.status.as_u16(), refusal.reason.as_str());
            let kid = kid.map(tracing::field::display);
            if refusal.status == StatusCode::TOO_MANY_REQUESTS {
                // There are many of these, by their nature.
                tracing::debug!(kid, %address, status, reason, "key refused");
            } else {
                tracing::info!(kid, %address, status, reason, "key refused");
            }
            refusal.into_response()
        }
    }
}

impl KeyServer {
    /// The cheap questions first: who has no valid token reaches no store.
    async fn key_for(
        &self,
        kid: Option<Kid>,
        visitor: &Visitor,
    ) -> Result<(Arc<StoredKey>, String), Refusal> {
        self.auth.slow_down_address(visitor.address)?;
        let kid = kid.ok_or_else(Refusal::unknown_key)?;
        let grant = self.auth.authorize(visitor)?;
        let found = self.cache.get(kid, self.auth.bearer_of(visitor)).await;
        let found = found.map_err(|none| match none {
            NoAnswer::Away => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                Refusal::later(status, "keys cannot be read at present", AWAY)
            }
            NoAnswer::TooMany(wait) => too_many("too many keys that there are not", wait),
        })?;
        let stored = found.ok_or_else(Refusal::unknown_key)?;
        grant.permits(&stored.asset, visitor.address)?;
        if stored.terms.have_expired(self.now()) {
            return Err(Refusal::new(StatusCode::GONE, "the key was revoked or replaced"));
        }
        Ok((stored, grant.viewer))
    }
}

fn answer(stored: &StoredKey, now: u64) -> Response {
    let mut response = stored.key.expose().to_vec().into_response();
    let policy = match stored.terms.max_age {
        // Not beyond its expiry.
        Some(seconds) => {
            let left = stored.terms.expires.map_or(u64::MAX, |at| at.saturating_sub(now));
            let text = format!("private, max-age={}", left.min(seconds.into()));
            HeaderValue::from_str(&text).unwrap_or(NO_STORE)
        }
        None => NO_STORE,
    };
    response.headers_mut().insert(header::CACHE_CONTROL, policy);
    response
}

const NO_STORE: HeaderValue = HeaderValue::from_static("private, no-store");
