//! Playlists for one viewer: every URI says what lets the viewer in, so that players need neither
//! cookies nor headers. Segments come from the CDN, signed; keys from their server, with the
//! viewer's token; other playlists from here again.

use std::io;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use vodmill_delivery::rewrite::{Becomes, Rules};
use vodmill_delivery::{Epoch, Policy, Resource, SignableUrl, Signer, encode_path};

/// Reads an object of a tree by its name; None if it is not there.
pub type ReadObject = Arc<dyn Fn(&str) -> io::Result<Option<Vec<u8>>> + Send + Sync>;

/// Longest token that is passed on, in bytes: what fits into any server's request line.
const MAX_TOKEN: usize = 4096;

/// Published packages behind a CDN.
pub struct Tree {
    /// The first part of the paths under which its playlists are served.
    pub name: String,
    /// URL of the same tree at the CDN, without a slash at its end.
    pub base_url: String,
    /// Its objects.
    pub read: ReadObject,
}

/// What viewers' playlists are made from.
pub struct ViewerPlaylists {
    /// The trees.
    pub trees: Vec<Tree>,
    /// What signs for the CDN.
    pub signer: Signer,
    /// Seconds for which a signature holds: no less than a viewing takes, pauses included.
    pub valid_seconds: u64,
    /// Part of the query in which a viewer's token comes, and goes on to playlists and keys.
    pub token: String,
}

/// Why there is no playlist for a viewer.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("there is no such playlist")]
    NotFound,
    #[error("the token holds characters that must be percent-encoded, or is too long")]
    Token,
    #[error("the playlist cannot be read at present")]
    Away(#[source] io::Error),
    #[error("the playlist cannot be rewritten")]
    Fault(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ViewerPlaylists {
    pub(crate) fn router(self) -> Router {
        Router::new().route("/v/{tree}/{*path}", get(playlist)).with_state(Arc::new(self))
    }

    fn make(&self, tree: &str, path: &str, query: &str, now: u64) -> Result<String, Refusal> {
        let tree = self.trees.iter().find(|one| one.name == tree).ok_or(Refusal::NotFound)?;
        if !is_playlist(path) {
            return Err(Refusal::NotFound);
        }
        let token = self.token(query)?;
        let bytes = (tree.read)(path).map_err(Refusal::Away)?.ok_or(Refusal::NotFound)?;
        let text = String::from_utf8(bytes).map_err(|error| Refusal::Fault(error.into()))?;
        let rules = self.rules(tree, path, token, now).map_err(Refusal::Fault)?;
        rules.apply(&text).map_err(|error| Refusal::Fault(error.into()))
    }

    /// The viewer's token, as it stands in the query.
    fn token<'q>(&self, query: &'q str) -> Result<Option<&'q str>, Refusal> {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let token = pairs.find(|(name, _)| *name == self.token).map(|(_, value)| value);
        let odd = |byte: u8| !byte.is_ascii_graphic() || b"\"<>\\^`{|}#".contains(&byte);
        match token {
            Some(token) if token.len() > MAX_TOKEN || token.bytes().any(odd) => Err(Refusal::Token),
            token => Ok(token),
        }
    }

    /// One signature for all objects beside the playlist, and no others: private ones least of all.
    fn rules(
        &self,
        tree: &Tree,
        path: &str,
        token: Option<&str>,
        now: u64,
    ) -> Result<Rules, Box<dyn std::error::Error + Send + Sync>> {
        let url = format!("{}/{}", tree.base_url, encode_path(path));
        let folder = url.rsplit_once('/').map_or("", |(folder, _)| folder);
        let resource: Resource = format!("{folder}/*").parse()?;
        let base: SignableUrl = url.parse()?;
        let policy = Policy::new(resource, Epoch(now.saturating_add(self.valid_seconds)))?;
        let passed_on = match token {
            Some(token) => Becomes::Query(format!("{}={token}", self.token)),
            None => Becomes::Same,
        };
        Ok(Rules {
            media: Becomes::Under { base, query: self.signer.query(&policy)? },
            playlists: passed_on.clone(),
            keys: passed_on,
        })
    }
}

/// Only playlists are served here, and nothing hidden.
fn is_playlist(path: &str) -> bool {
    let hidden = path.split('/').any(|part| part.is_empty() || part.starts_with('.'));
    path.ends_with(".m3u8") && !hidden
}

/// `GET /v/{tree}/{path}`.
async fn playlist(
    State(viewers): State<Arc<ViewerPlaylists>>,
    Path((tree, path)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Response {
    // Signing takes processor time, and a store may wait for a disk or a network.
    let made = tokio::task::spawn_blocking(move || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        viewers.make(&tree, &path, &query.unwrap_or_default(), now.as_secs())
    });
    match made.await {
        Ok(Ok(text)) => {
            let headers = [
                (header::CONTENT_TYPE, "application/vnd.apple.mpegurl"),
                // It is one viewer's.
                (header::CACHE_CONTROL, "private, no-store"),
            ];
            (headers, text).into_response()
        }
        Ok(Err(refusal)) => refusal.into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match &self {
            Refusal::NotFound => StatusCode::NOT_FOUND,
            Refusal::Token => StatusCode::BAD_REQUEST,
            Refusal::Away(_) => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::Fault(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if status.is_server_error() {
            let cause = &self as &dyn std::error::Error;
            tracing::error!(error = cause, cause = cause.source(), "no playlist for a viewer");
        }
        (status, [(header::CACHE_CONTROL, "no-store")], format!("{self}\n")).into_response()
    }
}
