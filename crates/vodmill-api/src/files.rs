//! Published objects: read-only, with Range, the right type and cache policy.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{self, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tower_http::services::ServeFile;

use crate::site::Public;

const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");

/// `GET /{folder}/{path}`.
pub(crate) async fn file(
    State(site): State<Arc<Public>>,
    extract::Path((folder, path)): extract::Path<(String, String)>,
    request: Request,
) -> Response {
    let found = site.folder(&folder).and_then(|folder| resolve(&folder.path, &path));
    match found {
        Some(file) => serve(&file, request).await,
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Serves one file, with Range and conditional requests.
pub(crate) async fn serve(file: &Path, request: Request) -> Response {
    let Ok(response) = ServeFile::new(file).try_call(request).await else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut response = response.map(Body::new).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(file)));
    headers.insert(header::CACHE_CONTROL, if is_pointer(file) { NO_CACHE } else { IMMUTABLE });
    response
}

/// The file of that name under `root`; nothing hidden, and nothing outside, whatever the name or a
/// symbolic link says.
fn resolve(root: &Path, name: &str) -> Option<PathBuf> {
    let relative = Path::new(name);
    let plain = relative.components().all(|part| match part {
        Component::Normal(part) => !part.as_encoded_bytes().starts_with(b"."),
        _ => false,
    });
    if !plain || name.contains('\0') {
        return None;
    }
    let root = root.canonicalize().ok()?;
    let file = root.join(relative).canonicalize().ok()?;
    (file.starts_with(&root) && file.is_file()).then_some(file)
}

/// Whether publishing again replaces this file. All others are of one generation and never change.
fn is_pointer(file: &Path) -> bool {
    match file.file_name().and_then(|name| name.to_str()) {
        Some("asset.json") => true,
        Some("index.m3u8") => file.with_file_name("asset.json").exists(),
        _ => false,
    }
}

fn content_type(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("m3u8") => "application/vnd.apple.mpegurl",
        Some("ts") => "video/mp2t",
        Some("mp4" | "m4s") => "video/mp4",
        Some("m4a") => "audio/mp4",
        Some("vtt") => "text/vtt; charset=utf-8",
        Some("jpg") => "image/jpeg",
        Some("json") => "application/json",
        Some("js") => "text/javascript; charset=utf-8",
        _ => "application/octet-stream",
    }
}
