//! Published objects: read-only, with Range, the right type and cache policy, for who may have them.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{self, Extension, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tower_http::services::ServeFile;
use vodmill_delivery::rewrite::{Becomes, Rules};
use vodmill_delivery::{AssetPath, ObjectKind, content_type};

use crate::keyserver::{Refusal, Visitor};
use crate::packages::Packages;
use crate::peer::Peer;

/// An object that is to be sent.
enum Object {
    /// As it is.
    File { file: File, content_type: &'static str, cache_control: &'static str },
    /// A playlist in which every URI has the viewer's token.
    Playlist(String),
}

/// `GET /{folder}/{path}`.
pub(crate) async fn file(
    State(packages): State<Arc<Packages>>,
    Extension(Peer(peer)): Extension<Peer>,
    extract::Path((folder, path)): extract::Path<(String, String)>,
    request: Request,
) -> Response {
    let visitor = packages.auth.visitor(peer, request.headers(), request.uri().query());
    let address = visitor.address;
    let found = tokio::task::spawn_blocking(move || packages.find(&visitor, &folder, &path));
    match found.await {
        Ok(Ok(object)) => object.send(request).await,
        Ok(Err(refusal)) => {
            refusal.log(address, "object refused");
            refusal.into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

impl Packages {
    /// Who may not have it does not learn whether it is there.
    fn find(&self, visitor: &Visitor, folder: &str, path: &str) -> Result<Object, Refusal> {
        let object = AssetPath::of(path);
        let kind = object.map(|object| object.kind);
        let open = !self.auth.asks_for_tokens();
        if !open || kind == Some(ObjectKind::Private) {
            self.auth.slow_down_address(visitor.address)?;
        }
        self.auth.admit(visitor, object.as_ref())?;
        let (Some(object), Some(folder)) = (object, self.folder(folder)) else {
            return Err(Refusal::nothing());
        };
        let unreadable = |error: io::Error| {
            tracing::error!(error = &error as &dyn std::error::Error, path, "object not read");
            Refusal::unreadable()
        };
        let read = |name: &str| folder.read(name);
        let is_there = self.receipts.hold(&folder.name, &object, &read).map_err(unreadable)?;
        if !is_there {
            return Err(Refusal::nothing());
        }
        if let Some(token) = self.auth.token_in_query(visitor)
            && path.ends_with(".m3u8")
        {
            let bytes = folder.read(path).map_err(unreadable)?.ok_or_else(Refusal::nothing)?;
            return with_token(&bytes, token).map(Object::Playlist);
        }
        let file = folder.open(path).map_err(unreadable)?.ok_or_else(Refusal::nothing)?;
        let cache_control =
            if open { object.kind.cache_control() } else { object.kind.cache_control_for_one() };
        Ok(Object::File { file, content_type: content_type(path), cache_control })
    }
}

/// A relative URI does not inherit its playlist's query, and a browser's own player sends no header:
/// so the token stands in each URI, as it came.
fn with_token(playlist: &[u8], token: String) -> Result<String, Refusal> {
    let damaged = |error: &(dyn std::error::Error + 'static)| {
        tracing::error!(error, "no playlist for a viewer");
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the playlist cannot be rewritten")
    };
    let text = std::str::from_utf8(playlist).map_err(|error| damaged(&error))?;
    let query = Becomes::Query(token);
    let rules = Rules { media: query.clone(), playlists: query.clone(), keys: query };
    rules.apply(text).map_err(|error| damaged(&error))
}

impl Object {
    async fn send(self, request: Request) -> Response {
        match self {
            Object::Playlist(text) => {
                let headers = [
                    (header::CONTENT_TYPE, content_type("index.m3u8")),
                    // It is one viewer's.
                    (header::CACHE_CONTROL, "private, no-store"),
                ];
                (headers, text).into_response()
            }
            Object::File { file, content_type, cache_control } => {
                // The very file that was looked at, whatever its name leads to by now.
                let name = format!("/proc/self/fd/{}", file.as_raw_fd());
                serve(Path::new(&name), request, content_type, cache_control).await
            }
        }
    }
}

/// Serves one file, with Range and conditional requests.
pub(crate) async fn serve(
    file: &Path,
    request: Request,
    content_type: &'static str,
    cache_control: &'static str,
) -> Response {
    let Ok(response) = ServeFile::new(file).try_call(request).await else {
        return Refusal::nothing().into_response();
    };
    let mut response = response.map(Body::new).into_response();
    let is_sent = response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
    let cache_control = if is_sent { cache_control } else { "no-store" };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache_control));
    response
}
