//! Two pages for people: what is there, and a player.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;
use std::sync::Arc;

use axum::extract::{self, Extension, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use vodmill_delivery::rewrite::{Kind, rewrite};
use vodmill_delivery::{AssetPath, content_type, encode_path};

use crate::files;
use crate::folder::Folder;
use crate::keyserver::{Refusal, Visitor};
use crate::packages::{Asset, Packages};
use crate::peer::Peer;
use crate::token::Grant;

/// Assets that are listed; more would be no page for people.
const LISTED: usize = 10_000;

/// `GET /`: every published asset that the visitor may have.
pub(crate) async fn index(
    State(packages): State<Arc<Packages>>,
    Extension(Peer(peer)): Extension<Peer>,
    request: Request,
) -> Response {
    let visitor = packages.auth.visitor(peer, request.headers(), request.uri().query());
    let grant = match packages.authorize(&visitor) {
        Ok(grant) => grant,
        Err(refusal) => return refused(&refusal, visitor.address),
    };
    let Some(assets) = packages.list().await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let may_have = |asset: &&Asset| grant.permits(&asset.name, visitor.address).is_ok();
    let assets: Vec<&Asset> = assets.iter().filter(may_have).collect();
    let query = packages.auth.token_in_query(&visitor).map(|token| format!("?{token}"));
    html(
        StatusCode::OK,
        include_str!("assets/index.html")
            .replace("{{assets}}", &list(&assets, &query.unwrap_or_default())),
        "",
    )
}

fn list(assets: &[&Asset], query: &str) -> String {
    let mut list = String::new();
    for asset in assets.iter().take(LISTED) {
        let (folder, name) = (encode_path(&asset.folder), encode_path(&asset.name));
        let (query, title) = (escape_html(query), escape_html(&asset.name));
        // Writing into a String cannot fail.
        let _ = writeln!(list, "<li><a href=\"/play/{folder}/{name}{query}\">{title}</a></li>");
    }
    match assets.len() {
        0 => list.push_str("<li>Nothing is published yet.</li>"),
        count if count > LISTED => {
            let _ = writeln!(list, "<li>… and {} more</li>", count - LISTED);
        }
        _ => {}
    }
    list
}

/// `GET /play/{folder}/{asset}`: a page that plays it.
pub(crate) async fn player(
    State(packages): State<Arc<Packages>>,
    Extension(Peer(peer)): Extension<Peer>,
    extract::Path((folder, asset)): extract::Path<(String, String)>,
    request: Request,
) -> Response {
    let visitor = packages.auth.visitor(peer, request.headers(), request.uri().query());
    let address = visitor.address;
    let token = packages.auth.query().to_owned();
    let has_player = packages.player_js.is_some();
    let looked = tokio::task::spawn_blocking(move || {
        let origins = packages.key_origins(&visitor, &folder, &asset)?;
        Ok((folder, asset, origins))
    });
    let (folder, asset, origins) = match looked.await {
        Ok(Ok(found)) => found,
        Ok(Err(refusal)) => return refused(&refusal, address),
        Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    };
    let base = format!("/{}/{}", encode_path(&folder), encode_path(&asset));
    let hls_js = if has_player { "<script src=\"/hls.js\"></script>" } else { "" };
    // The name goes in last: it may look like a placeholder.
    let page = include_str!("assets/player.html").replace("{{hls_js}}", hls_js);
    let page = page.replace("{{token}}", &token);
    let page = page.replace("{{base}}", &base).replace("{{title}}", &escape_html(&asset));
    html(StatusCode::OK, page, &origins)
}

impl Packages {
    /// What a visitor may have of all that is published.
    fn authorize(&self, visitor: &Visitor) -> Result<Grant, Refusal> {
        if self.auth.asks_for_tokens() {
            self.auth.slow_down_address(visitor.address)?;
        }
        self.auth.authorize(visitor)
    }

    /// The origins of an asset's keys, for a visitor who may have it.
    fn key_origins(&self, visitor: &Visitor, folder: &str, asset: &str) -> Result<String, Refusal> {
        if self.auth.asks_for_tokens() {
            self.auth.slow_down_address(visitor.address)?;
        }
        let path = format!("{asset}/asset.json");
        let object = AssetPath::of(&path).filter(|object| object.asset == asset);
        self.auth.admit(visitor, object.as_ref())?;
        let (Some(object), Some(folder)) = (object, self.folder(folder)) else {
            return Err(Refusal::nothing());
        };
        let read = |name: &str| folder.read(name);
        match self.receipts.hold(&folder.name, &object, &read) {
            Ok(true) => Ok(key_origins(folder, asset).unwrap_or_default()),
            Ok(false) => Err(Refusal::nothing()),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, path, "object not read");
                Err(Refusal::unreadable())
            }
        }
    }
}

