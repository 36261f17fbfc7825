//! Objects in one request, with what the server answers held against what was sent.

use std::collections::HashMap;

use aws_sdk_s3::operation::put_object::PutObjectOutput;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::types::{ServerSideEncryption, StorageClass};
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use vodmill_fault::point;

use super::bucket::Bucket;
use super::client::block;
use super::digest::{bare, content_md5, crc64, etag_of_whole, md5, read_crc64, write_crc64};
use super::failure::{FailureKind, RequestFailure};
use super::settings::{Checksums, ObjectSettings, Sse};
use crate::Headers;
use crate::error::{Result, StoreError};

/// Metadata that tells the writers of a conditional put apart, so that one whose answer was lost
/// knows its own object.
const WRITER: &str = "vodmill-writer";

/// What goes with an object's bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PutOptions {
    /// What its readers are told.
    pub headers: Headers,
    /// How it is kept.
    pub settings: ObjectSettings,
    /// Metadata of the caller's own.
    pub metadata: HashMap<String, String>,
}

/// When a put is to happen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// Always.
    #[default]
    None,
    /// Where there is no object: [`StoreError::Exists`].
    New,
    /// Where the object has this ETag: [`StoreError::Changed`].
    Same(String),
}

/// An object that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its ETag, without quotes.
    pub etag: String,
    /// Its version, in a bucket that keeps versions.
    pub version: Option<String>,
}

/// What the server is to find in a body.
pub(super) struct Body {
    pub(super) bytes: Bytes,
    pub(super) crc64: u64,
    /// Computed only where it is sent or compared.
    pub(super) md5: Option<[u8; 16]>,
}

impl Body {
    pub(super) fn new(bytes: Bytes, with_md5: bool) -> Body {
        let md5 = with_md5.then(|| md5(&bytes));
        Body { crc64: crc64(&bytes), md5, bytes }
    }

    pub(super) fn length(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Whether the answer shows that these bytes arrived; an error where it shows that others did.
    pub(super) fn is_shown_by(
        &self,
        crc64: Option<&str>,
        etag: Option<&str>,
    ) -> Result<bool, RequestFailure> {
        if let Some(answered) = crc64.and_then(read_crc64) {
            let same = answered == self.crc64;
            return if same {
                Ok(true)
            } else {
                Err(RequestFailure::corrupt("it has another checksum"))
            };
        }
        match (&self.md5, etag) {
            (Some(md5), Some(etag)) => {
                let same = bare(etag) == etag_of_whole(md5);
                if same { Ok(true) } else { Err(RequestFailure::corrupt("it has another MD5")) }
            }
            _ => Ok(false),
        }
    }
}

impl Bucket {
    /// Stores `bytes` under `key`. Meant for what is not large.
    ///
    /// # Errors
    /// As [`Condition`] says; [`StoreError::Remote`].
    pub fn put(
        &self,
        key: &str,
        bytes: impl Into<Bytes>,
        options: &PutOptions,
        condition: &Condition,
    ) -> Result<Stored> {
        let body = Body::new(bytes.into(), self.uses_md5());
        match block(self.put_body(key, &body, options, condition)) {
            Err(failure)
                if failure.kind == FailureKind::Condition && *condition == Condition::New =>
            {
                Err(StoreError::Exists(self.object(key)))
            }
            stored => stored.map_err(|failure| self.error("put", key, failure)),
        }
    }

    /// Whether bodies are protected by MD5 rather than CRC-64.
    pub(super) fn uses_md5(&self) -> bool {
        let known = self.inner.capabilities.get();
        self.inner.settings.checksums == Checksums::RequiredOnly
            || known.is_some_and(|known| !known.checksums)
    }

