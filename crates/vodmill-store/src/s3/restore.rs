//! Objects in an archive: whether one is, and how it is asked back.
//!
//! Objects of GLACIER and DEEP_ARCHIVE, and those that INTELLIGENT_TIERING has moved to one of its
//! archive tiers, are listed and looked at as others are, but not read. RestoreObject makes a copy
//! for some days; of INTELLIGENT_TIERING it moves the object itself, for good. GLACIER_IR is no archive
//! in this sense: it is read at once.

use std::fmt;
use std::str::FromStr;

use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::{GlacierJobParameters, RestoreRequest};

use super::bucket::Bucket;
use super::client::block;
use super::failure::{FailureKind, RequestFailure};
use crate::error::Result;

/// Whether an object can be read, and why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// Its storage class.
    pub class: String,
    /// The archive tier that INTELLIGENT_TIERING has moved it to.
    pub tier: Option<String>,
    /// At which stage it is.
    pub stage: Stage,
}

/// At which stage an object is on its way out of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It is in no archive.
    Readable,
    /// It is archived, and no restore was requested.
    Archived,
    /// It was asked for, and is not there yet.
    Ongoing,
    /// There is a copy that can be read.
    Restored {
        /// Until when, in S3's words.
        until: Option<String>,
    },
}

/// How fast, and at which price, an object comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// The cheapest.
    Bulk,
    /// As the archive does it by itself.
    Standard,
    /// In minutes; not from deep archives.
    Expedited,
}

/// How an object is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestoreOptions {
    /// For how many days it can be read then; nothing for INTELLIGENT_TIERING, where it stays.
    pub days: Option<u32>,
    /// How fast.
    pub tier: Tier,
}

impl Archive {
    fn of(head: &HeadObjectOutput) -> Archive {
        let class = head.storage_class().map_or("STANDARD", |class| class.as_str()).to_owned();
        let tier = head.archive_status().map(|status| status.as_str().to_owned());
        let stage = match head.restore() {
            Some(told) if told.contains("ongoing-request=\"true\"") => Stage::Ongoing,
            Some(told) if told.contains("ongoing-request=\"false\"") => {
                Stage::Restored { until: expiry(told) }
            }
            _ if tier.is_some() || ["GLACIER", "DEEP_ARCHIVE"].contains(&class.as_str()) => {
                Stage::Archived
            }
            _ => Stage::Readable,
        };
        Archive { class, tier, stage }
    }

    /// Whether INTELLIGENT_TIERING has archived it: then it stays, once it is back.
    pub fn stays(&self) -> bool {
        self.class == "INTELLIGENT_TIERING"
    }

    /// Whether it is in the cheaper kind of archive, which has nothing expedited.
    pub fn is_deep(&self) -> bool {
        let deep = "DEEP_ARCHIVE";
        self.class == deep || self.tier.as_ref().is_some_and(|tier| tier.starts_with(deep))
    }

    /// How long a restore takes, as S3's documentation says.
    pub fn usual_time(&self, tier: Tier) -> &'static str {
        match (self.is_deep(), tier) {
            (false, Tier::Expedited) => "1 to 5 minutes",
            (false, Tier::Standard) => "3 to 5 hours",
            (false, Tier::Bulk) => "5 to 12 hours",
            (true, Tier::Bulk) => "48 hours",
            (true, _) => "12 hours",
        }
    }
}

/// The date of `ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"`.
fn expiry(told: &str) -> Option<String> {
    let (_, rest) = told.split_once("expiry-date=\"")?;
    rest.split_once('"').map(|(date, _)| date.to_owned())
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Tier::Bulk => "bulk",
            Tier::Standard => "standard",
            Tier::Expedited => "expedited",
        })
    }
}

impl FromStr for Tier {
    type Err = String;

    fn from_str(text: &str) -> Result<Tier, String> {
        let all = [Tier::Bulk, Tier::Standard, Tier::Expedited];
        let found = all.into_iter().find(|tier| tier.to_string() == text);
        found.ok_or_else(|| format!("{text:?} is not bulk, standard or expedited"))
    }
}

impl Bucket {
    /// Whether the object `key` can be read, if there is one.
    ///
    /// # Errors
    /// [`crate::StoreError::Remote`].
    pub fn archive(&self, key: &str) -> Result<Option<Archive>> {
        match block(self.head_now(key)) {
            Ok(head) => Ok(Some(Archive::of(&head))),
            Err(failure) if failure.kind == FailureKind::NotFound => Ok(None),
            Err(failure) => Err(self.error("look at", key, failure)),
        }
    }

