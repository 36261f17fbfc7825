//! The key server: keys for viewers, key sets for segmenters and operators.

mod access;
mod answer;
mod bounded;
mod cache;
mod credentials;
mod door;
mod gate;
mod limits;
mod operators;
mod viewer;
mod watched;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::http::{HeaderValue, Method, header};
use axum::routing::get;
use tower_http::cors::{AllowOrigin, Any, CorsLayer};
use vodmill_hls::keyring::KeyStore;

pub use access::{Network, Viewers};
pub use cache::Memory;
pub use credentials::{Credentials, Role};
pub use limits::Rate;
pub use watched::SecretFileError;

pub(crate) use answer::Refusal;
pub(crate) use door::Door;

use cache::KeyCache;
use watched::Watched;

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
}

impl Default for KeySettings {
    fn default() -> KeySettings {
        KeySettings {
            viewers: Viewers::Anyone,
            cookie: "vodmill_key".to_owned(),
            query: "token".to_owned(),
            origins: Vec::new(),
            credentials: None,
            proxies: Vec::new(),
            address_rate: Rate { per_second: 200, burst: 1000 },
            viewer_rate: Rate { per_second: 20, burst: 200 },
            memory: Memory::default(),
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
    door: Arc<Door>,
    credentials: Option<Watched<Credentials>>,
    cors: CorsLayer,
}

impl KeyServer {
    /// Reads the files of the settings.
    ///
    /// # Errors
    /// [`KeyServerError`].
    pub fn new(store: Arc<dyn KeyStore>, settings: KeySettings) -> Result<Self, KeyServerError> {
        let door = Door::new(&settings)?;
        let credentials = settings.credentials;
        let credentials =
            credentials.map(|file| Watched::open(file, true, Credentials::parse)).transpose()?;
        Ok(KeyServer {
            cache: KeyCache::new(Arc::clone(&store), settings.memory),
            store,
            cors: cors(&settings.origins, door.asks_for_tokens())?,
            door: Arc::new(door),
            credentials,
        })
    }

    /// Who is let in.
    pub(crate) fn door(&self) -> Arc<Door> {
        Arc::clone(&self.door)
    }

    /// Which pages may read what is for viewers.
    pub(crate) fn cors(&self) -> CorsLayer {
        self.cors.clone()
    }

    /// `/k/`, `/gate` and `/v1/`.
    pub(crate) fn router(self) -> Router {
        let cors = self.cors.clone();
        let server = Arc::new(self);
        let keys = Router::new().route("/k/{kid}", get(viewer::key)).layer(cors);
        let operators = match &server.credentials {
            Some(_) => operators::router(&server),
            None => Router::new(),
        };
        let gate = Router::new().route("/gate", get(gate::gate));
        keys.merge(gate).merge(operators).with_state(server)
    }
}

/// Which pages may read keys. Cookies are for named origins only (Fetch standard, 3.2.5).
fn cors(origins: &[String], tokens: bool) -> Result<CorsLayer, KeyServerError> {
    let cors = CorsLayer::new()
        .allow_methods([Method::GET, Method::HEAD])
        .allow_headers([header::AUTHORIZATION, header::RANGE])
        .expose_headers([header::CONTENT_LENGTH, header::RETRY_AFTER])
        .max_age(PREFLIGHT);
    if origins.iter().any(|origin| origin == "*") {
        return Ok(cors.allow_origin(Any));
    }
    let named: Result<Vec<HeaderValue>, KeyServerError> =
        origins.iter().map(|text| origin(text)).collect();
    Ok(cors.allow_origin(AllowOrigin::list(named?)).allow_credentials(tokens))
}

fn origin(text: &str) -> Result<HeaderValue, KeyServerError> {
    let header = HeaderValue::from_str(text).ok().filter(|_| is_origin(text) && text != "*");
    header.ok_or_else(|| KeyServerError::Origin(text.to_owned()))
}

/// Whether this is `*`, or scheme and host as browsers send them (RFC 6454, 6.2).
pub fn is_origin(text: &str) -> bool {
    let strange = |c: char| !c.is_ascii_graphic() || c.is_ascii_uppercase() || "/?#@*".contains(c);
    match text.split_once("://") {
        Some(("http" | "https", host)) => !host.is_empty() && !host.contains(strange),
        _ => text == "*",
    }
}

/// Unix seconds.
fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
