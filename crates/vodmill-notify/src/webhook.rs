//! An event to a URL.

use vodmill_http::http::header::{CONTENT_TYPE, USER_AGENT};
use vodmill_http::http::{Method, Request, StatusCode};

use crate::error::{Error, Result};
use crate::http::{Http, Patience, refusal};
use crate::sign::{Secrets, signature};

/// Sends `body` once. Any 2xx is success; everything else, redirects among it, is not.
pub(crate) fn send(
    http: &Http,
    url: &str,
    secrets: &Secrets,
    id: &str,
    body: Vec<u8>,
    patience: Patience<'_>,
) -> Result<()> {
    let now = jiff::Timestamp::now();
    let timestamp = now.as_second();
    let request = Request::builder()
        .method(Method::POST)
        .uri(url)
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, concat!("vodmill/", env!("CARGO_PKG_VERSION")))
        .header("webhook-id", id)
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signature(secrets, id, timestamp, &body))
        .body(body)
        .map_err(|error| Error::unmade("make the request", &error))?;
    let answer = http.ask(request, patience)?;
    match answer.status() {
        status if status.is_success() => Ok(()),
        StatusCode::GONE => Err(Error::Gone),
        _ => Err(refusal(&answer, now)),
    }
}