    /// Asks for the archived object `key`. One that was asked for before is no error: it may come
    /// faster by a faster tier, and one that is there already stays as many days from now.
    ///
    /// # Errors
    /// [`crate::StoreError::NotFound`]; [`crate::StoreError::Archived`] where S3 restores nothing of
    /// its class; [`crate::StoreError::Remote`].
    pub fn restore(&self, key: &str, options: &RestoreOptions) -> Result<()> {
        match block(self.try_hard(0, || self.restore_once(key, options))) {
            Err(failure) if is_told_already(&failure) => Ok(()),
            asked => asked.map_err(|failure| self.error("restore", key, failure)),
        }
    }

    async fn restore_once(
        &self,
        key: &str,
        options: &RestoreOptions,
    ) -> Result<(), RequestFailure> {
        let tier = match options.tier {
            Tier::Bulk => "Bulk",
            Tier::Standard => "Standard",
            Tier::Expedited => "Expedited",
        };
        let broken =
            |error| RequestFailure::ours(FailureKind::Lasting, "NotSent", format!("{error}"));
        let tier = GlacierJobParameters::builder().tier(tier.into()).build().map_err(broken)?;
        let days = options.days.map(|days| i32::try_from(days).unwrap_or(i32::MAX));
        let wanted = RestoreRequest::builder().set_days(days).glacier_job_parameters(tier).build();
        let request = self.inner.client.restore_object().bucket(self.name()).key(key);
        request.restore_request(wanted).send().await.map(drop).map_err(RequestFailure::from)
    }
}

/// It is on its way, or has been here all the time.
fn is_told_already(failure: &RequestFailure) -> bool {
    let code = failure.error.code.as_deref().unwrap_or_default();
    matches!(code, "RestoreAlreadyInProgress" | "ObjectAlreadyInActiveTierError")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use aws_sdk_s3::types::{ArchiveStatus, StorageClass};

    use super::*;

    fn told(class: Option<&str>, tier: Option<&str>, restore: Option<&str>) -> Archive {
        let head = HeadObjectOutput::builder()
            .set_storage_class(class.map(StorageClass::from))
            .set_archive_status(tier.map(ArchiveStatus::from))
            .set_restore(restore.map(str::to_owned));
        Archive::of(&head.build())
    }

    #[test]
    fn the_stage_is_told_by_class_and_header() {
        let date = "Fri, 21 Dec 2012 00:00:00 GMT";
        let there = format!("ongoing-request=\"false\", expiry-date=\"{date}\"");
        let ongoing = "ongoing-request=\"true\"";
        let restored = Stage::Restored { until: Some(date.to_owned()) };
        for (class, tier, restore, stage) in [
            (None, None, None, Stage::Readable),
            (Some("STANDARD_IA"), None, None, Stage::Readable),
            (Some("GLACIER_IR"), None, None, Stage::Readable),
            (Some("GLACIER"), None, None, Stage::Archived),
            (Some("DEEP_ARCHIVE"), None, None, Stage::Archived),
            (Some("GLACIER"), None, Some(ongoing), Stage::Ongoing),
            (Some("GLACIER"), None, Some(&*there), restored),
            (Some("INTELLIGENT_TIERING"), None, None, Stage::Readable),
            (Some("INTELLIGENT_TIERING"), Some("ARCHIVE_ACCESS"), None, Stage::Archived),
            (Some("INTELLIGENT_TIERING"), Some("ARCHIVE_ACCESS"), Some(ongoing), Stage::Ongoing),
        ] {
            assert_eq!(told(class, tier, restore).stage, stage, "{class:?} {tier:?} {restore:?}");
        }
    }

    #[test]
    fn deep_archives_take_longer() {
        let deep = told(Some("INTELLIGENT_TIERING"), Some("DEEP_ARCHIVE_ACCESS"), None);
        assert!(deep.is_deep() && deep.stays());
        assert_eq!(deep.usual_time(Tier::Standard), "12 hours");
        let flat = told(Some("GLACIER"), None, None);
        assert!(!flat.is_deep() && !flat.stays());
        assert_eq!(flat.usual_time("expedited".parse().unwrap()), "1 to 5 minutes");
        assert!("Expedited".parse::<Tier>().is_err());
    }
}
