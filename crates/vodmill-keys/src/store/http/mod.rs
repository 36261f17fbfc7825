//! Keys kept by another key server, asked over REST.

pub mod wire;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use vodmill_http::http::{Response, StatusCode};
use vodmill_http::{Agent, Authorities, Body};
use vodmill_secret::SecretError;

use super::{GenerationKeys, KeyStore, KeyStoreError, StoredKey};
use crate::key::Kid;
use crate::set::KeySet;

/// The longest answer that is read: the largest key set has some 11 MB.
const MAX_ANSWER: u64 = 16 << 20;

/// What stays as it is in the value of a query (RFC 3986, 2.3).
const QUERY_VALUE: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How often a question is asked in all.
const ATTEMPTS: u32 = 3;

/// The pause before the second time; it doubles.
const PAUSE: Duration = Duration::from_millis(200);

/// Which key server, and how it is asked.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Its URL, up to the `/v1`.
    pub url: String,
    /// File with the secret that goes with every request as a bearer token.
    pub credential: PathBuf,
    /// Certificates to trust in place of the usual ones, in PEM.
    pub authorities: Option<PathBuf>,
    /// How long one attempt may take.
    pub timeout: Duration,
}

/// Why an external key server did not do what it was asked. No secret is in it.
#[derive(Debug, thiserror::Error)]
pub enum HttpKeyStoreError {
    /// A file of the settings.
    #[error(transparent)]
    File(#[from] SecretError),
    /// A file of authorities without any.
    #[error("{0} holds no certificate")]
    NoCertificate(PathBuf),
    /// The URL cannot be used.
    #[error("{0:?} is not a URL such as https://keys.example.org")]
    Url(String),
    /// It did not answer.
    #[error("{operation}: the key server does not answer")]
    Away {
        /// What was asked.
        operation: &'static str,
        /// What went wrong.
        source: Box<vodmill_http::Error>,
    },
    /// It said no.
    #[error("{operation}: the key server says {status}: {reason}")]
    Refused {
        /// What was asked.
        operation: &'static str,
        /// The HTTP status.
        status: u16,
        /// What it said about it.
        reason: String,
    },
    /// Its answer cannot be used.
    #[error("{operation}: the answer of the key server cannot be used: {reason}")]
    Answer {
        /// What was asked.
        operation: &'static str,
        /// What is wrong with it; nothing of the answer itself.
        reason: String,
    },
}

/// A [`KeyStore`] that is another key server. Every call asks it; nothing is kept here.
pub struct HttpKeyStore {
    agent: Agent,
    url: String,
    bearer: String,
}

impl HttpKeyStore {
    /// Reads the files of the settings; asks nothing yet.
    ///
    /// # Errors
    /// [`HttpKeyStoreError::File`], [`HttpKeyStoreError::NoCertificate`], [`HttpKeyStoreError::Url`].
    pub fn open(settings: &HttpSettings) -> Result<HttpKeyStore, HttpKeyStoreError> {
        let url = settings.url.trim_end_matches('/').to_owned();
        let usable = url.starts_with("https://") || url.starts_with("http://");
        if !usable || url.contains(['?', '#', '@']) || !url.bytes().all(|it| it.is_ascii_graphic())
        {
            return Err(HttpKeyStoreError::Url(settings.url.clone()));
        }
        let secret = vodmill_secret::read(&settings.credential)?;
        let authorities = match &settings.authorities {
            Some(path) => authorities_of(path)?,
            None => Authorities::of_system(),
        };
        let agent = vodmill_http::agent(authorities, settings.timeout);
        Ok(HttpKeyStore { agent, url, bearer: format!("Bearer {}", secret.trim()) })
    }

    fn get<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &str,
    ) -> Result<Option<T>, KeyStoreError> {
        let request = || {
            let request = self.agent.get(format!("{}{path}", self.url));
            request.header("authorization", &self.bearer).call()
        };
        match ask(operation, request) {
            Err(Answer::Fault(status, _)) if status == StatusCode::NOT_FOUND => Ok(None),
            answer => answer.map(Some).map_err(|answer| answer.into_error(operation)),
        }
    }

