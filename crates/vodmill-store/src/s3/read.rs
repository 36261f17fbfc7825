//! Reading: whole, in ranges, and into a file in many ranges side by side.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::types::{ChecksumMode, ChecksumType};
use bytes::Bytes;
use tokio::task::JoinSet;

use super::bucket::{Bucket, ObjectInfo, info_of};
use super::budget::reserve;
use super::client::block;
use super::digest::{Checksum, bare};
use super::failure::{FailureKind, RequestFailure};
use crate::access::create_private;
use crate::error::{Result, StoreError};

/// Bytes of one ranged GET.
pub(super) const PIECE: u64 = 8 * 1024 * 1024;

/// What `read` may be asked for without a size in advance.
const LARGEST_WHOLE: u64 = 64 * 1024 * 1024;

/// Which object is meant, among those that a key has had.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectVersion {
    /// The one with this ETag, without quotes.
    pub etag: Option<String>,
    /// The one with this version.
    pub version: Option<String>,
}

impl ObjectVersion {
    /// The object of `info`.
    pub fn of(info: &ObjectInfo) -> ObjectVersion {
        ObjectVersion { etag: Some(info.etag.clone()), version: info.version.clone() }
    }
}

impl Bucket {
    /// The bytes of the object `key`, at most 64 MiB, and its ETag without quotes.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Remote`].
    pub fn get(&self, key: &str) -> Result<(Vec<u8>, String)> {
        let any = ObjectVersion::default();
        let send = || self.read_once(key, &any, None);
        let (bytes, etag) = block(self.try_hard(LARGEST_WHOLE, send))
            .map_err(|failure| self.error("get", key, failure))?;
        Ok((bytes.into(), etag))
    }

    /// The bytes of the object `key` in `range`; fewer where the object ends earlier.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Changed`] where it is not `which`;
    /// [`StoreError::Remote`].
    pub fn read(&self, key: &str, which: &ObjectVersion, range: Range<u64>) -> Result<Vec<u8>> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        match block(self.read_now(key, which, range)) {
            // Nothing is after the end.
            Err(failure) if failure.error.status == Some(416) => Ok(Vec::new()),
            read => read.map(Vec::from).map_err(|failure| self.error("get", key, failure)),
        }
    }

    /// Writes the object `key` to the new file `path`, unsynced, and says what it was. Its size is
    /// compared, and the checksum of the whole where S3 has one.
    ///
    /// # Errors
    /// As [`Bucket::read`], and [`StoreError::Io`] for the file.
    pub fn get_to_file(&self, key: &str, which: &ObjectVersion, path: &Path) -> Result<ObjectInfo> {
        let head = block(self.head_now(key)).map_err(|failure| self.error("get", key, failure))?;
        let info = info_of(key, &head);
        if which.etag.as_ref().is_some_and(|etag| *etag != info.etag) {
            return Err(StoreError::Changed(self.object(key)));
        }
        let failure = |error| StoreError::io("write", path.display())(error);
        let file = Arc::new(create_private(path).map_err(failure)?);
        let filled = match block(self.fill(&info, &file)) {
            // What was spoilt on the way may arrive well the second time.
            Err(Stopped::Remote(failure)) if failure.is_corrupt() => block(self.fill(&info, &file)),
            filled => filled,
        };
        filled.map_err(|stopped| match stopped {
            Stopped::File(error) => StoreError::io("write", path.display())(error),
            Stopped::Remote(failure) => self.error("get", key, failure),
        })?;
        Ok(info)
    }

    /// Fills `file` with the object of `info`, in pieces.
    async fn fill(&self, info: &ObjectInfo, file: &Arc<File>) -> Result<(), Stopped> {
        let starts = (0..info.bytes).step_by(PIECE as usize);
        let ranges: Vec<_> = starts.map(|start| start..(start + PIECE).min(info.bytes)).collect();
        let mut sums = vec![info.checksum; ranges.len()];
        let mut pieces = JoinSet::new();
        for (number, range) in ranges.iter().cloned().enumerate() {
            let permit = reserve(range.end - range.start).await;
            let (bucket, info, file) = (self.clone(), info.clone(), file.clone());
            pieces.spawn(async move {
                let sum = bucket.fill_piece(&info, &file, range).await;
                drop(permit);
                sum.map(|sum| (number, sum))
            });
            while let Some(done) = pieces.try_join_next() {
                let (number, sum) = joined(done)?;
                sums[number] = sum;
            }
        }
        while let Some(done) = pieces.join_next().await {
            let (number, sum) = joined(done)?;
            sums[number] = sum;
        }
        compare(info, &ranges, &sums).map_err(Stopped::Remote)
    }

    async fn fill_piece(
        &self,
        info: &ObjectInfo,
        file: &Arc<File>,
        range: Range<u64>,
    ) -> Result<Option<Checksum>, Stopped> {
        let at = range.start;
        let read = self.read_now(&info.key, &ObjectVersion::of(info), range.clone()).await;
        let bytes = read.map_err(Stopped::Remote)?;
        if bytes.len() as u64 != range.end - range.start {
            let words = format!("{} bytes at {at} instead of all", bytes.len());
            return Err(Stopped::Remote(RequestFailure::corrupt(words)));
        }
        let (file, kind) = (file.clone(), info.checksum);
        let write = move || {
            file.write_all_at(&bytes, at)?;
            Ok(kind.map(|kind| kind.same_kind(&bytes)))
        };
        off_thread(write).await.map_err(Stopped::File)
    }

    pub(super) async fn read_now(
        &self,
        key: &str,
        which: &ObjectVersion,
        range: Range<u64>,
    ) -> Result<Bytes, RequestFailure> {
        let length = range.end - range.start;
        let read = self.try_hard(length, || self.read_once(key, which, Some(range.clone()))).await;
        read.map(|(bytes, _)| bytes)
    }

    async fn read_once(
        &self,
        key: &str,
        which: &ObjectVersion,
        range: Option<Range<u64>>,
    ) -> Result<(Bytes, String), RequestFailure> {
        let request = self.inner.client.get_object().bucket(self.name()).key(key);
        let limit = range.as_ref().map_or(LARGEST_WHOLE, |range| range.end - range.start);
        let is_whole = range.is_none();
        let answer = request
            .set_range(range.map(|range| format!("bytes={}-{}", range.start, range.end - 1)))
            .set_if_match(which.etag.as_ref().map(|etag| format!("\"{etag}\"")))
            .set_version_id(which.version.clone())
            .set_checksum_mode(is_whole.then_some(ChecksumMode::Enabled))
            .send()
            .await?;
        is_wanted(&answer, which, limit)?;
        let whole = answer.checksum_type() != Some(&ChecksumType::Composite) && is_whole;
        let sum = Checksum::read(answer.checksum_crc64_nvme(), answer.checksum_crc32(), whole);
        let etag = bare(answer.e_tag().unwrap_or_default()).to_owned();
        let body = answer.body.collect().await;
        let broken = |error| {
            RequestFailure::ours(FailureKind::Unknown, "Broken", format!("the body broke: {error}"))
        };
        let bytes = body.map_err(broken)?.into_bytes();
        match sum {
            Some(sum) if sum != sum.same_kind(&bytes) => {
                Err(RequestFailure::corrupt("the bytes are not those of its checksum"))
            }
            _ => Ok((bytes, etag)),
        }
    }

    /// Reads the object `key` back, piece by piece, and compares.
    pub(super) async fn verify_by_reading(
        &self,
        key: &str,
        length: u64,
        crc64: u64,
    ) -> Result<(), RequestFailure> {
        let mut sum = Checksum::Crc64(0).of_nothing();
        for start in (0..length).step_by(PIECE as usize) {
            let range = start..(start + PIECE).min(length);
            let piece = Box::pin(self.read_now(key, &ObjectVersion::default(), range)).await?;
            sum = sum.then(sum.same_kind(&piece), piece.len() as u64);
        }
        let head = Box::pin(self.head_now(key)).await?;
        let bytes = head.content_length().unwrap_or(-1);
        if sum == Checksum::Crc64(crc64) && u64::try_from(bytes) == Ok(length) {
            return Ok(());
        }
        Err(RequestFailure::corrupt("what is read back is not what was put"))
    }
}

