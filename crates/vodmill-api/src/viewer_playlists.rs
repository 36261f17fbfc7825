//! Playlists for one viewer: every URI says what lets the viewer in, so that players need neither
//! cookies nor headers. Segments come from the CDN, signed, or from a proxy that asks for the
//! viewer's token; keys from their server, with the token; other playlists from here again.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use vodmill_delivery::rewrite::{Becomes, Rules};
use vodmill_delivery::{
    AddressRange, AssetPath, Epoch, ObjectKind, Policy, Resource, SignableUrl, Signer,
    content_type, encode_path,
};

use crate::keyserver::{Refusal, ViewerAuth, Visitor};
use crate::peer::Peer;
use crate::receipts::Receipts;
use crate::token::Grant;

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
    /// What signs for the CDN. Without one, segments get the viewer's token.
    pub signer: Option<Signer>,
    /// Seconds for which a signature holds, as far as the token does: no less than a viewing takes,
    /// pauses included.
    pub valid_seconds: u64,
    /// Part of the query that is passed on to playlists and keys where the key server asks for no
    /// tokens; where it does, its own name for it counts.
    pub token: String,
}

type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Why there is no playlist for a viewer.
#[derive(Debug, thiserror::Error)]
enum NoPlaylist {
    #[error("the viewer may not have it")]
    Refused(Refusal),
    #[error("there is no such playlist")]
    NotFound,
    #[error("the token holds characters that must be percent-encoded, or is too long")]
    Token,
    #[error("the playlist cannot be read at present")]
    Away(#[source] io::Error),
    #[error("the playlist cannot be rewritten")]
    Fault(#[source] Fault),
}

/// Makes playlists for the viewers who may have them.
struct ViewerPlaylistService {
    playlists: ViewerPlaylists,
    auth: Arc<ViewerAuth>,
    receipts: Receipts,
}

/// A request.
struct Asked {
    tree: String,
    path: String,
    query: String,
    visitor: Visitor,
}

impl ViewerPlaylists {
    pub(crate) fn router(self, auth: Arc<ViewerAuth>) -> Router {
        let service = ViewerPlaylistService { playlists: self, auth, receipts: Receipts::new() };
        Router::new().route("/v/{tree}/{*path}", get(playlist)).with_state(Arc::new(service))
    }
}

impl ViewerPlaylistService {
    /// Who may not have it does not learn whether it is there.
    fn make(&self, asked: &Asked, now: u64) -> Result<String, NoPlaylist> {
        let Asked { tree, path, query, visitor } = asked;
        self.auth.slow_down_address(visitor.address).map_err(NoPlaylist::Refused)?;
        let grant = self.auth.authorize(visitor).map_err(NoPlaylist::Refused)?;
        let tree = self.playlists.trees.iter().find(|one| one.name == *tree);
        let tree = tree.ok_or(NoPlaylist::NotFound)?;
        let object = playlist_at(path).ok_or(NoPlaylist::NotFound)?;
        self.auth.admit(visitor, Some(&object)).map_err(NoPlaylist::Refused)?;
        let token = self.token(query)?;
        let held = self.receipts.hold(&tree.name, &object, &*tree.read);
        if !held.map_err(NoPlaylist::Away)? {
            return Err(NoPlaylist::NotFound);
        }
        let bytes = (tree.read)(path).map_err(NoPlaylist::Away)?.ok_or(NoPlaylist::NotFound)?;
        let text = String::from_utf8(bytes).map_err(|error| NoPlaylist::Fault(error.into()))?;
        let rules = self.rules(tree, path, token, &grant, now).map_err(NoPlaylist::Fault)?;
        rules.apply(&text).map_err(|error| NoPlaylist::Fault(error.into()))
    }

    /// The name and value of the token in the query, as it stands there. One that came in a header
    /// or a cookie comes with the player's next request too.
    fn token<'q>(&self, query: &'q str) -> Result<Option<(&str, &'q str)>, NoPlaylist> {
        let name = match self.auth.asks_for_tokens() {
            true => self.auth.query(),
            false => &self.playlists.token,
        };
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let token = pairs.find(|(known, _)| *known == name).map(|(_, value)| value);
        let odd = |byte: u8| !byte.is_ascii_graphic() || b"\"<>\\^`{|}#".contains(&byte);
        match token {
            Some(token) if token.len() > MAX_TOKEN || token.bytes().any(odd) => {
                Err(NoPlaylist::Token)
            }
            token => Ok(token.map(|token| (name, token))),
        }
    }

    fn rules(
        &self,
        tree: &Tree,
        path: &str,
        token: Option<(&str, &str)>,
        grant: &Grant,
        now: u64,
    ) -> Result<Rules, Fault> {
        let base: SignableUrl = format!("{}/{}", tree.base_url, encode_path(path)).parse()?;
        let token = token.map(|(name, token)| format!("{name}={token}"));
        let query = match &self.playlists.signer {
            Some(signer) => self.signature(signer, &base, grant, now)?,
            None => token.clone().unwrap_or_default(),
        };
        let passed_on = token.map_or(Becomes::Same, Becomes::Query);
        Ok(Rules {
            media: Becomes::Under { base, query },
            playlists: passed_on.clone(),
            keys: passed_on,
        })
    }

    /// One signature for all objects beside the playlist, and no others: private ones least of all.
    /// It holds no longer than the token does, and nowhere else.
    fn signature(
        &self,
        signer: &Signer,
        playlist: &SignableUrl,
        grant: &Grant,
        now: u64,
    ) -> Result<String, Fault> {
        let folder = playlist.as_str().rsplit_once('/').map_or("", |(folder, _)| folder);
        let resource: Resource = format!("{folder}/*").parse()?;
        let ends = now.saturating_add(self.playlists.valid_seconds).min(grant.expires);
        let mut policy = Policy::new(resource, Epoch(ends))?;
        // CloudFront compares no others.
        if let Some(IpAddr::V4(address)) = grant.address.map(|address| address.to_canonical()) {
            policy = policy.only_from(AddressRange::from(address));
        }
        Ok(signer.query(&policy)?)
    }
}

/// Only playlists are served here, and none that is for no viewer.
fn playlist_at(path: &str) -> Option<AssetPath<'_>> {
    let object = AssetPath::of(path).filter(|_| path.ends_with(".m3u8"))?;
    (object.kind != ObjectKind::Private).then_some(object)
}

