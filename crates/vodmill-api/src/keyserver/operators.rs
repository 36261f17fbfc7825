//! `/v1/`: key sets for segmenters and operators, in JSON.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{DefaultBodyLimit, Extension, Path, Query, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Serialize;
use serde::de::DeserializeOwned;
use vodmill_keys::{GenerationKeys, KeySet, KeyStore, KeyStoreError, KeyTerms, Kid, wire};

use super::KeyServer;
use super::answer::Refusal;
use super::cache::told;
use super::credentials::Role;
use crate::peer::Peer;

/// A set of as many keys as there can be has some 11 MB.
const MAX_BODY: usize = 16 << 20;

/// The most keys that are made at a time on request.
const MAX_PERIODS: usize = vodmill_keys::MAX_KEY_PERIODS;

/// Who is in: put there once the credential was compared.
#[derive(Clone)]
struct Caller {
    role: Role,
    name: String,
}

type Server = State<Arc<KeyServer>>;

pub(super) fn router(server: &Arc<KeyServer>) -> Router<Arc<KeyServer>> {
    Router::new()
        .route("/v1/keys", get(read).post(put))
        .route("/v1/keys/{kid}", get(find))
        .route("/v1/generations", get(list))
        .route("/v1/rotate", post(rotate))
        .route("/v1/revoke", post(revoke))
        .route("/v1/rewrap", post(rewrap))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        // Before a body is read.
        .route_layer(middleware::from_fn_with_state(Arc::clone(server), authorize))
}

async fn authorize(
    State(server): Server,
    Extension(Peer(peer)): Extension<Peer>,
    mut request: Request<Body>,
    next: Next,
) -> Response {
    let address = server.auth.client(peer, request.headers());
    if let Err(refusal) = server.auth.slow_down_address(address) {
        return refusal.into_response();
    }
    let Some((role, name)) = server.auth.role(request.headers()) else {
        tracing::warn!(%address, "operator refused");
        let why = "a credential of a segmenter or an operator is needed";
        return Refusal::new(StatusCode::UNAUTHORIZED, why).into_response();
    };
    request.extensions_mut().insert(Caller { role, name });
    let whole = tokio::time::timeout(server.settings.body_time, read_whole(request)).await;
    let request = match whole {
        Ok(Ok(request)) => request,
        Ok(Err(problem)) => return problem.into_response(),
        Err(_) => return Problem::too_slow().into_response(),
    };
    let answer = next.run(request).await;
    match answer.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large().into_response(),
        _ => answer,
    }
}

/// The request with its body in memory.
async fn read_whole(request: Request<Body>) -> Result<Request<Body>, Problem> {
    let (parts, body) = request.into_parts();
    // Beyond the bound, or cut off.
    let body = to_bytes(body, MAX_BODY).await.map_err(|_| Problem::too_large())?;
    Ok(Request::from_parts(parts, Body::from(body)))
}

