//! The objects of one bucket, by their raw keys.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::{ChecksumMode, ChecksumType, Delete, ObjectIdentifier};
use vodmill_fault::point;

use super::capabilities::Capabilities;
use super::client::{block, client};
use super::digest::{Checksum, bare};
use super::failure::{FailureKind, RequestFailure};
use super::settings::S3Settings;
use crate::Headers;
use crate::error::{Result, StoreError};

/// The slowest that bytes may move before a try counts as failed.
const SLOWEST: u64 = 128 * 1024;

/// The pause after the first failed try; it trebles up to `LONGEST_PAUSE`.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// As many objects as one DeleteObjects takes.
const DELETE_AT_ONCE: usize = 1000;

/// The objects of one bucket. Its methods block, and must not be called from async code; a clone is
/// the same bucket.
#[derive(Clone)]
pub struct Bucket {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) name: String,
    pub(super) client: Arc<Client>,
    pub(super) settings: S3Settings,
    pub(super) capabilities: OnceLock<Capabilities>,
    /// Held while the bucket is tried out, so that it is done once.
    pub(super) probing: Mutex<()>,
}

/// What is known about an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its key.
    pub key: String,
    /// Its size.
    pub bytes: u64,
    /// Its ETag, without quotes.
    pub etag: String,
    /// Its version, in a bucket that keeps versions; not in a listing.
    pub version: Option<String>,
    /// When it was written.
    pub modified: Option<SystemTime>,
    /// Its storage class, where it is not the standard one.
    pub storage_class: Option<String>,
    /// The checksum that S3 has of the whole object; not in a listing.
    pub checksum: Option<Checksum>,
    /// What readers are told; not in a listing.
    pub headers: Headers,
    /// The mark that a copy was given; not in a listing.
    pub mark: Option<String>,
}

/// Metadata with the mark of a copy.
pub(super) const MARK: &str = "vodmill-copy";

impl std::fmt::Debug for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Bucket").field(&self.inner.name).finish()
    }
}

