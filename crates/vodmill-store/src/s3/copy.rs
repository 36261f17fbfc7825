//! Copies that the server makes by itself, from the same bucket or another.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, MetadataDirective, StorageClass};
use tokio::task::JoinSet;
use vodmill_fault::point;

use super::bucket::{Bucket, MARK, ObjectInfo, info_of};
use super::client::block;
use super::failure::{FailureKind, RequestFailure};
use super::put::{PutOptions, Stored, encoded, stored};
use super::read::ObjectVersion;
use super::settings::ObjectSettings;
use crate::error::Result;

/// What CopyObject takes at most.
const WHOLE: u64 = 5 * 1024 * 1024 * 1024;

/// Bytes that one request copies of a larger object.
const PIECE: u64 = 512 * 1024 * 1024;

/// Pieces copied at a time.
const AT_ONCE: usize = 8;

/// A copy may be counted on to move as many bytes in the time that an upload takes for one.
const FASTER: u64 = 32;

/// How a copy is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copying {
    /// Its storage class; the bucket's own without one.
    pub storage_class: Option<String>,
    /// A mark by which the maker of a copy recognizes it: its ETag may be another than that of
    /// its source, of one that was uploaded in parts or is encrypted with KMS.
    pub mark: Option<String>,
}

/// An object to be copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its bucket; the credentials of the copying one must open it.
    pub bucket: String,
    /// Its key.
    pub key: String,
    /// Which one is meant.
    pub which: ObjectVersion,
}

impl Copying {
    /// The metadata of the source, with the mark.
    fn metadata(&self, head: &HeadObjectOutput) -> HashMap<String, String> {
        let mut metadata = head.metadata().cloned().unwrap_or_default();
        metadata.extend(self.mark.clone().map(|mark| (MARK.to_owned(), mark)));
        metadata
    }
}

impl Source {
    fn in_words(&self) -> String {
        let key: Vec<_> = self.key.split('/').map(encoded).collect();
        let version =
            self.which.version.as_ref().map(|version| format!("?versionId={}", encoded(version)));
        format!("{}/{}{}", self.bucket, key.join("/"), version.unwrap_or_default())
    }

    fn etag(&self) -> Option<String> {
        self.which.etag.as_ref().map(|etag| format!("\"{etag}\""))
    }
}

impl Bucket {
    /// Copies `from` to `key` of this bucket, headers and all. Sizes are compared, and checksums
    /// where S3 has both.
    ///
    /// # Errors
    /// [`crate::StoreError::NotFound`]; [`crate::StoreError::Changed`] where the source is not the
    /// one that is meant; [`crate::StoreError::Remote`].
    pub fn copy(&self, from: &Source, key: &str, how: &Copying) -> Result<Stored> {
        self.copy_in_pieces_above(WHOLE, from, key, how)
    }

    /// As [`Bucket::copy`], with another size from which on it is done in pieces; servers other than
    /// AWS may want a smaller one than 5 GiB.
    ///
    /// # Errors
    /// As [`Bucket::copy`].
    pub fn copy_in_pieces_above(
        &self,
        whole: u64,
        from: &Source,
        key: &str,
        how: &Copying,
    ) -> Result<Stored> {
        let origin = Bucket::open(&from.bucket, &self.inner.settings);
        let head = block(origin.head_now(&from.key))
            .map_err(|failure| origin.error("look at", &from.key, failure))?;
        let source = info_of(&from.key, &head);
        let copied = block(async {
            let done = if source.bytes <= whole {
                self.copy_whole(from, &head, key, how).await?
            } else {
                self.copy_pieces(from, &head, key, how).await?
            };
            self.verify_copy(&source, key).await?;
            point!("s3.copied").map_err(RequestFailure::at_point)?;
            Ok(done)
        });
        copied.map_err(|failure: RequestFailure| match failure.kind {
            FailureKind::Condition | FailureKind::Archived => {
                origin.error("copy", &from.key, failure)
            }
            _ => self.error("copy to", key, failure),
        })
    }

    async fn copy_whole(
        &self,
        from: &Source,
        head: &HeadObjectOutput,
        key: &str,
        how: &Copying,
    ) -> Result<Stored, RequestFailure> {
        let send = || async {
            let request = self.inner.client.copy_object().bucket(self.name()).key(key);
            let request = request
                .copy_source(from.in_words())
                .set_copy_source_if_match(from.etag())
                .set_storage_class(how.storage_class.as_deref().map(StorageClass::from));
            let request = match how.mark {
                None => request,
                // Metadata is replaced as a whole, so all of it is set.
                Some(_) => request
                    .metadata_directive(MetadataDirective::Replace)
                    .set_metadata(Some(how.metadata(head)))
                    .set_content_type(head.content_type().map(str::to_owned))
                    .set_cache_control(head.cache_control().map(str::to_owned))
                    .set_content_disposition(head.content_disposition().map(str::to_owned))
                    .set_content_encoding(head.content_encoding().map(str::to_owned))
                    .set_content_language(head.content_language().map(str::to_owned)),
            };
            let answer = request.send().await?;
            let etag = answer.copy_object_result().and_then(|result| result.e_tag());
            Ok(stored(etag, answer.version_id()))
        };
        self.try_hard(info_of(key, head).bytes / FASTER, send).await
    }

