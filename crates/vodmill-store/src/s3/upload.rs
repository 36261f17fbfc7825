//! Files as objects: in one request where they are small, else in parts side by side.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_sdk_s3::types::CompletedPart;
use tokio::task::JoinSet;
use vodmill_fault::point;

use super::bucket::Bucket;
use super::budget::reserve;
use super::client::block;
use super::digest::{crc64_then, etag_of_parts, write_crc64};
use super::failure::RequestFailure;
use super::put::{Body, Condition, PutOptions, Stored};
use super::read::{Stopped, joined, off_thread};
use crate::error::{Result, StoreError};

/// A part, where the file has few enough of them.
const PART: u64 = 8 * 1024 * 1024;

/// Most parts of one object (S3).
const PARTS: u64 = 10_000;

const MIB: u64 = 1024 * 1024;

/// A file that is to become an object.
#[derive(Clone, Debug)]
pub struct PutFile {
    /// The object's key.
    pub key: String,
    /// The file.
    pub file: PathBuf,
    /// Its size; another one is an error.
    pub bytes: u64,
    /// What goes with it.
    pub options: PutOptions,
}

/// A file in the making of an object.
pub(super) struct UploadJob {
    pub(super) key: String,
    pub(super) file: Arc<File>,
    pub(super) bytes: u64,
    pub(super) part: u64,
    pub(super) options: PutOptions,
}

/// A part that the server has.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) number: i32,
    pub(super) bytes: u64,
    pub(super) etag: String,
    pub(super) crc64: u64,
    pub(super) md5: Option<[u8; 16]>,
}

/// The size of the parts of a file of `bytes`: a whole number of MiB.
pub fn part_size(bytes: u64) -> u64 {
    bytes.div_ceil(PARTS).div_ceil(MIB).saturating_mul(MIB).max(PART)
}

impl UploadJob {
    fn open(put: &PutFile) -> Result<UploadJob> {
        let name = || put.file.display();
        let file = File::open(&put.file).map_err(StoreError::io("open", name()))?;
        let length = file.metadata().map_err(StoreError::io("look at", name()))?.len();
        if length != put.bytes {
            let wrong = format!("{length} bytes instead of {}", put.bytes);
            return Err(StoreError::io("put", name())(io::Error::other(wrong)));
        }
        Ok(UploadJob {
            key: put.key.clone(),
            file: Arc::new(file),
            bytes: put.bytes,
            part: part_size(put.bytes),
            options: put.options.clone(),
        })
    }

    /// The numbers of its parts, from 1.
    pub(super) fn numbers(&self) -> std::ops::RangeInclusive<i32> {
        1..=i32::try_from(self.bytes.div_ceil(self.part)).unwrap_or(i32::MAX)
    }

    pub(super) fn length_of(&self, number: i32) -> u64 {
        self.part.min(self.bytes.saturating_sub(self.start_of(number)))
    }

    fn start_of(&self, number: i32) -> u64 {
        u64::try_from(number - 1).unwrap_or(0) * self.part
    }

    /// Reads a part, and its digests.
    pub(super) async fn body(&self, number: i32, with_md5: bool) -> io::Result<Body> {
        let (at, length) = (self.start_of(number), self.length_of(number));
        let file = self.file.clone();
        let read = move || {
            let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
            file.read_exact_at(&mut bytes, at)?;
            Ok(Body::new(bytes.into(), with_md5))
        };
        off_thread(read).await
    }
}

impl Bucket {
    /// Stores a file. What an earlier call of this key began and did not finish is taken up where
    /// its parts agree with the file, and removed where not: a key has one writer at a time, or
    /// several with the same bytes.
    ///
    /// # Errors
    /// [`StoreError::Io`] for the file, [`StoreError::Remote`]. The parts that arrived stay for the
    /// next call, until [`Bucket::abort_uploads`].
    pub fn put_file(&self, put: &PutFile) -> Result<Stored> {
        block(self.put_file_now(put))
    }

