//! `[keys]` and `[key_server]` of `vodmill.toml`: where keys are, and who gets them.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::Deserialize;
use vodmill_api::{Network, is_host, is_origin};

/// `[keys]`: where keys are kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KeysSettings {
    /// `"own"`: in `state`, or in the database that workers share; `"http"`: at an external key
    /// server.
    pub provider: Provider,
    /// URL of the external key server, up to the `/v1`.
    pub url: Option<String>,
    /// File with the secret that it knows us by.
    pub credential: Option<String>,
    /// File with the certificates that it is proved by, in PEM. Default: the usual authorities.
    pub authorities: Option<String>,
    /// Seconds that one question to it may take; it is asked three times.
    #[schemars(range(min = 1, max = 300))]
    pub timeout_seconds: u32,
    /// Where the key-encryption key is: `"file:PATH"`, `"env:NAME"`, or `"kms:ID"` for one that AWS
    /// KMS wraps. Default: the file `keys/kek` in `state`, made on first use.
    pub kek: Option<KekSource>,
    /// Further key-encryption keys that open keys, and wrap none: while keys are rewrapped.
    pub other_keks: Vec<KekSource>,
}

impl Default for KeysSettings {
    fn default() -> KeysSettings {
        KeysSettings {
            provider: Provider::Own,
            url: None,
            credential: None,
            authorities: None,
            timeout_seconds: 10,
            kek: None,
            other_keks: Vec::new(),
        }
    }
}

/// Who keeps keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// vodmill.
    Own,
    /// An external key server.
    Http,
}

/// Where a key-encryption key is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub enum KekSource {
    /// In a file, as 64 hex digits.
    File(String),
    /// In a variable of the environment, as 64 hex digits.
    Environment(String),
    /// Wrapped by this key of AWS KMS, beside the keys.
    Kms(String),
}

impl TryFrom<String> for KekSource {
    type Error = String;

    fn try_from(text: String) -> Result<KekSource, String> {
        match text.split_once(':') {
            Some((_, "")) | None => {}
            Some(("file", path)) => return Ok(KekSource::File(path.to_owned())),
            Some(("env", name)) => return Ok(KekSource::Environment(name.to_owned())),
            Some(("kms", id)) => return Ok(KekSource::Kms(id.to_owned())),
            Some(_) => {}
        }
        Err(format!("{text:?} is not \"file:PATH\", \"env:NAME\" or \"kms:ID\""))
    }
}

/// `[key_server]`: who gets keys. Counts for `vodmill keys serve` and for the daemon's server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KeyServerSettings {
    /// Address of `vodmill keys serve`.
    pub listen: SocketAddr,
    /// Who gets keys: `"anyone"` who can connect, which is for this machine alone unless `open` says
    /// so; `"token"` for who has a token made with a secret of `tokens`; `"jwt"` for who has a JSON
    /// Web Token signed with a key of `jwks`.
    pub viewers: ViewerKind,
    /// Anyone on any network may have keys.
    pub open: bool,
    /// File with the secrets of tokens. Default: `keys/tokens` in `state`.
    pub tokens: Option<String>,
    /// File with a JWK set.
    pub jwks: Option<String>,
    /// What a JSON Web Token has to have as `iss`.
    pub issuer: Option<String>,
    /// What a JSON Web Token has to have in `aud`.
    pub audience: Option<String>,
    /// Name of the cookie that may hold a token.
    pub cookie: String,
    /// Name of the part of a query that may hold a token.
    pub query: String,
    /// Names under which this server is asked, beside those of this machine and those of
    /// `key_uri` and `base_url` of the pipelines: as proxies pass them on. On other addresses than
    /// loopback ones, any name will do unless there are some here.
    pub hosts: Vec<String>,
    /// Origins of pages whose players may read keys, as `"https://www.example.org"`. Default: any
    /// where anyone gets keys, otherwise none.
    pub origins: Vec<String>,
    /// File with the hashed secrets of segmenters and operators. Default: `keys/credentials` in
    /// `state`, if it is there.
    pub credentials: Option<String>,
    /// Proxies whose X-Forwarded-For is believed, as `"10.0.0.0/8"`.
    pub proxies: Vec<String>,
    /// Requests a second from one address (of IPv6: one /64), in the long run; 0 for no limit.
    pub address_rate: u32,
    /// Requests at once from one address.
    pub address_burst: u32,
    /// Requests a second with one token, in the long run; 0 for no limit.
    pub viewer_rate: u32,
    /// Requests at once with one token.
    pub viewer_burst: u32,
    /// Seconds for which a key is given without asking where it is kept: what a revocation elsewhere
    /// may take to be heeded.
    pub fresh_seconds: u32,
    /// Seconds for which a key is given while the place where it is kept is away.
    pub keep_seconds: u32,
}

impl Default for KeyServerSettings {
    fn default() -> KeyServerSettings {
        KeyServerSettings {
            listen: SocketAddr::from(([127, 0, 0, 1], 8481)),
            viewers: ViewerKind::Anyone,
            open: false,
            tokens: None,
            jwks: None,
            issuer: None,
            audience: None,
            cookie: "vodmill_key".to_owned(),
            query: "token".to_owned(),
            hosts: Vec::new(),
            origins: Vec::new(),
            credentials: None,
            proxies: Vec::new(),
            address_rate: 200,
            address_burst: 1000,
            viewer_rate: 20,
            viewer_burst: 200,
            fresh_seconds: 5,
            keep_seconds: 300,
        }
    }
}

/// Who gets keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ViewerKind {
    /// Everybody who can connect.
    Anyone,
    /// Bearers of our tokens.
    Token,
    /// Bearers of JSON Web Tokens.
    Jwt,
}

impl KeysSettings {
    /// What does not go together.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let own = self.provider == Provider::Own;
        for (name, there) in [
            ("url", self.url.is_some()),
            ("credential", self.credential.is_some()),
            ("authorities", self.authorities.is_some()),
        ] {
            if own && there {
                faults.push(format!("keys.{name} is set, but keys.provider is not \"http\""));
            } else if !own && !there && name != "authorities" {
                faults.push(format!("keys.provider = \"http\" needs keys.{name}"));
            }
        }
        if !own && (self.kek.is_some() || !self.other_keks.is_empty()) {
            faults.push("keys.kek is set, but an external key server keeps the keys".to_owned());
        }
        faults
    }
}

impl KeyServerSettings {
    /// What does not go together.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.viewers == ViewerKind::Jwt && self.jwks.is_none() {
            faults.push("key_server.viewers = \"jwt\" needs key_server.jwks".to_owned());
        }
        for origin in self.origins.iter().filter(|origin| !is_origin(origin)) {
            let form = "is not an origin such as \"https://www.example.org\"";
            faults.push(format!("key_server.origins: {origin:?} {form}"));
        }
        for host in self.hosts.iter().filter(|host| !is_host(host)) {
            let form = "is not a name or an address such as \"media.example.org\"";
            faults.push(format!("key_server.hosts: {host:?} {form}"));
        }
        for proxy in &self.proxies {
            if let Err(why) = proxy.parse::<Network>() {
                faults.push(format!("key_server.proxies: {why}"));
            }
        }
        for (name, text) in [("cookie", &self.cookie), ("query", &self.query)] {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
            if text.is_empty() || !text.bytes().all(plain) {
                faults.push(format!("key_server.{name}: letters, digits, _ and - make a name"));
            }
        }
        faults
    }
}
