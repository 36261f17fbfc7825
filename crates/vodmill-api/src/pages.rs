//! Two pages for people: what is there, and a player.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use axum::extract::{self, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::files;
use crate::site::{Folder, Public};

/// Assets may be named with slashes, but not with more.
const DEEPEST: usize = 4;

/// `GET /`: every published asset.
pub(crate) async fn index(State(site): State<Arc<Public>>) -> Response {
    let mut list = String::new();
    for folder in &site.folders {
        for asset in published(&folder.path) {
            // Writing into a String cannot fail.
            let _ = writeln!(
                list,
                "<li><a href=\"/play/{}/{}\">{}</a></li>",
                escape_url(&folder.name),
                escape_url(&asset),
                escape_html(&asset)
            );
        }
    }
    if list.is_empty() {
        list.push_str("<li>Nothing is published yet.</li>");
    }
    html(include_str!("assets/index.html").replace("{{assets}}", &list))
}

/// `GET /play/{folder}/{asset}`: a page that plays it.
pub(crate) async fn player(
    State(site): State<Arc<Public>>,
    extract::Path((folder, asset)): extract::Path<(String, String)>,
) -> Response {
    let published = |folder: &&Folder| published(&folder.path).contains(&asset);
    let Some(folder) = site.folder(&folder).filter(published) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let base = format!("/{}/{}", escape_url(&folder.name), escape_url(&asset));
    let hls_js = if site.player_js.is_some() { "<script src=\"/hls.js\"></script>" } else { "" };
    // The name goes in last: it may look like a placeholder.
    let page = include_str!("assets/player.html").replace("{{hls_js}}", hls_js);
    html(page.replace("{{base}}", &base).replace("{{title}}", &escape_html(&asset)))
}

/// `GET /player.js`: what the player page runs.
pub(crate) async fn player_js() -> Response {
    let kind = [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")];
    (kind, include_str!("assets/player.js")).into_response()
}

/// `GET /hls.js`: the copy of hls.js that the operator named.
pub(crate) async fn hls_js(State(site): State<Arc<Public>>, request: Request) -> Response {
    match &site.player_js {
        Some(file) => {
            let mut response = files::serve(file, request).await;
            // The operator may put a newer one there.
            let no_cache = header::HeaderValue::from_static("no-cache");
            response.headers_mut().insert(header::CACHE_CONTROL, no_cache);
            response
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Names of the assets that are published below `folder`, sorted.
pub fn published(folder: &Path) -> Vec<String> {
    assets(folder, "", DEEPEST)
}

/// Names of the assets below `folder`, sorted: directories that hold an `asset.json`.
fn assets(folder: &Path, prefix: &str, depth: usize) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let file_name = entry.file_name();
        let Some(name) = file_name.to_str().filter(|name| !name.starts_with('.')) else { continue };
        let name = format!("{prefix}{name}");
        if entry.path().join("asset.json").is_file() {
            found.push(name);
        } else if depth > 1 && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(assets(&entry.path(), &format!("{name}/"), depth - 1));
        }
    }
    found.sort();
    found
}

/// hls.js fetches keys from wherever the playlist says, and hands media over in blobs.
const POLICY: &str = "default-src 'self'; style-src 'unsafe-inline'; media-src 'self' blob:; \
                      worker-src 'self' blob:; connect-src *";

fn html(page: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    (headers, page).into_response()
}

fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Percent-encodes all but unreserved characters (RFC 3986, 2.3) and slashes.
fn escape_url(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