/// Refuses an object that is not the one that was asked for, and one that is too large for memory:
/// not every server knows conditions and ranges.
fn is_wanted(
    answer: &GetObjectOutput,
    which: &ObjectVersion,
    limit: u64,
) -> Result<(), RequestFailure> {
    let changed = |etag: &String| bare(answer.e_tag().unwrap_or_default()) != etag;
    if which.etag.as_ref().is_some_and(changed) {
        return Err(RequestFailure::ours(FailureKind::Condition, "Changed", "it has another ETag"));
    }
    let length = answer.content_length().and_then(|length| u64::try_from(length).ok());
    if length.is_some_and(|length| length > limit) {
        let words = format!("{} bytes where at most {limit} were expected", length.unwrap_or(0));
        return Err(RequestFailure::ours(FailureKind::Lasting, "TooLarge", words));
    }
    Ok(())
}

/// Holds the checksum of the pieces against that of the object.
fn compare(
    info: &ObjectInfo,
    ranges: &[Range<u64>],
    sums: &[Option<Checksum>],
) -> Result<(), RequestFailure> {
    let Some(expected) = info.checksum else { return Ok(()) };
    let mut sum = expected.of_nothing();
    for (range, piece) in ranges.iter().zip(sums.iter().flatten()) {
        sum = sum.then(*piece, range.end - range.start);
    }
    if sum == expected {
        return Ok(());
    }
    Err(RequestFailure::corrupt("the bytes are not those of its checksum"))
}

/// What ended a transfer between a file and S3.
pub(super) enum Stopped {
    File(io::Error),
    Remote(RequestFailure),
}

impl From<RequestFailure> for Stopped {
    fn from(failure: RequestFailure) -> Stopped {
        Stopped::Remote(failure)
    }
}

/// Runs what blocks on a thread for it.
pub(super) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// The result of a task; a panic in it is an error of ours.
pub(super) fn joined<T>(
    done: Result<Result<T, Stopped>, tokio::task::JoinError>,
) -> Result<T, Stopped> {
    done.unwrap_or_else(|error| Err(Stopped::File(io::Error::other(error))))
}
