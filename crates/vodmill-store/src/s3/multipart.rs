//! The life of a multipart upload: begun, filled, joined; taken up again after a crash, or aborted.

use std::sync::Arc;
use std::time::SystemTime;

use aws_sdk_s3::operation::complete_multipart_upload::CompleteMultipartUploadOutput;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, MultipartUpload,
};

use vodmill_fault::point;

use super::bucket::{Bucket, info_of};
use super::client::block;
use super::digest::{Checksum, bare, content_md5, etag_of_whole, read_crc64, write_crc64};
use super::failure::{FailureKind, RequestFailure};
use super::put::{Body, PutOptions, StorageHeaders, Stored, stored};
use super::read::Stopped;
use super::upload::{Joined, Part, UploadJob, completed};
use crate::error::Result;

/// Earlier uploads of a key that are looked at.
const LOOK_AT: usize = 4;

/// A multipart upload that was begun and neither finished nor aborted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// The key of the object to be.
    pub key: String,
    /// S3's name for the upload.
    pub upload: String,
    /// When it was begun.
    pub begun: Option<SystemTime>,
}

impl Bucket {
    /// The unfinished uploads of keys that begin with `prefix`.
    ///
    /// # Errors
    /// [`crate::StoreError::Remote`].
    pub fn unfinished(&self, prefix: &str) -> Result<Vec<Unfinished>> {
        block(self.unfinished_now(prefix))
            .map_err(|failure| self.error("list the unfinished uploads of", prefix, failure))
    }

    /// Aborts the unfinished uploads of keys that begin with `prefix`; their parts are gone then.
    ///
    /// # Errors
    /// [`crate::StoreError::Remote`].
    pub fn abort_uploads(&self, prefix: &str) -> Result<()> {
        self.abort_these(self.unfinished(prefix)?)
    }

    /// Aborts these uploads; those that are not there are no error.
    pub(super) fn abort_these(&self, these: impl IntoIterator<Item = Unfinished>) -> Result<()> {
        for unfinished in these {
            block(self.abort(&unfinished.key, &unfinished.upload)).map_err(|failure| {
                self.error("abort an unfinished upload of", &unfinished.key, failure)
            })?;
        }
        Ok(())
    }

    pub(super) async fn put_large(&self, job: UploadJob) -> Result<Stored, Stopped> {
        let job = Arc::new(job);
        let mut earlier = self.earlier_uploads(&job.key).await?;
        let mut done = None;
        for (number, unfinished) in earlier.iter().enumerate() {
            if let Some(parts) = self.agreeing_parts(&job, &unfinished.upload).await? {
                done = self.go_on(&job, &unfinished.upload, parts).await?;
                if done.is_some() {
                    earlier.remove(number);
                }
                break;
            }
        }
        let stored = match done {
            Some(stored) => stored,
            None => {
                let upload = self.begin(&job.key, &job.options, !self.uses_md5()).await?;
                point!("s3.upload.begun").map_err(RequestFailure::at_point)?;
                self.finish(&job, &upload, Vec::new()).await?
            }
        };
        for unfinished in &earlier {
            // The object is stored; what is left over costs money, not truth.
            if let Err(failure) = self.abort(&unfinished.key, &unfinished.upload).await {
                tracing::warn!(key = job.key, error = %failure.error, "an old upload is left over");
            }
        }
        Ok(stored)
    }

    /// Finishes an earlier upload; nothing where it cannot be, or was begun with other headers,
    /// which no listing tells.
    async fn go_on(
        &self,
        job: &Arc<UploadJob>,
        upload: &str,
        there: Vec<Part>,
    ) -> Result<Option<Stored>, Stopped> {
        tracing::info!(key = job.key, parts = there.len(), "taking up an interrupted upload");
        let stored = match self.finish(job, upload, there).await {
            Ok(stored) => stored,
            Err(Stopped::Remote(failure)) if !failure.is_passing() => return Ok(None),
            Err(stopped) => return Err(stopped),
        };
        let info = info_of(&job.key, &self.head_now(&job.key).await?);
        let wanted = &job.options.headers;
        let same_type =
            wanted.content_type.is_none() || wanted.content_type == info.headers.content_type;
        let same_class = job.options.settings.storage_class.as_deref().unwrap_or("STANDARD")
            == info.storage_class.as_deref().unwrap_or("STANDARD");
        let same = same_type && same_class && wanted.cache_control == info.headers.cache_control;
        Ok(same.then_some(stored))
    }

    async fn finish(
        &self,
        job: &Arc<UploadJob>,
        upload: &str,
        there: Vec<Part>,
    ) -> Result<Stored, Stopped> {
        let parts = self.send_parts(job, upload, there).await?;
        point!("s3.upload.filled").map_err(RequestFailure::at_point)?;
        let finished = self.join_parts(&job.key, upload, &parts).await;
        if finished.as_ref().is_err_and(RequestFailure::is_corrupt) {
            // Nothing in it can be trusted, so the next call is not to take it up.
            let _ = self.abort(&job.key, upload).await;
        }
        let finished = finished?;
        point!("s3.upload.joined").map_err(RequestFailure::at_point)?;
        Ok(finished)
    }