    /// Stores files, `at_once` side by side, and tells `done` of each, in any order. After an error
    /// it begins no other and returns the first.
    ///
    /// # Errors
    /// As [`Bucket::put_file`], and those of `done`.
    pub fn put_files(
        &self,
        files: Vec<PutFile>,
        at_once: usize,
        mut done: impl FnMut(&PutFile, Stored) -> Result<()>,
    ) -> Result<()> {
        let mut uploads = JoinSet::new();
        let mut waiting = files.into_iter();
        block(async {
            loop {
                while uploads.len() < at_once.max(1)
                    && let Some(put) = waiting.next()
                {
                    let bucket = self.clone();
                    uploads.spawn(async move { (bucket.put_file_now(&put).await, put) });
                }
                let Some(next) = uploads.join_next().await else { return Ok(()) };
                let panicked =
                    |error| StoreError::io("put to", self.name())(io::Error::other(error));
                let (stored, put) = next.map_err(panicked)?;
                done(&put, stored?)?;
            }
        })
    }

    pub(super) async fn put_file_now(&self, put: &PutFile) -> Result<Stored> {
        let job = UploadJob::open(put)?;
        let stored = match job.bytes {
            0..=PART => self.put_small(&job).await,
            _ => self.put_large(job).await,
        };
        stored.map_err(|stopped| self.stopped(stopped, &put.key, &put.file))
    }

    pub(super) fn stopped(&self, stopped: Stopped, key: &str, file: &Path) -> StoreError {
        match stopped {
            Stopped::File(error) => StoreError::io("read", file.display())(error),
            Stopped::Remote(failure) => self.error("put", key, failure),
        }
    }

    async fn put_small(&self, job: &UploadJob) -> Result<Stored, Stopped> {
        let _permit = reserve(job.bytes).await;
        let body = job.body(1, self.uses_md5()).await.map_err(Stopped::File)?;
        Ok(self.put_body(&job.key, &body, &job.options, &Condition::None).await?)
    }

    /// Sends the parts that are not in `there`; memory alone bounds how many at a time.
    pub(super) async fn send_parts(
        &self,
        job: &Arc<UploadJob>,
        upload: &str,
        there: Vec<Part>,
    ) -> Result<Vec<Part>, Stopped> {
        let mut parts = there;
        let has: Vec<_> = parts.iter().map(|part| part.number).collect();
        let mut sending = JoinSet::new();
        for number in job.numbers().filter(|number| !has.contains(number)) {
            let permit = reserve(job.length_of(number)).await;
            let (bucket, job, upload) = (self.clone(), job.clone(), upload.to_owned());
            sending.spawn(async move {
                let part = bucket.send_part(&job, &upload, number).await;
                drop(permit);
                part
            });
            while let Some(done) = sending.try_join_next() {
                parts.push(joined(done)?);
            }
        }
        while let Some(done) = sending.join_next().await {
            parts.push(joined(done)?);
        }
        parts.sort_by_key(|part| part.number);
        Ok(parts)
    }

    async fn send_part(&self, job: &UploadJob, upload: &str, number: i32) -> Result<Part, Stopped> {
        let body = job.body(number, self.uses_md5()).await.map_err(Stopped::File)?;
        let etag = self.put_part(&job.key, upload, number, &body).await?;
        point!("s3.part.sent").map_err(RequestFailure::at_point)?;
        let (bytes, crc64, md5) = (body.length(), body.crc64, body.md5);
        Ok(Part { number, bytes, etag, crc64, md5 })
    }
}

/// What the server is to have when all parts are joined.
pub(super) struct Joined {
    pub(super) bytes: u64,
    pub(super) crc64: u64,
    /// Where the parts' MD5 are known.
    pub(super) etag: Option<String>,
}

impl Joined {
    pub(super) fn of(parts: &[Part]) -> Joined {
        let crc = |crc, part: &Part| crc64_then(crc, part.crc64, part.bytes);
        let md5s: Option<Vec<_>> = parts.iter().map(|part| part.md5).collect();
        Joined {
            bytes: parts.iter().map(|part| part.bytes).sum(),
            // The checksum of no bytes is 0.
            crc64: parts.iter().fold(0, crc),
            etag: md5s.map(|md5s| etag_of_parts(&md5s)),
        }
    }
}

/// The part in the SDK's words.
pub(super) fn completed(part: &Part, with_crc: bool) -> CompletedPart {
    CompletedPart::builder()
        .part_number(part.number)
        .e_tag(&part.etag)
        .set_checksum_crc64_nvme(with_crc.then(|| write_crc64(part.crc64)))
        .build()
}
