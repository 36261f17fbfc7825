//! Certificates as an operator would make them: an authority, and what it vouches for.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;

use crate::tools::succeeded;

/// An authority of the test's own.
pub struct Authority(TempDir);

impl Authority {
    /// Makes one.
    pub fn new() -> Authority {
        let authority = Authority(tempfile::tempdir().expect("a folder"));
        authority.openssl("-keyout ca.key -out ca.pem -subj /CN=authority");
        authority
    }

    /// Its certificate, in PEM.
    pub fn certificate(&self) -> PathBuf {
        self.0.path().join("ca.pem")
    }

    /// What a server at `localhost` needs that it vouches for.
    pub fn localhost(&self) -> Arc<ServerConfig> {
        self.openssl(
            "-keyout server.key -out server.pem -subj /CN=localhost -CA ca.pem -CAkey ca.key \
             -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE",
        );
        let read = |name: &str| fs::read(self.0.path().join(name)).expect("what was made");
        let certificate = CertificateDer::from_pem_slice(&read("server.pem")).expect("PEM");
        let key = PrivateKeyDer::from_pem_slice(&read("server.key")).expect("PEM");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key);
        Arc::new(config.expect("a key and its certificate"))
    }

    fn openssl(&self, arguments: &str) {
        let new = "req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 2";
        let mut command = Command::new("openssl");
        command.args(new.split(' ')).args(arguments.split_whitespace());
        succeeded(command.current_dir(self.0.path()))
            .unwrap_or_else(|why| panic!("openssl: {why}"));
    }
}

impl Default for Authority {
    fn default() -> Authority {
        Authority::new()
    }
}