/// `POST /v1/keys`: keeps the keys of a generation, unless it has some; answers with those it has.
async fn put(
    State(server): Server,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<Response, Problem> {
    caller.must_be(Role::Segmenter)?;
    let put: wire::Put = parse(&body)?;
    names(&put.asset, &put.generation)?;
    let wire::Put { asset, generation, .. } = &put;
    let (asset, generation) = (asset.clone(), generation.clone());
    let keys = wanted(put)?;
    let answer = server.ask(move |store| {
        let stored = store.put(&asset, &generation, keys)?;
        Ok(wire::Set::new(&asset, &generation, &stored))
    });
    let set = answer.await?;
    let (asset, generation) = (&set.asset, &set.generation);
    tracing::info!(segmenter = caller.name, asset, generation, count = set.keys.len(), "keys kept");
    // An unknown kid may be known now.
    server.cache.clear();
    Ok(json(&set))
}

fn wanted(put: wire::Put) -> Result<KeySet, Problem> {
    let terms = KeyTerms { max_age: put.max_age, expires: None };
    match (put.keys, put.iv_seed, put.periods) {
        (Some(keys), Some(seed), None) => Ok(wire::key_set(keys, &seed, terms)),
        (None, None, Some(periods)) => fresh(periods, terms),
        _ => Err(Problem::request("either `keys` and `iv_seed` are needed, or `periods`")),
    }
}

fn fresh(periods: usize, terms: KeyTerms) -> Result<KeySet, Problem> {
    if !(1..=MAX_PERIODS).contains(&periods) {
        return Err(Problem::request(format!("`periods` must be from 1 to {MAX_PERIODS}")));
    }
    let set = KeySet::generate(periods).map_err(|error| Problem::store(&error.into()))?;
    Ok(KeySet { terms, ..set })
}

/// `GET /v1/keys?asset=A&generation=G`.
async fn read(
    State(server): Server,
    Extension(caller): Extension<Caller>,
    query: Result<Query<Generation>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    caller.must_be(Role::Segmenter)?;
    let Query(of) = query.map_err(|_| Problem::request("`asset` and `generation` are needed"))?;
    names(&of.asset, &of.generation)?;
    let answer = server.ask(move |store| {
        let set = store.of_generation(&of.asset, &of.generation)?;
        Ok(set.map(|set| wire::Set::new(&of.asset, &of.generation, &set)))
    });
    let set = answer.await?.ok_or_else(|| Problem::unknown("the generation has no keys here"))?;
    let (asset, generation) = (&set.asset, &set.generation);
    tracing::info!(segmenter = caller.name, asset, generation, "keys read");
    Ok(json(&set))
}

#[derive(serde::Deserialize)]
struct Generation {
    asset: String,
    generation: String,
}

/// `GET /v1/keys/{kid}`.
async fn find(
    State(server): Server,
    Extension(caller): Extension<Caller>,
    Path(kid): Path<String>,
) -> Result<Response, Problem> {
    caller.must_be(Role::Segmenter)?;
    let unknown = || Problem::unknown("there is no such key");
    let kid = Kid::from_hex(&kid).ok_or_else(unknown)?;
    let stored = server.ask(move |store| store.get(&kid)).await?.ok_or_else(unknown)?;
    tracing::info!(segmenter = caller.name, %kid, asset = stored.asset, "key read");
    Ok(json(&wire::One::from(stored)))
}

/// `GET /v1/generations`: no secret.
async fn list(State(server): Server) -> Result<Response, Problem> {
    let listed = server.ask(|store| store.list()).await?;
    let generations = listed.into_iter().map(wire::Listed::from).collect();
    Ok(json(&wire::Listing { generations }))
}

/// `POST /v1/revoke`.
async fn revoke(
    State(server): Server,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<Response, Problem> {
    caller.must_be(Role::Operator)?;
    let revoke: wire::Revoke = parse(&body)?;
    names(&revoke.asset, revoke.generation.as_deref().unwrap_or("all"))?;
    let at = revoke.at.unwrap_or_else(|| server.now());
    let asset = revoke.asset.clone();
    let which = move |keys: &GenerationKeys| {
        revoke.generation.as_ref().is_none_or(|generation| *generation == keys.generation)
    };
    let ended = server.expire(&caller, asset, which, at).await?;
    if ended.is_empty() {
        return Err(Problem::unknown("there are no such keys"));
    }
    Ok(json(&wire::Expiries { ended, kids: Vec::new() }))
}

/// `POST /v1/rotate`: keys for a new generation; those of the others expire after the grace time.
async fn rotate(
    State(server): Server,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<Response, Problem> {
    caller.must_be(Role::Operator)?;
    let rotate: wire::Rotate = parse(&body)?;
    names(&rotate.asset, &rotate.generation)?;
    let keys = fresh(rotate.periods, KeyTerms { max_age: rotate.max_age, expires: None })?;
    let (asset, generation) = (rotate.asset.clone(), rotate.generation.clone());
    let stored = server.ask(move |store| store.put(&asset, &generation, keys)).await?;
    let at = server.now().saturating_add(rotate.grace_seconds);
    let new = rotate.generation.clone();
    let others = move |keys: &GenerationKeys| keys.generation != new;
    let ended = server.expire(&caller, rotate.asset, others, at).await?;
    Ok(json(&wire::Expiries { ended, kids: wire::hex_kids(&stored.kids()) }))
}

/// `POST /v1/rewrap`.
async fn rewrap(
    State(server): Server,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    caller.must_be(Role::Operator)?;
    let rewrapped = server.ask(|store| store.rewrap()).await?;
    tracing::info!(operator = caller.name, rewrapped, "keys wrapped anew");
    Ok(json(&wire::Rewrapped { rewrapped }))
}

impl KeyServer {
    /// Asks the store in a thread where it may wait.
    async fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&dyn KeyStore) -> Result<T, KeyStoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        let store = Arc::clone(&self.store);
        let asked = tokio::task::spawn_blocking(move || ask(&*store)).await;
        match asked {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(Problem::store(&error)),
            Err(_) => Err(Problem::away("the key store failed")),
        }
    }

    /// Lets the keys of those generations of an asset expire.
    async fn expire(
        &self,
        caller: &Caller,
        asset: String,
        which: impl Fn(&GenerationKeys) -> bool + Send + 'static,
        at: u64,
    ) -> Result<Vec<wire::Expiry>, Problem> {
        let of = asset.clone();
        let expiries = self.ask(move |store| {
            let all = store.list()?.into_iter();
            let mut expiries = Vec::new();
            for GenerationKeys { generation, .. } in all.filter(|it| it.asset == of && which(it)) {
                let expiry = store.expire(&of, &generation, at)?;
                expiries.extend(expiry.map(|at| wire::Expiry { generation, at }));
            }
            Ok(expiries)
        });
        let expiries = expiries.await?;
        for wire::Expiry { generation, at } in &expiries {
            tracing::info!(operator = caller.name, asset, generation, at, "keys expire");
        }
        self.cache.clear();
        Ok(expiries)
    }
}

impl Caller {
    fn must_be(&self, role: Role) -> Result<(), Problem> {
        match self.role == role {
            true => Ok(()),
            false => {
                tracing::warn!(name = self.name, role = %self.role, "not allowed");
                let message = format!("this is for a credential of a {role}");
                Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", message))
            }
        }
    }
}

fn names(asset: &str, generation: &str) -> Result<(), Problem> {
    match wire::is_name(asset) && wire::is_name(generation) {
        true => Ok(()),
        false => Err(Problem::request(
            "asset and generation have 1 to 1024 bytes and no control characters",
        )),
    }
}

/// The error goes to the sender, and into no log: it may repeat a part of the text.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::request(format!("JSON: {error}")))
}

