//! An original that is an object of a bucket.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use vodmill_model::outcome::Reason;
use vodmill_model::{Failed, Rejected};
use vodmill_store::s3::{
    Bucket, Condition, Copying, ObjectInfo, ObjectVersion, PutOptions, S3Settings, Source,
};
use vodmill_store::{Headers, Key, Location, StoreError};

use super::names::fitted_in;
use super::{ReadAt, Unchecked};

/// An object and its state when it was submitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectOriginal {
    /// The bucket.
    pub bucket: String,
    /// The key, as the bucket has it.
    pub key: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its entity tag, without quotes.
    pub etag: String,
    /// Its version, in a bucket that keeps versions, if that is known.
    pub version: Option<String>,
}

impl ObjectOriginal {
    pub(super) fn source(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }

    pub(super) fn file_name(&self) -> &str {
        self.key.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
    }

    /// Not the version: a listing knows the entity tag alone, and both must find one job.
    pub(super) fn identity(&self) -> (Vec<u8>, String) {
        (self.source().into_bytes(), format!("{} {}", self.bytes, self.etag))
    }

    fn which(&self) -> ObjectVersion {
        ObjectVersion { etag: Some(self.etag.clone()), version: self.version.clone() }
    }

    pub(super) fn check_unchanged(&self, s3: &S3Settings) -> Result<(), Unchecked> {
        match Bucket::open(&self.bucket, s3).read(&self.key, &self.which(), 0..1) {
            Ok(_) => Ok(()),
            Err(StoreError::Changed(_) | StoreError::NotFound(_)) => {
                let detail =
                    format!("{} was replaced or taken away after it was accepted", self.source());
                Err(Rejected::new(Reason::Changed, detail).into())
            }
            Err(archived @ StoreError::Archived(_)) => {
                let stage = format!("read {}", self.file_name());
                Err(Unchecked::Lasting(Failed::from_error(stage, &archived)))
            }
            Err(error) => Err(Unchecked::Away(error)),
        }
    }

    /// A reader of just this content.
    pub(super) fn reader(&self, s3: &S3Settings) -> Arc<Ranges> {
        let bucket = Bucket::open(&self.bucket, s3);
        Arc::new(Ranges { bucket, object: self.clone(), fault: Mutex::default() })
    }

    /// Copies the object below `place`, then removes it, if it is still what it was. A note goes
    /// beside it, first, so that no crash leaves a refused object without its reason.
    pub(super) fn move_to(
        &self,
        s3: &S3Settings,
        place: &str,
        job: &str,
        note: Option<&str>,
        class: Option<&str>,
    ) -> Result<(), Failed> {
        self.try_move(s3, place, job, note, class).map_err(|error| {
            Failed::from_error(format!("move {} to {place}", self.source()), &error)
        })
    }

    fn try_move(
        &self,
        s3: &S3Settings,
        place: &str,
        job: &str,
        note: Option<&str>,
        class: Option<&str>,
    ) -> Result<(), StoreError> {
        let from = Bucket::open(&self.bucket, s3);
        let is_there = |info: Option<ObjectInfo>| info.is_some_and(|info| info.etag == self.etag);
        // Moved by an earlier attempt, taken away, or replaced: a replacement is a job of its own.
        if !is_there(from.head(&self.key)?) {
            return Ok(());
        }
        let (to, prefix) = bucket_at(place, s3)?;
        let (key, is_copied) = self.place_in(&to, &prefix, job)?;
        if let Some(note) = note {
            put_note(&to, &prefix, &key, note)?;
        }
        if !is_copied {
            let source =
                Source { bucket: self.bucket.clone(), key: self.key.clone(), which: self.which() };
            let how =
                Copying { storage_class: class.map(str::to_owned), mark: Some(job.to_owned()) };
            to.copy(&source, &key, &how)?;
        }
        from.delete_if(&self.key, &self.etag)
    }

    /// Where it may be after publication, the likeliest first.
    pub(super) fn places(&self, done: Option<&str>, job: &str) -> Vec<(String, String)> {
        let mut places = Vec::new();
        if let Some(Ok(Location::Bucket { bucket, prefix })) = done.map(Location::parse) {
            let (prefix, name) = (folder(prefix), self.file_name());
            let names = [own_name(name, job, &prefix), in_prefix(&prefix, name, "")];
            places.extend(names.map(|name| (bucket.clone(), format!("{prefix}{name}"))));
        }
        places.push((self.bucket.clone(), self.key.clone()));
        places
    }

