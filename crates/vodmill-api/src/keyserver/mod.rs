//! The key server: keys for viewers, key sets for segmenters and operators.

mod access;
mod answer;
mod cache;
mod callers;
mod credentials;
mod gate;
mod limits;
mod operators;
mod reloading_file;
mod viewer;
mod viewer_auth;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use vodmill_clock::{Clock, SystemClock};
use vodmill_keys::KeyStore;

pub use access::{Network, Viewers};
pub use cache::Memory;
pub use credentials::{Credentials, Role};
pub use limits::Rate;
pub use reloading_file::SecretFileError;

pub(crate) use answer::Refusal;
pub(crate) use callers::guarded;
pub(crate) use limits::rate_limit_key;
pub(crate) use viewer_auth::{ViewerAuth, Visitor};

use cache::KeyCache;

/// How long a browser may remember what it is allowed to ask.
const PREFLIGHT: Duration = Duration::from_secs(600);

/// How keys are served.
#[derive(Debug, Clone)]
pub struct KeySettings {
    /// Who gets keys.
    pub viewers: Viewers,
    /// Name of the cookie that may hold a token.
    pub cookie: String,
    /// Name of the part of a query that may hold a token.
    pub query: String,
    /// Names under which this server may be asked beside those of this machine; without any, by
    /// whatever name where it listens on other addresses too.
    pub hosts: Vec<String>,
    /// Origins of pages whose players may read keys, as `https://www.example.org`; `*` for any,
    /// without cookies.
    pub origins: Vec<String>,
    /// Hashed secrets of segmenters and operators ([`Credentials::parse`]); without the file there is
    /// nothing for them.
    pub credentials: Option<PathBuf>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub proxies: Vec<Network>,
    /// How often one address may ask.
    pub address_rate: Rate,
    /// How often may be asked with one token.
    pub viewer_rate: Rate,
    /// How keys are kept in memory.
    pub memory: Memory,
    /// How long a segmenter or an operator may take to send a body.
    pub body_time: Duration,
    /// What tokens, limits and the memory of keys go by.
    pub clock: Arc<dyn Clock>,
}

impl Default for KeySettings {
    fn default() -> KeySettings {
        KeySettings {
            viewers: Viewers::Anyone,
            cookie: "vodmill_key".to_owned(),
            query: "token".to_owned(),
            hosts: Vec::new(),
            origins: Vec::new(),
            credentials: None,
            proxies: Vec::new(),
            address_rate: Rate { per_second: 200, burst: 1000 },
            viewer_rate: Rate { per_second: 20, burst: 200 },
            memory: Memory::default(),
            body_time: Duration::from_secs(60),
            clock: Arc::new(SystemClock),
        }
    }
}

/// Why keys cannot be served so.
#[derive(Debug, thiserror::Error)]
pub enum KeyServerError {
    /// A file with secrets.
    #[error(transparent)]
    Secrets(#[from] SecretFileError),
    /// An origin that no browser sends.
    #[error("{0:?} is not an origin such as https://www.example.org")]
    Origin(String),
}

/// Serves the keys of a store.
pub struct KeyServer {
    store: Arc<dyn KeyStore>,
    cache: KeyCache,
    auth: Arc<ViewerAuth>,
    settings: KeySettings,
}

impl KeyServer {
    /// Reads the files of the settings.
    ///
    /// # Errors
    /// [`KeyServerError`].
    pub fn new(store: Arc<dyn KeyStore>, settings: KeySettings) -> Result<Self, KeyServerError> {
        if let Some(origin) = settings.origins.iter().find(|origin| !is_origin(origin)) {
            return Err(KeyServerError::Origin(origin.clone()));
        }
        Ok(KeyServer {
            cache: KeyCache::new(Arc::clone(&store), settings.memory, Arc::clone(&settings.clock)),
            store,
            auth: Arc::new(ViewerAuth::new(&settings)?),
            settings,
        })
    }

    /// Unix seconds.
    fn now(&self) -> u64 {
        self.settings.clock.unix_seconds()
    }

    /// What authorizes its viewers.
    pub(crate) fn auth(&self) -> Arc<ViewerAuth> {
        Arc::clone(&self.auth)
    }
}

/// Whether this is a name, or an address as it stands in a URL, without a port.
pub fn is_host(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let address = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match address {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !text.is_empty() && text.bytes().all(plain),
    }
}

/// Whether this is `*`, or scheme and host as browsers send them (RFC 6454, 6.2).
pub fn is_origin(text: &str) -> bool {
    let strange = |c: char| !c.is_ascii_graphic() || c.is_ascii_uppercase() || "/?#@*".contains(c);
    match text.split_once("://") {
        Some(("http" | "https", host)) => !host.is_empty() && !host.contains(strange),
        _ => text == "*",
    }
}