    async fn copy_pieces(
        &self,
        from: &Source,
        head: &HeadObjectOutput,
        key: &str,
        how: &Copying,
    ) -> Result<Stored, RequestFailure> {
        let source = &info_of(&from.key, head);
        let options = PutOptions {
            headers: source.headers.clone(),
            settings: ObjectSettings {
                storage_class: how.storage_class.clone(),
                ..ObjectSettings::default()
            },
            metadata: how.metadata(head),
        };
        let upload = self.begin(key, &options, false).await?;
        let copied = self.copy_all_pieces(from, source, key, &upload).await;
        if copied.is_err() {
            // The next attempt copies everything again, so these parts are of no use.
            let _ = self.abort(key, &upload).await;
        }
        copied
    }

    async fn copy_all_pieces(
        &self,
        from: &Source,
        source: &ObjectInfo,
        key: &str,
        upload: &str,
    ) -> Result<Stored, RequestFailure> {
        let from = Arc::new(Source {
            which: ObjectVersion { etag: Some(source.etag.clone()), ..from.which.clone() },
            ..from.clone()
        });
        let mut parts = Vec::new();
        let mut pieces = JoinSet::new();
        let panicked = |error| RequestFailure::corrupt(format!("the copy ended: {error}"));
        for (number, start) in (1..).zip((0..source.bytes).step_by(PIECE as usize)) {
            let end = (start + PIECE).min(source.bytes);
            if pieces.len() >= AT_ONCE
                && let Some(done) = pieces.join_next().await
            {
                parts.push(done.map_err(panicked)??);
            }
            let (bucket, from) = (self.clone(), from.clone());
            let (key, upload) = (key.to_owned(), upload.to_owned());
            pieces.spawn(async move {
                bucket.copy_piece(&from, &key, &upload, number, start..end).await
            });
        }
        while let Some(done) = pieces.join_next().await {
            parts.push(done.map_err(panicked)??);
        }
        parts.sort_by_key(CompletedPart::part_number);
        self.join_copies(key, upload, parts).await
    }

    async fn copy_piece(
        &self,
        from: &Source,
        key: &str,
        upload: &str,
        number: i32,
        range: std::ops::Range<u64>,
    ) -> Result<CompletedPart, RequestFailure> {
        let send = || async {
            let request = self.inner.client.upload_part_copy().bucket(self.name()).key(key);
            let request = request
                .upload_id(upload)
                .part_number(number)
                .copy_source(from.in_words())
                .set_copy_source_if_match(from.etag())
                .copy_source_range(format!("bytes={}-{}", range.start, range.end - 1));
            let answer = request.send().await?;
            let etag = answer.copy_part_result().and_then(|result| result.e_tag());
            let part = CompletedPart::builder().part_number(number);
            Ok(part.e_tag(etag.unwrap_or_default()).build())
        };
        self.try_hard((range.end - range.start) / FASTER, send).await
    }

    async fn join_copies(
        &self,
        key: &str,
        upload: &str,
        parts: Vec<CompletedPart>,
    ) -> Result<Stored, RequestFailure> {
        let list = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let send = || async {
            let request = self.inner.client.complete_multipart_upload().bucket(self.name());
            let request = request.key(key).upload_id(upload).multipart_upload(list.clone());
            let answer = request.send().await?;
            Ok(stored(answer.e_tag(), answer.version_id()))
        };
        match self.try_hard(WHOLE / FASTER, send).await {
            // An earlier try was done, and its answer lost; the copy is compared in any case.
            Err(failure) if failure.kind == FailureKind::NoUpload && failure.after_unknown => {
                let head = self.head_now(key).await?;
                Ok(stored(head.e_tag(), head.version_id()))
            }
            done => done,
        }
    }

    async fn verify_copy(&self, source: &ObjectInfo, key: &str) -> Result<(), RequestFailure> {
        let copy = info_of(key, &self.head_now(key).await?);
        let differ = match (source.checksum, copy.checksum) {
            (Some(one), Some(two)) => {
                std::mem::discriminant(&one) == std::mem::discriminant(&two) && one != two
            }
            _ => false,
        };
        if differ || copy.bytes != source.bytes {
            return Err(RequestFailure::corrupt("the copy is not as the source"));
        }
        Ok(())
    }
}