fn json(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => (JSON, body).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

const JSON: [(header::HeaderName, HeaderValue); 2] = [
    (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// An answer that is none.
#[derive(Debug)]
struct Problem {
    status: StatusCode,
    error: &'static str,
    message: String,
    kid: Option<Kid>,
}

impl Problem {
    fn new(status: StatusCode, error: &'static str, message: impl Into<String>) -> Problem {
        Problem { status, error, message: message.into(), kid: None }
    }

    fn request(message: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    fn too_large() -> Problem {
        let message = format!("the body has more than {MAX_BODY} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
    }

    fn too_slow() -> Problem {
        let message = "the body took too long";
        Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", message)
    }

    fn unknown(message: &str) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, "unknown", message)
    }

    fn away(message: &str) -> Problem {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "away", message)
    }

    fn store(error: &KeyStoreError) -> Problem {
        match error {
            KeyStoreError::BadSet => {
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_set", error.to_string())
            }
            KeyStoreError::KidTaken(kid) => Problem {
                kid: Some(*kid),
                ..Problem::new(StatusCode::CONFLICT, "kid_taken", error.to_string())
            },
            other => {
                tracing::error!(error = told(other), "key store failed");
                // What failed there is none of the caller's business.
                Problem::away("the key store failed")
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let kid = self.kid.map(|kid| wire::Bytes(*kid.as_bytes()));
        let fault = wire::Fault { error: self.error.to_owned(), message: self.message, kid };
        let mut response = json(&fault);
        *response.status_mut() = self.status;
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}