    /// The key to copy to, and whether an earlier attempt has: its own name, unless another
    /// original has it, then with the mark of its job. Only what is known to be this very content
    /// counts as the copy, since the original is removed next.
    fn place_in(&self, to: &Bucket, prefix: &str, job: &str) -> Result<(String, bool), StoreError> {
        let name = self.file_name();
        let plain = format!("{prefix}{}", in_prefix(prefix, name, ""));
        match to.head(&plain)? {
            None => Ok((plain, false)),
            Some(there) if self.is_copy(&there, job) => Ok((plain, true)),
            Some(_) => {
                let own = format!("{prefix}{}", own_name(name, job, prefix));
                let is_copied = to.head(&own)?.is_some_and(|there| there.bytes == self.bytes);
                Ok((own, is_copied))
            }
        }
    }

    /// Whether an object is the copy that an earlier attempt at `job` made. One that was uploaded in
    /// parts, or is encrypted with KMS, has another ETag as a copy.
    fn is_copy(&self, there: &ObjectInfo, job: &str) -> bool {
        let is_known = there.mark.as_deref() == Some(job) || there.etag == self.etag;
        is_known && there.bytes == self.bytes
    }
}

/// The bucket of a location, and its prefix with a `/` at its end.
fn bucket_at(place: &str, s3: &S3Settings) -> Result<(Bucket, String), StoreError> {
    match Location::parse(place)? {
        Location::Bucket { bucket, prefix } => Ok((Bucket::open(&bucket, s3), folder(prefix))),
        Location::Folder(_) => Err(StoreError::BadLocation {
            location: place.to_owned(),
            why: "originals of a bucket stay in buckets",
        }),
    }
}

/// A prefix with a `/` at its end; nothing of nothing.
fn folder(prefix: Option<Key>) -> String {
    prefix.map(|prefix| format!("{prefix}/")).unwrap_or_default()
}

/// Bytes of the longest key.
const LONGEST: usize = 1024;

/// The name of an original where another has its own.
fn own_name(name: &str, job: &str, prefix: &str) -> String {
    in_prefix(prefix, name, &format!(".{}", job.get(..8).unwrap_or(job)))
}

/// A name with a mark before its extension, with room for what else may be added to it.
fn in_prefix(prefix: &str, name: &str, mark: &str) -> String {
    let longest = LONGEST.saturating_sub(prefix.len());
    fitted_in(longest, name.as_ref(), mark, "").to_string_lossy().into_owned()
}

/// Puts the reason beside a refused object; nothing that is there already is replaced.
fn put_note(to: &Bucket, prefix: &str, key: &str, note: &str) -> Result<(), StoreError> {
    let headers = Headers {
        content_type: Some("text/plain; charset=utf-8".to_owned()),
        ..Headers::default()
    };
    let options = PutOptions { headers, ..PutOptions::default() };
    let longest = LONGEST.saturating_sub(prefix.len());
    let name = key.strip_prefix(prefix).unwrap_or(key);
    for number in 1..=MOST_NOTES {
        let end = if number == 1 { REASON.to_owned() } else { format!(".{number}{REASON}") };
        let name = fitted_in(longest, name.as_ref(), "", &end);
        let place = format!("{prefix}{}", name.to_string_lossy());
        match to.put(&place, note.as_bytes().to_vec(), &options, &Condition::New) {
            // An earlier attempt wrote it; else it is another's, or an original of that name.
            Err(StoreError::Exists(_)) => match to.head(&place)? {
                Some(there)
                    if there.bytes == note.len() as u64 && to.get(&place)?.0 == note.as_bytes() =>
                {
                    return Ok(());
                }
                _ => {}
            },
            put => return put.map(drop),
        }
    }
    Err(StoreError::Exists(format!("{key}{REASON}")))
}

/// Reasons of originals of one name.
const MOST_NOTES: u32 = 1000;

/// What the object with the reason of a refusal ends in.
const REASON: &str = ".reason.txt";

/// Ranges of one content of one object.
pub(super) struct Ranges {
    bucket: Bucket,
    object: ObjectOriginal,
    /// Why the last read that failed did so.
    fault: Mutex<Option<String>>,
}

impl Ranges {
    /// Why a read failed, if one did.
    pub(super) fn fault(&self) -> Option<String> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ReadAt for Ranges {
    fn bytes(&self) -> u64 {
        self.object.bytes
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let range = offset..offset.saturating_add(length as u64);
        let read = self.bucket.read(&self.object.key, &self.object.which(), range);
        let bytes = read.map_err(|error| {
            let words = in_words(&error);
            *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(words.clone());
            io::Error::other(words)
        })?;
        match bytes.len() == length {
            true => Ok(bytes),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// An error with what caused it.
fn in_words(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", in_words(cause)),
        None => error.to_string(),
    }
}