impl Bucket {
    /// The bucket `name`, reached as `settings` say; the same one for every caller of the process.
    /// Nothing is sent yet.
    pub fn open(name: &str, settings: &S3Settings) -> Bucket {
        type Buckets = BTreeMap<(String, S3Settings), Bucket>;
        static BUCKETS: Mutex<Buckets> = Mutex::new(Buckets::new());
        // A map is whole whenever a panic can happen.
        let mut buckets = BUCKETS.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || Bucket {
            inner: Arc::new(Inner {
                name: name.to_owned(),
                client: client(settings),
                settings: settings.clone(),
                capabilities: OnceLock::new(),
                probing: Mutex::new(()),
            }),
        };
        buckets.entry((name.to_owned(), settings.clone())).or_insert_with(make).clone()
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// What is known about the object `key`, if there is one.
    ///
    /// # Errors
    /// [`StoreError::Remote`].
    pub fn head(&self, key: &str) -> Result<Option<ObjectInfo>> {
        match block(self.head_now(key)) {
            Ok(head) => Ok(Some(info_of(key, &head))),
            Err(failure) if failure.kind == FailureKind::NotFound => Ok(None),
            Err(failure) => Err(self.error("look at", key, failure)),
        }
    }

    /// Removes the object `key`; none there is no error.
    ///
    /// # Errors
    /// [`StoreError::Remote`].
    pub fn delete(&self, key: &str) -> Result<()> {
        let send = || async {
            let request = self.inner.client.delete_object().bucket(self.name()).key(key);
            request.send().await.map(drop).map_err(RequestFailure::from)
        };
        match block(self.try_hard(0, send)) {
            Err(failure) if failure.kind != FailureKind::NotFound => {
                Err(self.error("remove", key, failure))
            }
            _ => Ok(()),
        }
    }

    /// Removes the object `key` if it is the one with this ETag (without quotes); another one is
    /// left where it is. Servers that know no condition for this are asked what is there first,
    /// which leaves a moment in between.
    ///
    /// # Errors
    /// [`StoreError::Remote`].
    pub fn delete_if(&self, key: &str, etag: &str) -> Result<()> {
        let is_same = |info: Option<ObjectInfo>| info.is_some_and(|info| info.etag == etag);
        if !is_same(self.head(key)?) {
            return Ok(());
        }
        let send = || async {
            let request = self.inner.client.delete_object().bucket(self.name()).key(key);
            let request = request.if_match(format!("\"{etag}\""));
            request.send().await.map(drop).map_err(RequestFailure::from)
        };
        match block(self.try_hard(0, send)) {
            Ok(()) => point!("s3.removed")
                .map_err(|error| self.error("remove", key, RequestFailure::at_point(error))),
            Err(failure) => match (failure.kind, failure.error.status) {
                // Gone, or another one by now.
                (FailureKind::NotFound, _) | (_, Some(409 | 412)) => Ok(()),
                (_, Some(400 | 501)) if is_same(self.head(key)?) => self.delete(key),
                (_, Some(400 | 501)) => Ok(()),
                _ => Err(self.error("remove", key, failure)),
            },
        }
    }

    /// Removes these objects, a thousand at a time; those that are not there are no error.
    ///
    /// # Errors
    /// [`StoreError::Remote`] for the first that could not be removed.
    pub fn delete_many(&self, keys: &[String]) -> Result<()> {
        for some in keys.chunks(DELETE_AT_ONCE) {
            let deleted = block(self.try_hard(0, || self.delete_some(some)));
            let name = || format!("{} and {} more", some[0], some.len() - 1);
            deleted.map_err(|failure| self.error("remove", &name(), failure))?;
        }
        Ok(())
    }

    async fn delete_some(&self, keys: &[String]) -> Result<(), RequestFailure> {
        let failure =
            |error| RequestFailure::ours(FailureKind::Lasting, "NotSent", format!("{error}"));
        let identifiers: Vec<_> = keys
            .iter()
            .map(|key| ObjectIdentifier::builder().key(key).build())
            .collect::<Result<_, _>>()
            .map_err(failure)?;
        let delete = Delete::builder()
            .quiet(true)
            .set_objects(Some(identifiers))
            .build()
            .map_err(failure)?;
        let request = self.inner.client.delete_objects().bucket(self.name()).delete(delete);
        let answer = request.send().await?;
        // The status is 200 whatever became of each.
        match answer.errors().first() {
            None => Ok(()),
            Some(error) => {
                let message = error.message().unwrap_or("not removed");
                let words = format!("{}: {message}", error.key().unwrap_or_default());
                let code = error.code().unwrap_or("NotRemoved");
                let passing = matches!(code, "InternalError" | "SlowDown" | "ServiceUnavailable");
                let kind = if passing { FailureKind::Passing } else { FailureKind::Lasting };
                Err(RequestFailure::ours(kind, code, words))
            }
        }
    }

    pub(super) async fn head_now(&self, key: &str) -> Result<HeadObjectOutput, RequestFailure> {
        let send = || async {
            let request = self.inner.client.head_object().bucket(self.name()).key(key);
            request.checksum_mode(ChecksumMode::Enabled).send().await.map_err(RequestFailure::from)
        };
        self.try_hard(0, send).await
    }

    /// Sends until it goes well, or will not, or has been tried often enough. Each try has its time,
    /// which grows with the `bytes` that it moves.
    pub(super) async fn try_hard<T, F>(
        &self,
        bytes: u64,
        mut send: impl FnMut() -> F,
    ) -> Result<T, RequestFailure>
    where
        F: Future<Output = Result<T, RequestFailure>>,
    {
        let seconds = u64::from(self.inner.settings.timeout_seconds) + bytes / SLOWEST;
        let mut pause = FIRST_PAUSE;
        let mut unknown = false;
        for tries in 1.. {
            let tried = tokio::time::timeout(Duration::from_secs(seconds), send()).await;
            let mut failure = match tried.unwrap_or_else(|_| Err(RequestFailure::late(seconds))) {
                Ok(done) => return Ok(done),
                Err(failure) => failure,
            };
            unknown |= failure.kind == FailureKind::Unknown;
            failure.error.tries = tries;
            failure.after_unknown = unknown;
            if !failure.is_passing() || tries >= self.inner.settings.attempts.max(1) {
                return Err(failure);
            }
            tracing::debug!(bucket = self.name(), error = %failure.error, tries, "trying S3 again");
            tokio::time::sleep(pause.mul_f64(0.5 + rand::random::<f64>() / 2.0)).await;
            pause = (pause * 3).min(LONGEST_PAUSE);
        }
        unreachable!("the last try returns")
    }

    /// The object `key` in words.
    pub(super) fn object(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.name())
    }

    pub(super) fn error(
        &self,
        operation: &'static str,
        key: &str,
        failure: RequestFailure,
    ) -> StoreError {
        let object = self.object(key);
        match failure.kind {
            FailureKind::NotFound => StoreError::NotFound(object),
            FailureKind::Condition => StoreError::Changed(object),
            FailureKind::Archived => StoreError::Archived(object),
            _ => StoreError::Remote { operation, object, source: failure.error },
        }
    }
}

pub(super) fn info_of(key: &str, head: &HeadObjectOutput) -> ObjectInfo {
    // Where the type is not said, a checksum of parts is told by its `-N`, which is no base64.
    let whole = head.checksum_type() != Some(&ChecksumType::Composite);
    ObjectInfo {
        key: key.to_owned(),
        bytes: head.content_length().and_then(|bytes| bytes.try_into().ok()).unwrap_or(0),
        etag: bare(head.e_tag().unwrap_or_default()).to_owned(),
        version: head.version_id().map(str::to_owned),
        modified: head.last_modified().and_then(|time| (*time).try_into().ok()),
        storage_class: head.storage_class().map(|class| class.as_str().to_owned()),
        checksum: Checksum::read(head.checksum_crc64_nvme(), head.checksum_crc32(), whole),
        headers: Headers {
            content_type: head.content_type().map(str::to_owned),
            cache_control: head.cache_control().map(str::to_owned),
        },
        mark: head.metadata().and_then(|metadata| metadata.get(MARK)).cloned(),
    }
}