    fn post<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Answer> {
        let body = serde_json::to_vec(body).map_err(|error| Answer::Unusable(error.to_string()))?;
        ask(operation, || {
            let request = self.agent.post(format!("{}{path}", self.url));
            let request = request.header("authorization", &self.bearer);
            request.header("content-type", "application/json").send(&body[..])
        })
    }
}

impl KeyStore for HttpKeyStore {
    /// What counts is what it says when it is asked again: only keys that it has confirmed so are
    /// encrypted with.
    fn put(&self, asset: &str, generation: &str, keys: KeySet) -> Result<KeySet, KeyStoreError> {
        const OPERATION: &str = "keep keys";
        keys.check()?;
        let proposed = wire::Set { expires: None, ..wire::Set::new(asset, generation, &keys) };
        let answer: wire::Set = self
            .post(OPERATION, "/v1/keys", &proposed)
            .map_err(|answer| answer.into_error(OPERATION))?;
        let kept = checked(OPERATION, answer, asset, generation)?;
        let confirmed = self.of_generation(asset, generation)?;
        match confirmed {
            Some(confirmed) if confirmed.periods == kept.periods => Ok(confirmed),
            _ => Err(unusable(OPERATION, "it does not know the keys that it has just given")),
        }
    }

    fn get(&self, kid: &Kid) -> Result<Option<StoredKey>, KeyStoreError> {
        let one: Option<wire::One> =
            HttpKeyStore::get(self, "find key", &format!("/v1/keys/{kid}"))?;
        Ok(one.map(StoredKey::from))
    }

    fn of_generation(
        &self,
        asset: &str,
        generation: &str,
    ) -> Result<Option<KeySet>, KeyStoreError> {
        const OPERATION: &str = "read keys";
        let asset_value = utf8_percent_encode(asset, QUERY_VALUE);
        let generation_value = utf8_percent_encode(generation, QUERY_VALUE);
        let path = format!("/v1/keys?asset={asset_value}&generation={generation_value}");
        let set: Option<wire::Set> = HttpKeyStore::get(self, OPERATION, &path)?;
        set.map(|set| checked(OPERATION, set, asset, generation)).transpose()
    }

    fn expire(&self, asset: &str, generation: &str, at: u64) -> Result<Option<u64>, KeyStoreError> {
        const OPERATION: &str = "expire keys";
        let order = wire::Revoke {
            asset: asset.to_owned(),
            generation: Some(generation.to_owned()),
            at: Some(at),
        };
        match self.post::<wire::Expiries>(OPERATION, "/v1/revoke", &order) {
            Ok(answer) => {
                let mut ended = answer.ended.into_iter();
                let ours = ended.find(|expiry| expiry.generation == generation);
                let ours = ours.ok_or_else(|| unusable(OPERATION, "it does not say when"))?;
                Ok(Some(ours.at))
            }
            Err(Answer::Fault(status, _)) if status == StatusCode::NOT_FOUND => Ok(None),
            Err(answer) => Err(answer.into_error(OPERATION)),
        }
    }

    fn rewrap(&self) -> Result<usize, KeyStoreError> {
        const OPERATION: &str = "wrap keys anew";
        let answer: wire::Rewrapped = self
            .post(OPERATION, "/v1/rewrap", &serde_json::json!({}))
            .map_err(|answer| answer.into_error(OPERATION))?;
        Ok(answer.rewrapped)
    }

    fn list(&self) -> Result<Vec<GenerationKeys>, KeyStoreError> {
        let listing: Option<wire::Listing> =
            HttpKeyStore::get(self, "list keys", "/v1/generations")?;
        let listing = listing.ok_or_else(|| unusable("list keys", "it has no such list"))?;
        let mut listed: Vec<_> = listing.generations.into_iter().map(Into::into).collect();
        listed.sort();
        Ok(listed)
    }
}

