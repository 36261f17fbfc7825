//! Requests over HTTP/1.1, one connection each: they are rare, and one that was kept open may be dead.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use rustls::{ClientConfig, RootCertStore};
use tokio::runtime::Runtime;

use crate::error::{Error, Result, chain};

/// Bytes of an answer that are read at most.
const LONGEST_ANSWER: usize = 4 << 20;

/// How often it is looked whether to stop.
const LOOK: Duration = Duration::from_millis(100);

/// How long what is under way may still take when the process is told to stop.
const GRACE: Duration = Duration::from_secs(2);

/// How long an answer is waited for.
#[derive(Clone, Copy)]
pub(crate) struct Patience<'a> {
    pub timeout: Duration,
    /// Waits for a time, and says whether to go on.
    pub go_on: &'a dyn Fn(Duration) -> bool,
}

/// A client, and the runtime that it lives on. It belongs to one thread.
pub(crate) struct Http {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    runtime: Runtime,
}

impl Http {
    pub(crate) fn new() -> Result<Http> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Error::unmade("start a runtime", &error))?;
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls()?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .retry_canceled_requests(false)
            .build(connector);
        Ok(Http { client, runtime })
    }

    /// Waits for `work` as long as there is patience.
    pub(crate) fn within<T>(
        &self,
        patience: Patience<'_>,
        work: impl Future<Output = T>,
    ) -> Result<T> {
        let begun = Instant::now();
        let (mut until, mut stopping) = (begun + patience.timeout, false);
        self.runtime.block_on(async {
            let mut work = pin!(work);
            loop {
                if let Ok(done) = tokio::time::timeout(LOOK, work.as_mut()).await {
                    return Ok(done);
                }
                // From the first look on that says so.
                if !stopping && !(patience.go_on)(Duration::ZERO) {
                    stopping = true;
                    until = until.min(Instant::now() + GRACE);
                }
                if Instant::now() >= until {
                    return Err(Error::TooLate(begun.elapsed().as_secs()));
                }
            }
        })
    }

    /// Asks, and waits for the whole answer. Redirects are not followed.
    pub(crate) fn ask(
        &self,
        request: Request<Full<Bytes>>,
        patience: Patience<'_>,
    ) -> Result<Response<Bytes>> {
        let asked = async {
            let answer = self.client.request(request).await;
            let answer = answer.map_err(|error| Error::NoAnswer(chain(&error)))?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, LONGEST_ANSWER).collect().await;
            let body = body.map_err(|error| Error::NoAnswer(chain(&*error)))?;
            Ok(Response::from_parts(head, body.to_bytes()))
        };
        self.within(patience, asked)?
    }
}

/// What an answer comes to that is no success.
pub(crate) fn refusal(answer: &Response<Bytes>, now: Timestamp) -> Error {
    let asked = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = asked.and_then(|text| wait(text.trim(), now)).unwrap_or_default();
    Error::Refused { status: answer.status().as_u16(), retry_after }
}

/// Seconds, or a date (RFC 9110, 10.2.3).
fn wait(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(Duration::try_from(until.duration_since(now)).unwrap_or_default())
}

/// The system's authorities. Where it has none, connections without TLS still work.
fn tls() -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let versions = versions.map_err(|error| Error::unmade("set TLS up", &error))?;
    Ok(versions.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_to_wait_is_read_in_either_form() {
        let now = "2026-11-22T08:00:00Z".parse().expect("a time");
        let wait = |text| wait(text, now).map(|wait| wait.as_secs());
        assert_eq!(wait("120"), Some(120));
        assert_eq!(wait("Sun, 22 Nov 2026 08:01:30 GMT"), Some(90));
        assert_eq!(wait("Sun, 22 Nov 2026 07:00:00 GMT"), Some(0), "it is over");
        assert_eq!(wait("18446744073709551615"), Some(u64::MAX));
        for bad in ["", "-1", "1.5", "soon", "99999999999999999999"] {
            assert_eq!(wait(bad), None, "{bad}");
        }
    }
}
