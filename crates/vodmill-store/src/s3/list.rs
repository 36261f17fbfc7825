//! Listings: one request where that is enough, and many side by side where it is not.

use std::collections::VecDeque;

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::Object;
use tokio::task::JoinSet;

use super::bucket::{Bucket, ObjectInfo};
use super::client::block;
use super::digest::bare;
use super::failure::RequestFailure;
use crate::Headers;
use crate::error::Result;

/// Parts into which a listing of many objects is divided.
const SHARDS: usize = 16;

/// How many parts are listed at a time.
const AT_ONCE: usize = 16;

/// How often a part is looked into to divide it.
const LOOKS: usize = 12;

impl Bucket {
    /// The objects whose keys begin with `prefix`, in the order of their keys. Above a thousand, the
    /// folders below `prefix` are listed side by side.
    ///
    /// # Errors
    /// [`crate::StoreError::Remote`].
    pub fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>> {
        let listed = block(self.list_now(prefix));
        let mut objects = listed.map_err(|failure| self.error("list", prefix, failure))?;
        // Not every server lists in the order of bytes.
        objects.sort_by(|one, two| one.key.cmp(&two.key));
        objects.dedup_by(|one, two| one.key == two.key);
        Ok(objects)
    }

    async fn list_now(&self, prefix: &str) -> Result<Vec<ObjectInfo>, RequestFailure> {
        let first = self.page(prefix, None, None).await?;
        if first.is_truncated() != Some(true) {
            return Ok(objects_of(&first).collect());
        }
        let (shards, mut objects) = self.divide(prefix).await?;
        let mut waiting = VecDeque::from(shards);
        let mut listings = JoinSet::new();
        loop {
            while listings.len() < AT_ONCE
                && let Some(shard) = waiting.pop_front()
            {
                let bucket = self.clone();
                listings.spawn(async move { bucket.list_flat(&shard).await });
            }
            let Some(done) = listings.join_next().await else { return Ok(objects) };
            let panicked = |error| RequestFailure::corrupt(format!("the listing ended: {error}"));
            objects.extend(done.map_err(panicked)??);
        }
    }

    /// Prefixes that together hold what is below `prefix`, and the objects that are in none.
    async fn divide(&self, prefix: &str) -> Result<(Vec<String>, Vec<ObjectInfo>), RequestFailure> {
        let mut waiting = VecDeque::from([prefix.to_owned()]);
        let (mut shards, mut objects) = (Vec::new(), Vec::new());
        for _ in 0..LOOKS {
            if waiting.len() + shards.len() >= SHARDS {
                break;
            }
            let Some(shard) = waiting.pop_front() else { break };
            let page = self.page(&shard, Some("/"), None).await?;
            if page.is_truncated() == Some(true) {
                // Too many on this level to be worth looking at each.
                shards.push(shard);
                continue;
            }
            objects.extend(objects_of(&page));
            let folders = page.common_prefixes().iter();
            waiting.extend(folders.filter_map(|folder| folder.prefix().map(str::to_owned)));
        }
        shards.extend(waiting);
        Ok((shards, objects))
    }

    async fn list_flat(&self, prefix: &str) -> Result<Vec<ObjectInfo>, RequestFailure> {
        let mut objects = Vec::new();
        let mut next = None;
        loop {
            let page = self.page(prefix, None, next).await?;
            objects.extend(objects_of(&page));
            next = page.next_continuation_token().map(str::to_owned);
            if page.is_truncated() != Some(true) || next.is_none() {
                return Ok(objects);
            }
        }
    }

    async fn page(
        &self,
        prefix: &str,
        delimiter: Option<&str>,
        next: Option<String>,
    ) -> Result<ListObjectsV2Output, RequestFailure> {
        let send = || async {
            let request = self.inner.client.list_objects_v2().bucket(self.name()).prefix(prefix);
            let request = request.set_delimiter(delimiter.map(str::to_owned));
            request.set_continuation_token(next.clone()).send().await.map_err(RequestFailure::from)
        };
        self.try_hard(0, send).await
    }
}

fn objects_of(page: &ListObjectsV2Output) -> impl Iterator<Item = ObjectInfo> {
    page.contents().iter().filter_map(info)
}

fn info(object: &Object) -> Option<ObjectInfo> {
    let class = object.storage_class().map(|class| class.as_str().to_owned());
    Some(ObjectInfo {
        key: object.key()?.to_owned(),
        bytes: object.size().and_then(|bytes| bytes.try_into().ok()).unwrap_or(0),
        etag: bare(object.e_tag().unwrap_or_default()).to_owned(),
        version: None,
        modified: object.last_modified().and_then(|time| (*time).try_into().ok()),
        storage_class: class.filter(|class| class != "STANDARD"),
        checksum: None,
        headers: Headers::default(),
        mark: None,
    })
}
