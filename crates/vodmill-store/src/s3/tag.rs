//! Tags that objects get after they were stored.

use aws_sdk_s3::types::{Tag, Tagging};
use tokio::task::JoinSet;

use super::bucket::Bucket;
use super::client::block;
use super::failure::{FailureKind, RequestFailure};
use crate::error::Result;

/// Objects that are tagged at a time.
const AT_ONCE: usize = 16;

impl Bucket {
    /// Gives these objects a tag, beside those that they have, and says how many had it not. One
    /// that is gone is passed over.
    ///
    /// # Errors
    /// [`crate::StoreError::Remote`] for the first that could not be tagged.
    pub fn add_tag(&self, keys: &[String], tag: (&str, &str)) -> Result<u64> {
        block(self.tag_all(keys, tag)).map_err(|(key, failure)| self.error("tag", &key, failure))
    }

    async fn tag_all(
        &self,
        keys: &[String],
        tag: (&str, &str),
    ) -> Result<u64, (String, RequestFailure)> {
        let mut added = 0;
        let mut tasks = JoinSet::new();
        let mut waiting = keys.iter();
        loop {
            while tasks.len() < AT_ONCE
                && let Some(key) = waiting.next()
            {
                let (bucket, key) = (self.clone(), key.clone());
                let (name, value) = (tag.0.to_owned(), tag.1.to_owned());
                tasks.spawn(async move {
                    match bucket.tag_one(&key, &name, &value).await {
                        Err(failure) if failure.kind != FailureKind::NotFound => {
                            Err((key, failure))
                        }
                        tagged => Ok(tagged.unwrap_or(false)),
                    }
                });
            }
            let Some(done) = tasks.join_next().await else { return Ok(added) };
            let panicked =
                |error| (String::new(), RequestFailure::corrupt(format!("it ended: {error}")));
            added += u64::from(done.map_err(panicked)??);
        }
    }

    /// Whether it had the tag not.
    async fn tag_one(&self, key: &str, name: &str, value: &str) -> Result<bool, RequestFailure> {
        let broken =
            |error| RequestFailure::ours(FailureKind::Lasting, "NotSent", format!("{error}"));
        let get = || async {
            let request = self.inner.client.get_object_tagging().bucket(self.name()).key(key);
            request.send().await.map_err(RequestFailure::from)
        };
        let mut tags = self.try_hard(0, get).await?.tag_set;
        if tags.iter().any(|tag| tag.key() == name && tag.value() == value) {
            return Ok(false);
        }
        tags.retain(|tag| tag.key() != name);
        tags.push(Tag::builder().key(name).value(value).build().map_err(broken)?);
        let tagging = Tagging::builder().set_tag_set(Some(tags)).build().map_err(broken)?;
        let put = || async {
            let request = self.inner.client.put_object_tagging().bucket(self.name()).key(key);
            request.tagging(tagging.clone()).send().await.map(drop).map_err(RequestFailure::from)
        };
        self.try_hard(0, put).await.map(|()| true)
    }
}
