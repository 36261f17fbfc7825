//! [`Store`] on a prefix of a bucket.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::bucket::Bucket;
use super::multipart::Unfinished;
use super::put::{Condition, PutOptions};
use super::read::ObjectVersion;
use super::settings::{ObjectSettings, S3Settings};
use super::upload::PutFile;
use crate::error::{Result, StoreError};
use crate::local::check_size;
use crate::{Entry, Expected, Headers, Key, PendingUpload, PutOutcome, Store, Upload};

/// Files that are sent at a time. Their bytes are bounded apart.
const AT_ONCE: usize = 24;

/// Objects under a prefix of a bucket. The first write tries the bucket out, and refuses a server
/// that cannot be trusted with objects.
#[derive(Clone, Debug)]
pub struct S3Store {
    bucket: Bucket,
    /// Empty, or ends with `/`.
    prefix: String,
    objects: ObjectSettings,
}

impl S3Store {
    /// The store under `prefix` of the bucket `bucket`. Sends nothing.
    pub fn new(
        bucket: &str,
        prefix: Option<&Key>,
        settings: &S3Settings,
        objects: &ObjectSettings,
    ) -> S3Store {
        S3Store {
            bucket: Bucket::open(bucket, settings),
            prefix: prefix.map(|prefix| format!("{prefix}/")).unwrap_or_default(),
            objects: objects.clone(),
        }
    }

    /// The bucket.
    pub fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    /// The key of the bucket's object for `key`.
    pub fn raw_key(&self, key: &Key) -> String {
        format!("{}{key}", self.prefix)
    }

    fn options(&self, headers: &Headers) -> PutOptions {
        PutOptions {
            headers: headers.clone(),
            settings: self.objects.clone(),
            ..PutOptions::default()
        }
    }

    /// Refuses a bucket that is not fit to be written to, before the first byte.
    fn ready(&self) -> Result<super::capabilities::Capabilities> {
        self.bucket.capabilities(&self.prefix)
    }

    /// The object below `key` as the store's key, which a folder's marker has not.
    fn key_of(&self, raw: &str) -> Option<Key> {
        Key::new(raw.strip_prefix(&self.prefix)?).ok()
    }

    /// Whether an earlier call took the file: then its object is there.
    fn was_taken(&self, upload: &Upload) -> Result<bool> {
        if upload.file.exists() {
            return Ok(false);
        }
        let there = self.bucket.head(&self.raw_key(&upload.key))?;
        Ok(there.is_some_and(|info| info.bytes == upload.bytes))
    }

    fn is_as(&self, raw: &str, expected: &Expected) -> Result<bool> {
        let there = self.bucket.head(raw)?.map(|info| info.etag);
        Ok(match expected {
            Expected::Nothing => there.is_none(),
            Expected::Version(etag) => there.as_ref() == Some(etag),
        })
    }

    fn put_file(&self, upload: &Upload) -> PutFile {
        let mut options = self.options(&upload.headers);
        if upload.bulk {
            options.settings.tags.extend(self.objects.bulk_tags.clone());
        }
        PutFile {
            key: self.raw_key(&upload.key),
            file: upload.file.clone(),
            bytes: upload.bytes,
            options,
        }
    }
}

impl Store for S3Store {
    fn put(&self, key: &Key, bytes: &[u8], headers: &Headers) -> Result<()> {
        self.ready()?;
        let (raw, options) = (self.raw_key(key), self.options(headers));
        self.bucket.put(&raw, bytes.to_vec(), &options, &Condition::None).map(drop)
    }