    /// Uploads of `key` that were begun before, the latest first. A server or credentials that do
    /// not tell only cost the parts that could be taken up.
    async fn earlier_uploads(&self, key: &str) -> Result<Vec<Unfinished>, RequestFailure> {
        let mut uploads = match self.unfinished_now(key).await {
            Err(failure) if failure.is_denied() || failure.is_unsupported() => Vec::new(),
            uploads => uploads?,
        };
        uploads.retain(|unfinished| unfinished.key == key);
        uploads.sort_by_key(|unfinished| std::cmp::Reverse(unfinished.begun));
        uploads.truncate(LOOK_AT);
        Ok(uploads)
    }

    async fn unfinished_now(&self, prefix: &str) -> Result<Vec<Unfinished>, RequestFailure> {
        let mut found = Vec::new();
        let (mut key, mut upload) = (None, None);
        loop {
            let send = || async {
                let request = self.inner.client.list_multipart_uploads().bucket(self.name());
                let request = request.prefix(prefix).set_key_marker(key.clone());
                request
                    .set_upload_id_marker(upload.clone())
                    .send()
                    .await
                    .map_err(RequestFailure::from)
            };
            let page = self.try_hard(0, send).await?;
            found.extend(page.uploads().iter().filter_map(unfinished));
            key = page.next_key_marker().map(str::to_owned);
            upload = page.next_upload_id_marker().map(str::to_owned);
            if page.is_truncated() != Some(true) || key.is_none() {
                return Ok(found);
            }
        }
    }

    /// The parts of an earlier upload that hold what the file holds there; nothing where it has no
    /// such part, or one that cannot be this file's.
    async fn agreeing_parts(
        &self,
        job: &Arc<UploadJob>,
        upload: &str,
    ) -> Result<Option<Vec<Part>>, Stopped> {
        let listed = match self.parts_of(&job.key, upload).await {
            Err(failure) if failure.kind == FailureKind::NoUpload || !failure.is_passing() => {
                return Ok(None);
            }
            listed => listed?,
        };
        let mut parts = Vec::new();
        for (number, bytes, etag, crc64) in listed {
            if !job.numbers().contains(&number) || job.length_of(number) != bytes {
                return Ok(None);
            }
            let _permit = super::budget::reserve(bytes).await;
            let body = job.body(number, true).await.map_err(Stopped::File)?;
            let same = match crc64 {
                Some(crc64) => crc64 == body.crc64,
                None => body.md5.is_some_and(|md5| bare(&etag) == etag_of_whole(&md5)),
            };
            if same {
                parts.push(Part { number, bytes, etag, crc64: body.crc64, md5: body.md5 });
            }
        }
        Ok((!parts.is_empty()).then_some(parts))
    }

    async fn parts_of(
        &self,
        key: &str,
        upload: &str,
    ) -> Result<Vec<(i32, u64, String, Option<u64>)>, RequestFailure> {
        let mut parts = Vec::new();
        let mut marker = None;
        loop {
            let send = || async {
                let request = self.inner.client.list_parts().bucket(self.name()).key(key);
                let request = request.upload_id(upload).set_part_number_marker(marker.clone());
                request.send().await.map_err(RequestFailure::from)
            };
            let page = self.try_hard(0, send).await?;
            parts.extend(page.parts().iter().filter_map(|part| {
                let bytes = u64::try_from(part.size()?).ok()?;
                let crc64 = part.checksum_crc64_nvme().and_then(read_crc64);
                Some((part.part_number()?, bytes, part.e_tag()?.to_owned(), crc64))
            }));
            marker = page.next_part_number_marker().map(str::to_owned);
            if page.is_truncated() != Some(true) || marker.is_none() {
                return Ok(parts);
            }
        }
    }

    /// Begins an upload and says S3's name for it.
    pub(super) async fn begin(
        &self,
        key: &str,
        options: &PutOptions,
        with_crc: bool,
    ) -> Result<String, RequestFailure> {
        let send = || async {
            let kept = StorageHeaders::new(&options.settings);
            let request = self.inner.client.create_multipart_upload().bucket(self.name()).key(key);
            let request = request
                .set_content_type(options.headers.content_type.clone())
                .set_cache_control(options.headers.cache_control.clone())
                .set_metadata(Some(options.metadata.clone()))
                .set_storage_class(kept.storage_class)
                .set_server_side_encryption(kept.sse)
                .set_ssekms_key_id(kept.kms_key)
                .set_tagging(kept.tags)
                .set_checksum_algorithm(with_crc.then_some(ChecksumAlgorithm::Crc64Nvme))
                .set_checksum_type(with_crc.then_some(ChecksumType::FullObject));
            request.send().await.map_err(RequestFailure::from)
        };
        let answer = self.try_hard(0, send).await?;
        let nameless =
            || RequestFailure::ours(FailureKind::Lasting, "NoUploadId", "the upload has no name");
        answer.upload_id().map(str::to_owned).ok_or_else(nameless)
    }

