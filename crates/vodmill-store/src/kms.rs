//! A data key that AWS's key management service wraps: asked for once, at the start of a process.

use aws_sdk_kms::Client;
use aws_sdk_kms::config::retry::RetryConfig;
use aws_sdk_kms::config::timeout::TimeoutConfig;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::DataKeySpec;
use std::time::Duration;

use crate::StoreError;
use crate::error::Result;
use crate::s3::{RequestFailure, S3Settings, block, sdk_config};

/// What a wrapped key is bound to, and what shows in the log of the service.
const PURPOSE: (&str, &str) = ("vodmill", "key-encryption-key");

/// How long the service is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// What one try may take.
    pub attempt: Duration,
    /// What all tries may take, with the pauses between them.
    pub in_all: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { attempt: Duration::from_secs(5), in_all: Duration::from_secs(20) }
    }
}

/// The service. Blocking; not to be called from async code.
#[derive(Debug)]
pub struct Kms {
    client: Client,
}

/// A new data key. No Debug: half of it is a secret.
pub struct DataKey {
    /// The key: 32 bytes.
    pub clear: [u8; 32],
    /// As only the service can open it.
    pub wrapped: Vec<u8>,
}

impl Kms {
    /// With credentials and region as for buckets, at the endpoint that the environment names
    /// (`AWS_ENDPOINT_URL_KMS`, say), else AWS's.
    pub fn open(settings: &S3Settings) -> Kms {
        // A server of buckets is none of keys.
        Kms::open_at(None, settings, Limits::default())
    }

    /// As [`open`](Kms::open), at this URL if there is one, and with other limits.
    pub fn open_at(url: Option<&str>, settings: &S3Settings, limits: Limits) -> Kms {
        let settings = S3Settings { endpoint: url.map(str::to_owned), ..settings.clone() };
        let shared = block(sdk_config(&settings));
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(limits.attempt);
        let timeouts = timeouts.operation_timeout(limits.in_all);
        let config = aws_sdk_kms::config::Builder::from(&shared)
            .retry_config(RetryConfig::standard().with_max_attempts(settings.attempts))
            .timeout_config(timeouts.build())
            .build();
        Kms { client: Client::from_conf(config) }
    }

    /// A new 256-bit key, wrapped under the service's key `id` (GenerateDataKey).
    ///
    /// # Errors
    /// [`StoreError::Remote`].
    pub fn generate(&self, id: &str) -> Result<DataKey> {
        let request = self.client.generate_data_key().key_id(id);
        let request = request.key_spec(DataKeySpec::Aes256);
        let request = request.encryption_context(PURPOSE.0, PURPOSE.1);
        let answer = block(request.send());
        let answer = answer.map_err(|error| remote("make a data key under", id, error.into()))?;
        let wrapped = answer.ciphertext_blob.map(Blob::into_inner).unwrap_or_default();
        let clear = key("make a data key under", id, answer.plaintext)?;
        Ok(DataKey { clear, wrapped })
    }

    /// The key that [`generate`](Kms::generate) wrapped under `id` (Decrypt).
    ///
    /// # Errors
    /// [`StoreError::Remote`].
    pub fn unwrap(&self, id: &str, wrapped: &[u8]) -> Result<[u8; 32]> {
        let request = self.client.decrypt().key_id(id).ciphertext_blob(Blob::new(wrapped));
        let request = request.encryption_context(PURPOSE.0, PURPOSE.1);
        let answer = block(request.send());
        let answer = answer.map_err(|error| remote("open a data key with", id, error.into()))?;
        key("open a data key with", id, answer.plaintext)
    }
}

fn key(operation: &'static str, id: &str, answer: Option<Blob>) -> Result<[u8; 32]> {
    let bytes = answer.map(Blob::into_inner).unwrap_or_default();
    let corrupt = |_| remote(operation, id, RequestFailure::corrupt("not 32 bytes"));
    bytes.try_into().map_err(corrupt)
}

fn remote(operation: &'static str, id: &str, failure: RequestFailure) -> StoreError {
    StoreError::Remote { operation, object: id.to_owned(), source: failure.error }
}
