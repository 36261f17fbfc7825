//! A data key that AWS's key management service wraps: asked for once, at the start of a process.

use std::time::Duration;

use aws_sdk_kms::Client;
use aws_sdk_kms::config::http::HttpResponse;
use aws_sdk_kms::config::retry::RetryConfig;
use aws_sdk_kms::config::timeout::TimeoutConfig;
use aws_sdk_kms::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::DataKeySpec;
use tokio::runtime::{Builder, Runtime};
use vodmill_aws::Access;

/// What a wrapped key is bound to, and what shows in the log of the service.
const PURPOSE: (&str, &str) = ("vodmill", "key-encryption-key");

/// How long the service is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How often it is asked in all.
    pub attempts: u32,
    /// What one attempt may take.
    pub attempt: Duration,
    /// What all attempts may take, with the pauses between them.
    pub in_all: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        let (attempt, in_all) = (Duration::from_secs(5), Duration::from_secs(20));
        Limits { attempts: 6, attempt, in_all }
    }
}

/// Why the service gave no key.
#[derive(Debug, thiserror::Error)]
pub enum KmsError {
    /// No thread or file is left for it.
    #[error("start the client of the key management service")]
    Start(#[source] std::io::Error),
    /// It refused, did not answer, or answered what is no key.
    #[error("{operation} {key}: {code}: {cause}")]
    Request {
        /// What was asked for.
        operation: &'static str,
        /// The service's key.
        key: String,
        /// The service's word for it, or ours.
        code: String,
        /// In words.
        cause: String,
    },
}

/// The service. Blocking; not to be called from async code.
#[derive(Debug)]
pub struct Kms {
    client: Client,
    runtime: Runtime,
}

/// A new data key. No Debug: half of it is a secret.
pub struct DataKey {
    /// The key: 32 bytes.
    pub clear: [u8; 32],
    /// As only the service can open it.
    pub wrapped: Vec<u8>,
}

impl Kms {
    /// With these credentials and region, at their endpoint; without one, at the endpoint that the
    /// environment names (`AWS_ENDPOINT_URL_KMS`, say), else AWS's.
    ///
    /// # Errors
    /// [`KmsError::Start`].
    pub fn open(access: &Access, limits: Limits) -> Result<Kms, KmsError> {
        let runtime =
            Builder::new_current_thread().enable_all().build().map_err(KmsError::Start)?;
        let shared = runtime.block_on(vodmill_aws::sdk_config(access));
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(limits.attempt)
            .operation_timeout(limits.in_all);
        let config = aws_sdk_kms::config::Builder::from(&shared)
            .retry_config(RetryConfig::standard().with_max_attempts(limits.attempts))
            .timeout_config(timeouts.build())
            .build();
        Ok(Kms { client: Client::from_conf(config), runtime })
    }

    /// A new 256-bit key, wrapped under the service's key `id` (GenerateDataKey).
    ///
    /// # Errors
    /// [`KmsError::Request`].
    pub fn generate(&self, id: &str) -> Result<DataKey, KmsError> {
        const OPERATION: &str = "make a data key under";
        let request = self
            .client
            .generate_data_key()
            .key_id(id)
            .key_spec(DataKeySpec::Aes256)
            .encryption_context(PURPOSE.0, PURPOSE.1);
        let answer = self.runtime.block_on(request.send());
        let answer = answer.map_err(|error| failed(OPERATION, id, &error))?;
        let wrapped = answer.ciphertext_blob.map(Blob::into_inner).unwrap_or_default();
        let clear = clear_key(OPERATION, id, answer.plaintext)?;
        Ok(DataKey { clear, wrapped })
    }

    /// The key that [`generate`](Kms::generate) wrapped under `id` (Decrypt).
    ///
    /// # Errors
    /// [`KmsError::Request`].
    pub fn unwrap(&self, id: &str, wrapped: &[u8]) -> Result<[u8; 32], KmsError> {
        const OPERATION: &str = "open a data key with";
        let request = self
            .client
            .decrypt()
            .key_id(id)
            .ciphertext_blob(Blob::new(wrapped))
            .encryption_context(PURPOSE.0, PURPOSE.1);
        let answer = self.runtime.block_on(request.send());
        let answer = answer.map_err(|error| failed(OPERATION, id, &error))?;
        clear_key(OPERATION, id, answer.plaintext)
    }
}

fn clear_key(
    operation: &'static str,
    id: &str,
    answer: Option<Blob>,
) -> Result<[u8; 32], KmsError> {
    let bytes = answer.map(Blob::into_inner).unwrap_or_default();
    bytes.try_into().map_err(|_| {
        let (code, cause) = ("Corrupt".to_owned(), "not 32 bytes".to_owned());
        KmsError::Request { operation, key: id.to_owned(), code, cause }
    })
}

fn failed<E>(operation: &'static str, id: &str, error: &SdkError<E, HttpResponse>) -> KmsError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let (code, cause) = match error {
        SdkError::ServiceError(answer) => {
            let cause = answer.err().message().map(str::to_owned);
            (answer.err().code().unwrap_or("Refused"), cause.unwrap_or_else(|| root_cause(error)))
        }
        SdkError::TimeoutError(_) => ("Timeout", root_cause(error)),
        SdkError::DispatchFailure(failure) if failure.is_io() || failure.is_timeout() => {
            ("Unreachable", root_cause(error))
        }
        SdkError::ResponseError(_) => ("BadAnswer", root_cause(error)),
        _ => ("NotSent", not_sent(error)),
    };
    KmsError::Request { operation, key: id.to_owned(), code: code.to_owned(), cause }
}

/// Why nothing was sent, and what to do about it where that is known.
fn not_sent<E>(error: &SdkError<E, HttpResponse>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let words = DisplayErrorContext(error).to_string();
    if words.contains("redential") {
        return "there are no credentials to sign with: set AWS_ACCESS_KEY_ID and \
                AWS_SECRET_ACCESS_KEY, a profile, or a role for this machine"
            .to_owned();
    }
    if words.contains("egion must be set") {
        return "it is not known which region to ask: set `region` in [s3] of vodmill.toml, \
                AWS_REGION, or a profile that has one"
            .to_owned();
    }
    root_cause(error)
}

/// What the innermost error says: those around it only say that something failed.
fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