/// The origins that the first variant of an asset names for its keys, each after a blank. All its
/// playlists name the same.
fn key_origins(folder: &Folder, asset: &str) -> io::Result<String> {
    let Some(multivariant) = folder.read(&format!("{asset}/index.m3u8"))? else {
        return Ok(String::new());
    };
    let variants = uris(&multivariant, Kind::Playlist);
    let Some(variant) = variants.into_iter().next() else { return Ok(String::new()) };
    let media = folder.read(&format!("{asset}/{variant}"))?.unwrap_or_default();
    let origins: BTreeSet<String> =
        uris(&media, Kind::Key).iter().filter_map(|uri| origin(uri)).collect();
    Ok(origins.into_iter().fold(String::new(), |all, origin| format!("{all} {origin}")))
}

/// The URIs of one kind in a playlist; none of what is no playlist.
fn uris(playlist: &[u8], wanted: Kind) -> Vec<String> {
    let mut found = Vec::new();
    let text = String::from_utf8_lossy(playlist);
    let read = rewrite(&text, &mut |kind, uri| {
        if kind == wanted {
            found.push(uri.to_owned());
        }
        Ok(None)
    });
    if read.is_ok() { found } else { Vec::new() }
}

/// Scheme and host of a whole URL, as a Content Security Policy names them.
fn origin(uri: &str) -> Option<String> {
    let (scheme, rest) = uri.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte);
    let is_http = matches!(scheme, "http" | "https");
    (is_http && !host.is_empty() && host.bytes().all(plain)).then(|| format!("{scheme}://{host}"))
}

/// `GET /player.js`: what the player page runs.
pub(crate) async fn player_js() -> Response {
    let kind = [(header::CONTENT_TYPE, content_type("player.js"))];
    (kind, include_str!("assets/player.js")).into_response()
}

/// `GET /hls.js`: the copy of hls.js that the operator named.
pub(crate) async fn hls_js(State(packages): State<Arc<Packages>>, request: Request) -> Response {
    match &packages.player_js {
        // The operator may put a newer one there.
        Some(file) => files::serve(file, request, content_type("hls.js"), "no-cache").await,
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Why there is no page: for people who followed a link.
fn refused(refusal: &Refusal, address: std::net::IpAddr) -> Response {
    refusal.log(address, "page refused");
    let why = format!("{}: {}", refusal.status.as_u16(), refusal.reason);
    let page = include_str!("assets/refused.html").replace("{{why}}", &escape_html(&why));
    let mut response = html(refusal.status, page, "");
    if refusal.status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// A page. Players fetch keys from the origins that playlists name: hls.js from wherever it is told,
/// a browser's own player as media. hls.js hands media over in blobs.
fn html(status: StatusCode, page: String, key_origins: &str) -> Response {
    let policy = format!(
        "default-src 'self'; style-src 'unsafe-inline'; media-src 'self' blob:{key_origins}; \
         worker-src 'self' blob:; connect-src *; frame-ancestors 'self'; base-uri 'none'"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
        (header::CONTENT_SECURITY_POLICY, policy),
        // A token may stand in the page's address.
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
    ];
    (status, headers, page).into_response()
}

fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