    /// Sends one part and returns its ETag.
    pub(super) async fn put_part(
        &self,
        key: &str,
        upload: &str,
        number: i32,
        body: &Body,
    ) -> Result<String, RequestFailure> {
        let send = || async {
            let request = self.inner.client.upload_part().bucket(self.name()).key(key);
            let request = request.upload_id(upload).part_number(number);
            let request = match &body.md5 {
                Some(md5) => request.content_md5(content_md5(md5)),
                None => request.checksum_crc64_nvme(write_crc64(body.crc64)),
            };
            let request = request.body(body.bytes.clone().into());
            // The body's digest stands in a signed header, so the body itself is not signed.
            let answer = request.customize().disable_payload_signing().send().await?;
            let known = self.inner.capabilities.get();
            let etag = answer.e_tag().filter(|_| known.is_some_and(|known| known.etag_is_md5));
            // Where neither is answered, the whole is read back at the end.
            body.is_shown_by(answer.checksum_crc64_nvme(), etag)?;
            Ok(answer.e_tag().unwrap_or_default().to_owned())
        };
        self.try_hard(body.length(), send).await
    }

    /// Joins the parts, and makes sure of the object.
    async fn join_parts(
        &self,
        key: &str,
        upload: &str,
        parts: &[Part],
    ) -> Result<Stored, RequestFailure> {
        let whole = Joined::of(parts);
        match self.complete(key, upload, parts, &whole, !self.uses_md5()).await {
            Ok(answer) => self.verify_joined(key, &whole, &answer).await,
            Err(failure) if failure.after_unknown || failure.kind == FailureKind::NoUpload => {
                // It may have been done all the same, by an earlier try or by another process.
                self.find_joined(key, &whole).await.ok_or(failure)
            }
            Err(failure) => Err(failure),
        }
    }

    pub(super) async fn complete(
        &self,
        key: &str,
        upload: &str,
        parts: &[Part],
        whole: &Joined,
        with_crc: bool,
    ) -> Result<CompleteMultipartUploadOutput, RequestFailure> {
        let list = parts.iter().map(|part| completed(part, with_crc)).collect();
        let list = CompletedMultipartUpload::builder().set_parts(Some(list)).build();
        let send = || async {
            let request = self.inner.client.complete_multipart_upload().bucket(self.name());
            let request = request.key(key).upload_id(upload).multipart_upload(list.clone());
            let request = request
                .set_checksum_crc64_nvme(with_crc.then(|| write_crc64(whole.crc64)))
                .set_checksum_type(with_crc.then_some(ChecksumType::FullObject));
            request.send().await.map_err(RequestFailure::from)
        };
        // Joining may take the server a good part of the time that moving the bytes took.
        self.try_hard(whole.bytes / 8, send).await
    }

    async fn verify_joined(
        &self,
        key: &str,
        whole: &Joined,
        answer: &CompleteMultipartUploadOutput,
    ) -> Result<Stored, RequestFailure> {
        let done = stored(answer.e_tag(), answer.version_id());
        let known = self.inner.capabilities.get();
        let etag_is_known = known.is_some_and(|known| known.etag_is_md5);
        let shown = match (answer.checksum_crc64_nvme().and_then(read_crc64), &whole.etag) {
            (Some(crc64), _) => Some(crc64 == whole.crc64),
            (None, Some(etag)) if etag_is_known => Some(*etag == done.etag),
            _ => None,
        };
        match shown {
            Some(true) => Ok(done),
            Some(false) => Err(RequestFailure::corrupt("the joined object has another checksum")),
            None => {
                self.verify_by_reading(key, whole.bytes, whole.crc64).await?;
                Ok(done)
            }
        }
    }

    /// The object, where it is there with these bytes.
    async fn find_joined(&self, key: &str, whole: &Joined) -> Option<Stored> {
        let head = self.head_now(key).await.ok()?;
        let info = info_of(key, &head);
        let same = info.bytes == whole.bytes
            && (info.checksum == Some(Checksum::Crc64(whole.crc64))
                || whole.etag.as_ref() == Some(&info.etag));
        same.then_some(Stored { etag: info.etag, version: info.version })
    }

    pub(super) async fn abort(&self, key: &str, upload: &str) -> Result<(), RequestFailure> {
        let send = || async {
            let request = self.inner.client.abort_multipart_upload().bucket(self.name());
            request.key(key).upload_id(upload).send().await.map(drop).map_err(RequestFailure::from)
        };
        match self.try_hard(0, send).await {
            Err(failure)
                if !matches!(failure.kind, FailureKind::NoUpload | FailureKind::NotFound) =>
            {
                Err(failure)
            }
            _ => Ok(()),
        }
    }
}

fn unfinished(upload: &MultipartUpload) -> Option<Unfinished> {
    Some(Unfinished {
        key: upload.key()?.to_owned(),
        upload: upload.upload_id()?.to_owned(),
        begun: upload.initiated().and_then(|time| (*time).try_into().ok()),
    })
}
