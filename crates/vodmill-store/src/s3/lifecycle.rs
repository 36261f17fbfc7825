//! What a bucket does with old objects by itself: rules of its lifecycle configuration.
//!
//! S3 keeps one configuration for a bucket and replaces it whole. Rules that are not ours stay as
//! they are; ours are told by the beginning of their ids.

use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, ExpirationStatus,
    LifecycleRule as S3Rule, LifecycleRuleAndOperator, LifecycleRuleFilter, Tag, Transition,
    TransitionDefaultMinimumObjectSize, TransitionStorageClass,
};
use serde_json::{Value, json};

use super::bucket::Bucket;
use super::client::block;
use super::failure::{FailureKind, RequestFailure};
use crate::error::Result;

/// A rule for objects below a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LifecycleRule {
    /// Its name in the bucket.
    pub id: String,
    /// Of keys; all objects without one.
    pub prefix: String,
    /// What is done.
    pub action: RuleAction,
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleAction {
    /// Objects change their storage class.
    Move {
        /// Only objects with this tag.
        tag: (String, String),
        /// Only objects of more bytes.
        larger_than: u64,
        /// Days after they were made.
        days: u32,
        /// The class.
        class: String,
    },
    /// Uploads that were begun and never finished are aborted.
    Abort {
        /// Days after they were begun.
        days: u32,
    },
}

/// What became of rules that were applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Whether the bucket had others.
    pub changed: bool,
    /// Rules in the bucket that are not ours.
    pub others: usize,
}

/// A configuration as S3 has it.
struct Found {
    rules: Vec<S3Rule>,
    smallest: Option<TransitionDefaultMinimumObjectSize>,
}

impl LifecycleRule {
    /// As PutBucketLifecycleConfiguration takes it in JSON.
    pub fn json(&self) -> Value {
        let mut rule = json!({ "ID": self.id, "Status": "Enabled" });
        match &self.action {
            RuleAction::Move { tag: (key, value), larger_than, days, class } => {
                let tag = json!({ "Key": key, "Value": value });
                let mut all = json!({ "Tags": [tag], "ObjectSizeGreaterThan": larger_than });
                if !self.prefix.is_empty() {
                    all["Prefix"] = self.prefix.as_str().into();
                }
                rule["Filter"] = json!({ "And": all });
                rule["Transitions"] = json!([{ "Days": days, "StorageClass": class }]);
            }
            RuleAction::Abort { days } => {
                rule["Filter"] = json!({ "Prefix": self.prefix });
                rule["AbortIncompleteMultipartUpload"] = json!({ "DaysAfterInitiation": days });
            }
        }
        rule
    }

    fn build(&self) -> Result<S3Rule, aws_sdk_s3::error::BuildError> {
        let rule = S3Rule::builder().id(&self.id).status(ExpirationStatus::Enabled);
        let days = |days: u32| i32::try_from(days).unwrap_or(i32::MAX);
        match &self.action {
            RuleAction::Move { tag: (key, value), larger_than, days: after, class } => {
                let prefix = Some(self.prefix.clone()).filter(|prefix| !prefix.is_empty());
                let larger_than = i64::try_from(*larger_than).unwrap_or(i64::MAX);
                let all = LifecycleRuleAndOperator::builder()
                    .set_prefix(prefix)
                    .tags(Tag::builder().key(key).value(value).build()?)
                    .object_size_greater_than(larger_than);
                let class = TransitionStorageClass::from(class.as_str());
                let transition = Transition::builder().days(days(*after)).storage_class(class);
                rule.filter(LifecycleRuleFilter::builder().and(all.build()).build())
                    .transitions(transition.build())
                    .build()
            }
            RuleAction::Abort { days: after } => {
                let abort = AbortIncompleteMultipartUpload::builder();
                let abort = abort.days_after_initiation(days(*after)).build();
                rule.filter(LifecycleRuleFilter::builder().prefix(&self.prefix).build())
                    .abort_incomplete_multipart_upload(abort)
                    .build()
            }
        }
    }
}

impl Bucket {
    /// Makes these the only rules of the bucket whose ids begin with `ours`; all others stay. Who
    /// changes the configuration in the same moment is not seen: S3 has no condition for it.
    ///
    /// # Errors
    /// [`crate::StoreError::Remote`], also where the bucket does not say afterwards what it was told.
    pub fn apply_lifecycle(&self, ours: &str, rules: &[LifecycleRule]) -> Result<Applied> {
        block(self.apply_now(ours, rules))
            .map_err(|failure| self.error("set the lifecycle rules of", "", failure))
    }