/// `GET /v/{tree}/{path}`.
async fn playlist(
    State(service): State<Arc<ViewerPlaylistService>>,
    Extension(Peer(peer)): Extension<Peer>,
    Path((tree, path)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let visitor = service.auth.visitor(peer, &headers, query.as_deref());
    let address = visitor.address;
    let asked = Asked { tree, path, query: query.unwrap_or_default(), visitor };
    // Signing takes processor time, and a store may wait for a disk or a network.
    let made = tokio::task::spawn_blocking(move || {
        let now = service.auth.clock().unix_seconds();
        service.make(&asked, now)
    });
    match made.await {
        Ok(Ok(text)) => {
            let headers = [
                (header::CONTENT_TYPE, content_type("index.m3u8")),
                // It is one viewer's.
                (header::CACHE_CONTROL, "private, no-store"),
            ];
            (headers, text).into_response()
        }
        Ok(Err(why)) => why.answer(address),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

impl NoPlaylist {
    /// What is written in the path could be anything: it is not logged.
    fn answer(self, address: IpAddr) -> Response {
        let status = match self {
            NoPlaylist::Refused(refusal) => {
                refusal.log(address, "playlist refused");
                return refusal.into_response();
            }
            NoPlaylist::NotFound => StatusCode::NOT_FOUND,
            NoPlaylist::Token => StatusCode::BAD_REQUEST,
            NoPlaylist::Away(_) => StatusCode::SERVICE_UNAVAILABLE,
            NoPlaylist::Fault(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if status.is_server_error() {
            let cause = &self as &dyn std::error::Error;
            tracing::error!(error = cause, cause = cause.source(), "no playlist for a viewer");
        }
        (status, [(header::CACHE_CONTROL, "no-store")], format!("{self}\n")).into_response()
    }
}
