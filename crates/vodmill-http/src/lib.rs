//! The HTTP client, for webhooks, CloudFront and other key servers. The SDKs of AWS have their own.
//!
//! It blocks, and follows no redirects: what is sent may hold a secret, which goes nowhere but where
//! the operator said. Any status is an answer. A proxy is taken from the environment (`HTTPS_PROXY`,
//! `NO_PROXY`).

use std::time::Duration;

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig};

pub use ureq::{Agent, Body, Error, http};

/// The certificates that servers are checked against.
#[derive(Clone, Debug)]
pub struct Authorities(RootCerts);

impl Authorities {
    /// Those that this machine trusts. Where it has none, only connections without TLS work.
    pub fn of_system() -> Authorities {
        let found = rustls_native_certs::load_native_certs().certs.into_iter();
        let owned = found.map(|der| Certificate::from_der(&der).to_owned());
        Authorities(RootCerts::from(owned))
    }

    /// Those of a text in PEM, and no others; None where it holds none.
    pub fn from_pem(pem: &str) -> Option<Authorities> {
        let items = ureq::tls::parse_pem(pem.as_bytes()).filter_map(Result::ok);
        let certificates: Vec<Certificate<'static>> = items.filter_map(certificate).collect();
        (!certificates.is_empty()).then(|| Authorities(RootCerts::from(certificates)))
    }
}

fn certificate(item: PemItem<'static>) -> Option<Certificate<'static>> {
    match item {
        PemItem::Certificate(certificate) => Some(certificate),
        _ => None,
    }
}

/// A client. `timeout` is for a request with its whole answer.
pub fn agent(authorities: Authorities, timeout: Duration) -> Agent {
    let tls = TlsConfig::builder().root_certs(authorities.0).build();
    Agent::config_builder()
        .timeout_global(Some(timeout))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .tls_config(tls)
        .build()
        .into()
}