    fn put_if(
        &self,
        key: &Key,
        bytes: &[u8],
        headers: &Headers,
        expected: &Expected,
    ) -> Result<PutOutcome> {
        let known = self.ready()?;
        let (raw, options) = (self.raw_key(key), self.options(headers));
        let condition = match expected {
            Expected::Nothing if known.if_none_match => Condition::New,
            Expected::Version(etag) if known.if_match => Condition::Same(etag.clone()),
            // The next best where the server ignores conditions; `claims_hold` says so.
            _ if self.is_as(&raw, expected)? => Condition::None,
            _ => return Ok(PutOutcome::Refused),
        };
        match self.bucket.put(&raw, bytes.to_vec(), &options, &condition) {
            Err(StoreError::Exists(_) | StoreError::Changed(_) | StoreError::NotFound(_)) => {
                Ok(PutOutcome::Refused)
            }
            put => put.map(|_| PutOutcome::Stored),
        }
    }

    fn put_files(&self, files: &[Upload]) -> Result<()> {
        let mut waiting = Vec::new();
        for upload in files {
            if !self.was_taken(upload)? {
                check_size(upload)?;
                waiting.push(self.put_file(upload));
            }
        }
        if waiting.is_empty() {
            return Ok(());
        }
        self.ready()?;
        self.bucket.put_files(waiting, AT_ONCE, |put, _| {
            fs::remove_file(&put.file).map_err(StoreError::io("remove", put.file.display()))
        })
    }

    fn get(&self, key: &Key) -> Result<Vec<u8>> {
        self.bucket.get(&self.raw_key(key)).map(|(bytes, _)| bytes)
    }

    fn get_version(&self, key: &Key) -> Result<(Vec<u8>, Expected)> {
        let (bytes, etag) = self.bucket.get(&self.raw_key(key))?;
        Ok((bytes, Expected::Version(etag)))
    }

    fn get_file(&self, key: &Key, path: &Path) -> Result<()> {
        self.bucket.get_to_file(&self.raw_key(key), &ObjectVersion::default(), path).map(drop)
    }

    fn file(&self, _key: &Key) -> Option<PathBuf> {
        None
    }

    fn list(&self, prefix: &Key) -> Result<Vec<Entry>> {
        let objects = self.bucket.list(&format!("{}/", self.raw_key(prefix)))?;
        let entry = |object: super::bucket::ObjectInfo| {
            Some(Entry { key: self.key_of(&object.key)?, bytes: object.bytes })
        };
        Ok(objects.into_iter().filter_map(entry).collect())
    }

    fn remove(&self, prefix: &Key) -> Result<()> {
        let folder = format!("{}/", self.raw_key(prefix));
        // First what could still become an object.
        self.bucket.abort_uploads(&folder)?;
        let objects = self.bucket.list(&folder)?;
        let keys: Vec<_> = objects.into_iter().map(|object| object.key).collect();
        self.bucket.delete_many(&keys)
    }

    fn remove_if(&self, key: &Key, expected: &Expected) -> Result<()> {
        match expected {
            Expected::Nothing => Ok(()),
            Expected::Version(etag) => self.bucket.delete_if(&self.raw_key(key), etag),
        }
    }

    fn remove_objects(&self, keys: &[Key]) -> Result<()> {
        let keys: HashSet<_> = keys.iter().map(|key| self.raw_key(key)).collect();
        self.bucket.delete_many(&keys.into_iter().collect::<Vec<_>>())
    }

    fn remove_unfinished(
        &self,
        prefix: Option<&Key>,
        is_over: &dyn Fn(&PendingUpload) -> bool,
    ) -> Result<()> {
        let below = prefix.map(|prefix| format!("{}/", self.raw_key(prefix)));
        let unfinished = self.bucket.unfinished(&below.unwrap_or_else(|| self.prefix.clone()))?;
        let begun = |upload: &Unfinished| {
            Some(PendingUpload { key: self.key_of(&upload.key)?, since: upload.begun })
        };
        let is_over = |upload: &Unfinished| begun(upload).is_some_and(|begun| is_over(&begun));
        self.bucket.abort_these(unfinished.into_iter().filter(is_over))
    }

    fn claims_hold(&self) -> bool {
        self.ready().is_ok_and(|known| known.if_none_match && known.if_match)
    }
}
