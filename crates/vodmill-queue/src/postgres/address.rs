//! A database's URL: what of it is for the driver, and how TLS is to be spoken.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::{Error, Result};

/// How long the server works on one statement, or waits for a lock.
pub(super) const STATEMENT: Duration = Duration::from_secs(20);
/// How long a transaction may stand idle: a process that was stopped in the middle of one must not
/// keep its locks.
const IDLE: Duration = Duration::from_secs(15);
/// How long it takes to notice that the other side is not there.
const REACH: Duration = Duration::from_secs(10);

/// All that a queue asks for is a few rows by an index, in its order. A planner that saw the tables
/// when they were small, or has not counted them yet, would rather read and sort all of them: a
/// claim took 40 to 110 ms at a backlog of 20,000 tasks, and now takes what it takes at 500.
const PLANS: &str = "-c jit=off -c enable_hashjoin=off -c enable_mergejoin=off \
                     -c enable_seqscan=off -c enable_bitmapscan=off -c enable_sort=off \
                     -c plan_cache_mode=force_generic_plan";

/// Where a database is, and how it is connected to.
pub(super) struct Address {
    pub config: Config,
    pub tls: MakeRustlsConnect,
    /// The address for messages, without password and parameters.
    pub place: String,
}

/// The parameters of a URL that the driver does not know.
#[derive(Default)]
struct TlsParams {
    /// Whether the certificate must be good, and for this host.
    verify: bool,
    /// A PEM file of authorities, in place of the system's.
    roots: Option<String>,
}

impl Address {
    /// Reads `postgres://user:password@host:port/database?parameters`.
    pub fn parse(url: &str) -> Result<Self> {
        let place = place(url);
        let bad = |problem: String| Error::BadAddress { place: place.clone(), problem };
        let (url, params) = split(url);
        // The error may quote a parameter, but never the password.
        let mut config: Config = url.parse().map_err(|error| bad(describe(error)))?;
        if config.get_hosts().is_empty() {
            return Err(bad("it names no host".into()));
        }
        let tls = tls(&params).map_err(bad)?;
        limit(&mut config);
        Ok(Self { config, tls, place })
    }
}

fn describe(error: tokio_postgres::Error) -> String {
    let source = std::error::Error::source(&error).map(ToString::to_string);
    source.unwrap_or_else(|| error.to_string())
}

/// Bounds everything that waits, unless the URL says otherwise.
fn limit(config: &mut Config) {
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(REACH);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(REACH);
    }
    if config.get_application_name().is_none() {
        config.application_name("vodmill");
    }
    config.keepalives_idle(REACH).keepalives_interval(REACH / 4).keepalives_retries(4);
    let given = config.get_options().unwrap_or_default();
    let options = format!(
        "-c statement_timeout={} -c idle_in_transaction_session_timeout={} {PLANS} {given}",
        STATEMENT.as_millis(),
        IDLE.as_millis()
    );
    config.options(options);
}

/// Host, port and database.
fn place(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split('?').next().unwrap_or_default();
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    format!("postgres://{rest}")
}

/// Takes out the parameters that libpq knows and the driver does not.
fn split(url: &str) -> (String, TlsParams) {
    let mut params = TlsParams::default();
    let Some((base, query)) = url.split_once('?') else { return (url.to_owned(), params) };
    let mut kept = Vec::new();
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sslmode", "verify-full" | "verify-ca")) => {
                params.verify = true;
                kept.push("sslmode=require");
            }
            Some(("sslrootcert", file)) => params.roots = Some(file.replace("%2F", "/")),
            _ => kept.push(pair),
        }
    }
    (format!("{base}?{}", kept.join("&")), params)
}

/// As libpq does: `require` and `prefer` encrypt, and prove nothing unless authorities are named.
fn tls(params: &TlsParams) -> std::result::Result<MakeRustlsConnect, String> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let config = if params.verify || params.roots.is_some() {
        builder.with_root_certificates(roots(params.roots.as_deref())?).with_no_client_auth()
    } else {
        let anyone = Arc::new(Anyone(provider));
        builder.dangerous().with_custom_certificate_verifier(anyone).with_no_client_auth()
    };
    Ok(MakeRustlsConnect::new(config))
}

fn roots(file: Option<&str>) -> std::result::Result<RootCertStore, String> {
    let certificates = match file {
        Some(file) => CertificateDer::pem_file_iter(file)
            .and_then(Iterator::collect)
            .map_err(|error| format!("sslrootcert {file}: {error}"))?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(certificates);
    match store.is_empty() {
        true => Err("there is no certificate to verify the server with".into()),
        false => Ok(store),
    }
}

/// Takes any certificate, for `sslmode=require`: it keeps listeners out, and not impostors.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_told() {
        for url in ["postgres://me:se@cret@db:5432/v?sslmode=require", "postgres://db:5432/v"] {
            assert_eq!(place(url), "postgres://db:5432/v");
        }
        let error = Address::parse("postgres://me:secret@db/v?colour=red").err();
        let error = error.expect("an unknown parameter is refused").to_string();
        assert!(error.contains("colour") && !error.contains("secret"), "{error}");
    }

    #[test]
    fn certificates_are_verified_when_asked_for() {
        let (url, params) = split("postgres://db/v?sslmode=verify-full&sslrootcert=%2Fca.pem&a=b");
        assert_eq!(url, "postgres://db/v?sslmode=require&a=b");
        assert!(params.verify);
        assert_eq!(params.roots.as_deref(), Some("/ca.pem"));
        let missing = Address::parse("postgres://db/v?sslrootcert=/no/such.pem").err();
        assert!(missing.is_some_and(|error| error.to_string().contains("/no/such.pem")));
    }
}