    pub(super) async fn put_body(
        &self,
        key: &str,
        body: &Body,
        options: &PutOptions,
        condition: &Condition,
    ) -> Result<Stored, RequestFailure> {
        let writer = format!("{:032x}", rand::random::<u128>());
        let send = || async {
            let mut request = self.put_request(key, body, options);
            for (name, value) in &options.metadata {
                request = request.metadata(name, value);
            }
            request = match condition {
                Condition::None => request,
                Condition::New => request.if_none_match("*").metadata(WRITER, &writer),
                Condition::Same(etag) => {
                    request.if_match(format!("\"{etag}\"")).metadata(WRITER, &writer)
                }
            };
            // The body's digest stands in a signed header, so the body itself is not signed.
            let answer = request.customize().disable_payload_signing().send().await?;
            self.verify_put(key, body, &answer).await.map_err(|mut failure| {
                // The object is there now, so the condition could not hold again.
                failure.kind =
                    if *condition == Condition::None { failure.kind } else { FailureKind::Lasting };
                failure
            })?;
            Ok(stored(answer.e_tag(), answer.version_id()))
        };
        let stored = match self.try_hard(body.length(), send).await {
            Err(failure) if failure.kind == FailureKind::Condition && failure.after_unknown => {
                self.own_put(key, &writer, failure).await
            }
            tried => tried,
        }?;
        point!("s3.put.sent").map_err(RequestFailure::at_point)?;
        Ok(stored)
    }

    /// After a try whose answer was lost, the object that stands in the way may be our own.
    async fn own_put(
        &self,
        key: &str,
        writer: &str,
        failure: RequestFailure,
    ) -> Result<Stored, RequestFailure> {
        let head = self.head_now(key).await?;
        let is_ours = head.metadata().and_then(|all| all.get(WRITER)).is_some_and(|w| w == writer);
        if is_ours { Ok(stored(head.e_tag(), head.version_id())) } else { Err(failure) }
    }

    fn put_request(&self, key: &str, body: &Body, options: &PutOptions) -> PutObjectFluentBuilder {
        let kept = StorageHeaders::new(&options.settings);
        let request = self.inner.client.put_object().bucket(self.name()).key(key);
        let request = match &body.md5 {
            Some(md5) => request.content_md5(content_md5(md5)),
            None => request.checksum_crc64_nvme(write_crc64(body.crc64)),
        };
        request
            .body(body.bytes.clone().into())
            .set_content_type(options.headers.content_type.clone())
            .set_cache_control(options.headers.cache_control.clone())
            .set_storage_class(kept.storage_class)
            .set_server_side_encryption(kept.sse)
            .set_ssekms_key_id(kept.kms_key)
            .set_tagging(kept.tags)
    }

    /// A 200 alone proves nothing: some servers store what they misunderstood.
    async fn verify_put(
        &self,
        key: &str,
        body: &Body,
        answer: &PutObjectOutput,
    ) -> Result<(), RequestFailure> {
        // Objects that the server encrypts have ETags of their own kind.
        let known = self.inner.capabilities.get();
        let etag = answer.e_tag().filter(|_| known.is_some_and(|known| known.etag_is_md5));
        if body.is_shown_by(answer.checksum_crc64_nvme(), etag)? {
            return Ok(());
        }
        self.verify_by_reading(key, body.length(), body.crc64).await
    }
}

/// Unreserved characters (RFC 3986, 2.3) stay as they are.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// As it stands in a query, or in one part of a path.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

pub(super) fn stored(etag: Option<&str>, version: Option<&str>) -> Stored {
    Stored { etag: bare(etag.unwrap_or_default()).to_owned(), version: version.map(str::to_owned) }
}

/// [`ObjectSettings`] in the SDK's words.
pub(super) struct StorageHeaders {
    pub(super) storage_class: Option<StorageClass>,
    pub(super) sse: Option<ServerSideEncryption>,
    pub(super) kms_key: Option<String>,
    pub(super) tags: Option<String>,
}

impl StorageHeaders {
    pub(super) fn new(settings: &ObjectSettings) -> StorageHeaders {
        let tag =
            |(name, value): (&String, &String)| format!("{}={}", encoded(name), encoded(value));
        let tags: Vec<_> = settings.tags.iter().map(tag).collect();
        StorageHeaders {
            storage_class: settings.storage_class.as_deref().map(StorageClass::from),
            sse: settings.sse.map(|sse| match sse {
                Sse::Aes256 => ServerSideEncryption::Aes256,
                Sse::Kms => ServerSideEncryption::AwsKms,
            }),
            kms_key: settings.kms_key.clone(),
            tags: (!tags.is_empty()).then(|| tags.join("&")),
        }
    }
}
