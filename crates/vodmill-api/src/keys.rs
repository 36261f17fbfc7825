//! The key server: 16 bytes for a kid.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use vodmill_hls::key::Kid;

use crate::site::Site;

/// `GET /k/{kid}`: the key, raw (RFC 8216, 5.1).
pub(crate) async fn key(State(site): State<Arc<Site>>, Path(kid): Path<String>) -> Response {
    let Some(kid) = Kid::from_hex(&kid) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    // The store may wait for a disk.
    let found = tokio::task::spawn_blocking(move || site.keys.get(&kid)).await;
    match found {
        Ok(Ok(Some(stored))) => {
            let headers = [
                (header::CONTENT_TYPE, "application/octet-stream"),
                (header::CACHE_CONTROL, "no-store"),
            ];
            (headers, stored.key.expose().to_vec()).into_response()
        }
        Ok(Ok(None)) => StatusCode::NOT_FOUND.into_response(),
        Ok(Err(error)) => {
            tracing::error!(%kid, error = &error as &dyn std::error::Error, "key not readable");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
