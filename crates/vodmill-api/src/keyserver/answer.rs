//! How the key server says no.

use std::net::IpAddr;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::token::TokenError;

/// No, and why: a line of plain text that a player's log can show. Nothing of it is a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) reason: String,
    retry_after: Option<Duration>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, reason: impl Into<String>) -> Refusal {
        Refusal { status, reason: reason.into(), retry_after: None }
    }

    pub(crate) fn later(status: StatusCode, reason: &str, wait: Duration) -> Refusal {
        Refusal { retry_after: Some(wait), ..Refusal::new(status, reason) }
    }

    pub(crate) fn unknown_key() -> Refusal {
        Refusal::new(StatusCode::NOT_FOUND, "there is no such key")
    }

    pub(crate) fn nothing() -> Refusal {
        Refusal::new(StatusCode::NOT_FOUND, "there is nothing here")
    }

    pub(crate) fn for_no_viewer() -> Refusal {
        Refusal::new(StatusCode::FORBIDDEN, "this is for no viewer")
    }

    pub(crate) fn unreadable() -> Refusal {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Refusal::later(status, "this cannot be read at present", Duration::from_secs(5))
    }

    /// Tells the log. What was asked for could be anything, and is not told.
    pub(crate) fn log(&self, address: IpAddr, event: &'static str) {
        let (status, reason) = (self.status.as_u16(), self.reason.as_str());
        match self.status {
            // There are many of these, by their nature.
            StatusCode::TOO_MANY_REQUESTS | StatusCode::NOT_FOUND => {
                tracing::debug!(%address, status, reason, "{event}");
            }
            _ => tracing::info!(%address, status, reason, "{event}"),
        }
    }
}

impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Refusal {
        let status = match error {
            TokenError::OtherAsset | TokenError::OtherAddress => StatusCode::FORBIDDEN,
            _ => StatusCode::UNAUTHORIZED,
        };
        Refusal::new(status, error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, format!("{}\n", self.reason)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::UNAUTHORIZED {
            // RFC 6750, 3.
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }
}