    async fn apply_now(
        &self,
        ours: &str,
        rules: &[LifecycleRule],
    ) -> Result<Applied, RequestFailure> {
        let broken =
            |error| RequestFailure::ours(FailureKind::Lasting, "NotSent", format!("{error}"));
        let built: Vec<S3Rule> =
            rules.iter().map(LifecycleRule::build).collect::<Result<_, _>>().map_err(broken)?;
        let found = self.lifecycle().await?;
        let is_ours = |rule: &S3Rule| rule.id().is_some_and(|id| id.starts_with(ours));
        let (there, others): (Vec<_>, Vec<_>) = found.rules.into_iter().partition(is_ours);
        let applied = Applied { changed: !same(&there, rules), others: others.len() };
        if !applied.changed {
            return Ok(applied);
        }
        let all: Vec<S3Rule> = others.into_iter().chain(built).collect();
        if all.is_empty() {
            self.forget_lifecycle().await?;
        } else {
            self.put_lifecycle(all, found.smallest).await?;
        }
        let (there, left): (Vec<_>, Vec<_>) =
            self.lifecycle().await?.rules.into_iter().partition(is_ours);
        if same(&there, rules) && left.len() == applied.others {
            return Ok(applied);
        }
        let words = "the bucket has other rules than it was told, or somebody else sets them too";
        Err(RequestFailure::ours(FailureKind::Lasting, "NotKept", words))
    }

    async fn lifecycle(&self) -> Result<Found, RequestFailure> {
        let send = || async {
            let request = self.inner.client.get_bucket_lifecycle_configuration();
            request.bucket(self.name()).send().await.map_err(RequestFailure::from)
        };
        match self.try_hard(0, send).await {
            Ok(answer) => Ok(Found {
                rules: answer.rules().to_vec(),
                smallest: answer.transition_default_minimum_object_size().cloned(),
            }),
            // NoSuchLifecycleConfiguration is a 404; a bucket that is not there is none.
            Err(failure) if failure.kind == FailureKind::NotFound => {
                Ok(Found { rules: Vec::new(), smallest: None })
            }
            Err(failure) => Err(failure),
        }
    }

    async fn put_lifecycle(
        &self,
        rules: Vec<S3Rule>,
        smallest: Option<TransitionDefaultMinimumObjectSize>,
    ) -> Result<(), RequestFailure> {
        let broken =
            |error| RequestFailure::ours(FailureKind::Lasting, "NotSent", format!("{error}"));
        let all = BucketLifecycleConfiguration::builder().set_rules(Some(rules));
        let all = all.build().map_err(broken)?;
        let send = || async {
            let request = self.inner.client.put_bucket_lifecycle_configuration();
            let request = request.bucket(self.name()).lifecycle_configuration(all.clone());
            let request = request.set_transition_default_minimum_object_size(smallest.clone());
            request.send().await.map(drop).map_err(RequestFailure::from)
        };
        self.try_hard(0, send).await
    }

    async fn forget_lifecycle(&self) -> Result<(), RequestFailure> {
        let send = || async {
            let request = self.inner.client.delete_bucket_lifecycle();
            request.bucket(self.name()).send().await.map(drop).map_err(RequestFailure::from)
        };
        self.try_hard(0, send).await
    }
}

/// Whether the bucket has just these rules, in whichever order and however it writes them.
fn same(there: &[S3Rule], wanted: &[LifecycleRule]) -> bool {
    let there: Vec<_> = there.iter().filter_map(read).collect();
    there.len() == wanted.len() && wanted.iter().all(|rule| there.contains(rule))
}

/// A rule that could be ours.
fn read(rule: &S3Rule) -> Option<LifecycleRule> {
    let number = |days: Option<i32>| u32::try_from(days?).ok();
    let (filter, id) = (rule.filter()?, rule.id()?.to_owned());
    if *rule.status() != ExpirationStatus::Enabled {
        return None;
    }
    if let Some(abort) = rule.abort_incomplete_multipart_upload() {
        let prefix = filter.prefix().unwrap_or_default().to_owned();
        let days = number(abort.days_after_initiation())?;
        return Some(LifecycleRule { id, prefix, action: RuleAction::Abort { days } });
    }
    let (all, [transition]) = (filter.and()?, rule.transitions()) else { return None };
    let [tag] = all.tags() else { return None };
    let action = RuleAction::Move {
        tag: (tag.key().to_owned(), tag.value().to_owned()),
        larger_than: u64::try_from(all.object_size_greater_than()?).ok()?,
        days: number(transition.days())?,
        class: transition.storage_class()?.as_str().to_owned(),
    };
    Some(LifecycleRule { id, prefix: all.prefix().unwrap_or_default().to_owned(), action })
}
