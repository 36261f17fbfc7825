//! `GET /gate`: whether a viewer may fetch what is at a path, for a proxy that asks before it serves
//! (`auth_request` of nginx).

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Extension, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use vodmill_delivery::{AssetPath, ObjectKind};

use super::KeyServer;
use super::answer::Refusal;
use crate::peer::Peer;

/// What the viewer asked the proxy for, as it stood in the request.
const ASKED: HeaderName = HeaderName::from_static("x-original-uri");

/// Why not: a proxy drops the body.
const REASON: HeaderName = HeaderName::from_static("x-refusal");

#[derive(Deserialize)]
pub(crate) struct Place {
    /// What comes before assets in the proxy's paths, as `/tv/`.
    #[serde(default)]
    below: String,
}

/// `GET /gate?below=/tv/`: 204, or 401 and 403 as for keys. Rates are the proxy's matter.
pub(crate) async fn gate(
    State(server): State<Arc<KeyServer>>,
    Extension(Peer(peer)): Extension<Peer>,
    Query(place): Query<Place>,
    headers: HeaderMap,
) -> Response {
    let address = server.auth.client(peer, &headers);
    match server.may_pass(&place.below, peer, &headers) {
        Ok(viewer) => {
            tracing::debug!(viewer, %address, "viewer passed on");
            (StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, "no-store")]).into_response()
        }
        Err(refusal) => {
            let (status, reason) = (refusal.status.as_u16(), refusal.reason.clone());
            tracing::info!(%address, status, reason, "viewer refused");
            let mut response = refusal.into_response();
            if let Ok(reason) = HeaderValue::from_str(&reason) {
                response.headers_mut().insert(REASON, reason);
            }
            response
        }
    }
}

impl KeyServer {
    fn may_pass(&self, below: &str, peer: IpAddr, headers: &HeaderMap) -> Result<String, Refusal> {
        let asked = headers.get(ASKED).and_then(|asked| asked.to_str().ok());
        let missing = || Refusal::new(StatusCode::BAD_REQUEST, "X-Original-URI is missing");
        let asked = asked.ok_or_else(missing)?;
        let (path, query) = match asked.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (asked, None),
        };
        let visitor = self.auth.visitor(peer, headers, query);
        let grant = self.auth.grant(self.auth.token(&visitor))?;
        let path = decoded(path);
        let object = path.as_deref().and_then(|path| within(path, below)).and_then(AssetPath::of);
        match object {
            None => Err(Refusal::new(StatusCode::FORBIDDEN, "there is no asset at this path")),
            Some(object) if matches!(object.kind, ObjectKind::Private | ObjectKind::Receipt) => {
                Err(Refusal::for_no_viewer())
            }
            Some(object) => {
                grant.permits(object.asset, visitor.address)?;
                Ok(grant.viewer)
            }
        }
    }
}

fn within<'p>(path: &'p str, below: &str) -> Option<&'p str> {
    path.strip_prefix('/')?.strip_prefix(below.trim_start_matches('/'))
}

/// A path as its server reads it: what is encoded, decoded once. None for what servers read in more
/// than one way.
pub(super) fn decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        bytes.push(match byte {
            b'%' => u8::try_from(digit(rest.next())? << 4 | digit(rest.next())?).ok()?,
            b'#' => return None,
            plain => plain,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_decoded_once() {
        assert_eq!(decoded("/a%20b%2Fc/%252e").as_deref(), Some("/a b/c/%2e"));
        for odd in ["/a%", "/a%2", "/a%zz", "/a#b", "/%ff"] {
            assert_eq!(decoded(odd), None, "{odd}");
        }
        assert_eq!(within("/tv/a/b", "/tv/"), Some("a/b"));
        assert_eq!(within("/a/b", ""), Some("a/b"));
        assert_eq!(within("/tvx/a", "/tv/"), None);
    }

    /// How nginx reads a path: decoded, slashes merged, dots resolved.
    fn as_served(path: &str) -> Option<String> {
        let path = decoded(path)?;
        let mut parts = Vec::new();
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()?),
                part => parts.push(part),
            }
        }
        Some(format!("/{}", parts.join("/")))
    }

    /// Whatever a request looks like, what is let through is an object of the asset that was asked
    /// about, where it is served.
    #[test]
    fn no_path_leads_elsewhere() {
        let parts = [
            "film",
            "other",
            "g0001-44122a99",
            "index.m3u8",
            "private",
            "tv",
            "..",
            ".",
            "",
            "%2e%2E",
            "%2F",
            "film%2Findex.m3u8",
            "..%2ffilm",
            "%252e%252e",
            "g0001-44122a99%2Fx",
            "%5c",
        ];
        let mut passed = 0;
        for count in 0..parts.len().pow(4) {
            let part = |place: u32| parts[count / parts.len().pow(place) % parts.len()];
            let path = format!("/tv/{}/{}/{}/{}", part(0), part(1), part(2), part(3));
            let text = decoded(&path);
            let inner = text.as_deref().and_then(|text| within(text, "/tv/"));
            let Some(object) = inner.and_then(AssetPath::of) else { continue };
            passed += 1;
            let served = as_served(&path).expect("a path");
            let inner = served.strip_prefix(&format!("/tv/{}/", object.asset));
            let inner = inner.unwrap_or_else(|| panic!("{path} is {served}, not {object:?}"));
            let private =
                inner.split('/').nth(1) == Some("private") && inner.matches('/').count() > 1;
            assert!(object.kind == ObjectKind::Private || !private, "{path} is {served}");
        }
        assert!(passed > 100, "{passed}");
    }
}
