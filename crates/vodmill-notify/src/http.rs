//! Requests over HTTP/1.1, one connection each: they are rare, and one that was kept open may be dead.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
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
    ) -> Result<(StatusCode, Bytes)> {
        let asked = async {
            let answer = self.client.request(request).await;
            let answer = answer.map_err(|error| Error::NoAnswer(chain(&error)))?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), LONGEST_ANSWER).collect().await;
            let body = body.map_err(|error| Error::NoAnswer(chain(&*error)))?;
            Ok((status, body.to_bytes()))
        };
        self.within(patience, asked)?
    }
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
