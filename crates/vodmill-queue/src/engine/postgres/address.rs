//! A database's URL: what of it is for the driver, and how TLS is to be spoken.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres::Config;
use tokio_postgres::config::Host;
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
        Self::try_parse(url).map_err(|problem| Error::BadAddress { place: place(url), problem })
    }

    fn try_parse(url: &str) -> std::result::Result<Self, String> {
        if !SCHEMES.iter().any(|scheme| url.starts_with(scheme)) {
            return Err("it does not begin with postgres://".into());
        }
        let (driver_url, params) = split(url)?;
        // The error may quote a parameter, but never the password.
        let mut config: Config = driver_url.parse().map_err(describe)?;
        check_hosts(&config)?;
        limit(&mut config);
        Ok(Self { config, tls: tls(&params)?, place: place(url) })
    }
}

/// What a URL of a database begins with.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

fn check_hosts(config: &Config) -> std::result::Result<(), String> {
    if config.get_hosts().is_empty() {
        return Err("it names no host".into());
    }
    // An error would name the host, with a part of the password in it.
    if config.get_hosts().iter().any(has_at_sign) {
        return Err("an @ in its password must be written as %40".into());
    }
    Ok(())
}

fn has_at_sign(host: &Host) -> bool {
    matches!(host, Host::Tcp(name) if name.contains('@'))
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

/// Host, port and database; no more than the scheme where it cannot be told what is the password.
fn place(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "the given address".to_owned() };
    let (credentials, rest) = rest.split_once('@').unwrap_or(("", rest));
    if credentials.contains('?') {
        return format!("{scheme}://…");
    }
    let rest = rest.split('?').next().unwrap_or_default();
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    format!("{scheme}://{rest}")
}

/// Takes out the parameters that libpq knows and the driver does not.
fn split(url: &str) -> std::result::Result<(String, TlsParams), String> {
    let mut params = TlsParams::default();
    // As the driver does: what stands before the first @ is user and password, whatever it holds.
    let host = url.find('@').unwrap_or_default();
    let Some(query) = url[host..].find('?').map(|at| host + at) else {
        return Ok((url.to_owned(), params));
    };
    let mut kept = Vec::new();
    for pair in url[query + 1..].split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match (&*decoded(name)?, &*decoded(value)?) {
            ("sslmode", "verify-full" | "verify-ca") => {
                params.verify = true;
                kept.push("sslmode=require");
            }
            ("sslrootcert", file) => params.roots = Some(file.to_owned()),
            _ => kept.push(pair),
        }
    }
    Ok((format!("{}?{}", &url[..query], kept.join("&")), params))
}

/// A part of a URL as it is meant; a plus is a plus, as for libpq.
fn decoded(text: &str) -> std::result::Result<Cow<'_, str>, String> {
    percent_decode_str(text).decode_utf8().map_err(|_| "a parameter is not UTF-8".to_owned())
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
    if store.is_empty() {
        return Err("there is no certificate to verify the server with".into());
    }
    Ok(store)
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
        for (url, told) in [
            ("postgres://me:se@cret@db:5432/v?sslmode=require", "postgres://db:5432/v"),
            ("postgres://db:5432/v", "postgres://db:5432/v"),
            ("postgres://me:se?cret@db/v", "postgres://…"),
            ("postgres://db/v?user=me&password=sec@ret", "postgres://…"),
            ("host=db password=secret", "the given address"),
            ("mysql://me:secret@db/v", "mysql://db/v"),
        ] {
            assert_eq!(place(url), told, "{url}");
        }
        for url in ["postgres://me:secret@db/v?colour=red", "postgres://me:se@cret@db/v"] {
            let error = Address::parse(url).err().expect("it is refused").to_string();
            assert!(!error.contains("secret") && !error.contains("cret@"), "{error}");
        }
    }

    #[test]
    fn only_urls_of_postgresql_are_addresses() {
        for url in ["mysql://db/v", "host=db", "POSTGRES://db/v", "postgres:/db/v", "db/v", ""] {
            let error = Address::parse(url).err().map(|error| error.to_string());
            assert!(error.is_some_and(|it| it.contains("begin with postgres://")), "{url}");
        }
        assert!(Address::parse("postgresql://db/v").is_ok());
    }

    #[test]
    fn certificates_are_verified_when_asked_for() {
        let url = "postgres://db/v?sslmode=verify-full&sslrootcert=%2Fca.pem&a=b";
        let (url, params) = split(url).expect("it can be split");
        assert_eq!(url, "postgres://db/v?sslmode=require&a=b");
        assert!(params.verify);
        assert_eq!(params.roots.as_deref(), Some("/ca.pem"));
        let missing = Address::parse("postgres://db/v?sslrootcert=/no/such.pem").err();
        assert!(missing.is_some_and(|error| error.to_string().contains("/no/such.pem")));
    }

    #[test]
    fn every_part_of_an_address_is_decoded() {
        for (written, meant) in [
            ("%2fetc%2Fca.pem", "/etc/ca.pem"),
            ("/etc/our%20ca+root.pem", "/etc/our ca+root.pem"),
            ("/etc/100%25.pem", "/etc/100%.pem"),
            ("/etc/%C3%BC.pem", "/etc/ü.pem"),
            ("/a=b.pem", "/a=b.pem"),
        ] {
            let url = format!("postgres://me:a%2Fb?c@db/v?sslrootcert={written}");
            let (url, params) = split(&url).expect("it can be split");
            assert_eq!(params.roots.as_deref(), Some(meant));
            assert_eq!(url, "postgres://me:a%2Fb?c@db/v?");
        }
        let (url, params) = split("postgres://db/v?ssl%6dode=verify%2Dca&a=%26").expect("split");
        assert!(params.verify && params.roots.is_none());
        assert_eq!(url, "postgres://db/v?sslmode=require&a=%26");
        assert!(split("postgres://db/v?sslrootcert=%ff").is_err());
        let address = Address::parse("postgres://a%40b:c%3Ad@db/v%20w").expect("an address");
        assert_eq!(address.config.get_user(), Some("a@b"));
        assert_eq!(address.config.get_password(), Some(&b"c:d"[..]));
        assert_eq!(address.config.get_dbname(), Some("v w"));
    }
}