/// What came instead of an answer.
enum Answer {
    /// Another status than 200.
    Fault(StatusCode, Option<wire::Fault>),
    /// 200, but nothing that can be used.
    Unusable(String),
    /// None at all.
    Away(Box<vodmill_http::Error>),
}

impl Answer {
    /// Whether to ask once more may help.
    fn passes(&self) -> bool {
        match self {
            Answer::Fault(status, _) => {
                status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS
            }
            Answer::Unusable(_) => false,
            Answer::Away(_) => true,
        }
    }

    fn into_error(self, operation: &'static str) -> KeyStoreError {
        let error = match self {
            Answer::Fault(_, Some(wire::Fault { error, kid: Some(kid), .. }))
                if error == "kid_taken" =>
            {
                return KeyStoreError::KidTaken(Kid::from_bytes(kid.0));
            }
            Answer::Fault(_, Some(fault)) if fault.error == "bad_set" => {
                return KeyStoreError::BadSet;
            }
            Answer::Fault(status, fault) => {
                let reason = fault.map(|fault| fault.message);
                let reason = reason.unwrap_or_else(|| "it does not say why".to_owned());
                HttpKeyStoreError::Refused { operation, status: status.as_u16(), reason }
            }
            Answer::Unusable(reason) => HttpKeyStoreError::Answer { operation, reason },
            Answer::Away(source) => HttpKeyStoreError::Away { operation, source },
        };
        KeyStoreError::Backend(Box::new(error))
    }
}

/// Asks up to [`ATTEMPTS`] times. All questions may be repeated: what was done already is answered
/// as the first time.
fn ask<T: DeserializeOwned>(
    operation: &'static str,
    request: impl Fn() -> Result<Response<Body>, vodmill_http::Error>,
) -> Result<T, Answer> {
    let mut pause = PAUSE;
    for attempt in 1.. {
        let answer = request().map_err(|error| Answer::Away(Box::new(error))).and_then(read);
        match answer {
            Err(answer) if answer.passes() && attempt < ATTEMPTS => {
                tracing::debug!(operation, attempt, "key server asked again");
                thread::sleep(pause);
                pause *= 2;
            }
            answer => return answer,
        }
    }
    Err(Answer::Unusable("it was not asked".to_owned()))
}

fn read<T: DeserializeOwned>(mut response: Response<Body>) -> Result<T, Answer> {
    let status = response.status();
    let body = response.body_mut().with_config().limit(MAX_ANSWER).read_to_vec();
    let body = body.map_err(|error| match error {
        vodmill_http::Error::BodyExceedsLimit(most) => {
            Answer::Unusable(format!("it has more than {most} bytes"))
        }
        error => Answer::Away(Box::new(error)),
    })?;
    if status != StatusCode::OK {
        return Err(Answer::Fault(status, serde_json::from_slice(&body).ok()));
    }
    // serde's words name fields and places; values that are no strings too, but no key is a number.
    serde_json::from_slice(&body).map_err(|error| Answer::Unusable(error.to_string()))
}

/// A set that is of the right generation, and can be encrypted with.
fn checked(
    operation: &'static str,
    set: wire::Set,
    asset: &str,
    generation: &str,
) -> Result<KeySet, KeyStoreError> {
    if (set.asset.as_str(), set.generation.as_str()) != (asset, generation) {
        return Err(unusable(operation, "it is of another generation"));
    }
    let keys = set.keys();
    keys.check().map_err(|_| unusable(operation, "it has no keys, or one kid twice"))?;
    Ok(keys)
}

fn unusable(operation: &'static str, reason: &str) -> KeyStoreError {
    let reason = reason.to_owned();
    KeyStoreError::Backend(Box::new(HttpKeyStoreError::Answer { operation, reason }))
}

/// The certificates of a file, and no others.
fn authorities_of(path: &Path) -> Result<Authorities, HttpKeyStoreError> {
    let text = vodmill_secret::read_public(path)?;
    Authorities::from_pem(&text).ok_or_else(|| HttpKeyStoreError::NoCertificate(path.to_owned()))
}
