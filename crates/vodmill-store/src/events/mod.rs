//! What a bucket tells of itself: S3's event notifications, and the SQS queue that they wait in.
//!
//! Events are hints. They come twice, late, out of order or, rarely, never: whoever acts on them
//! looks at the object itself, and lists the bucket now and then.

mod parse;
mod queue;

use std::cmp::Ordering;

pub use parse::{BadEvent, MAX_BODY, parse};
pub use queue::{EventQueue, LONGEST_WAIT, Message};

/// Something happened to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The bucket.
    pub bucket: String,
    /// The object's key, decoded.
    pub key: String,
    /// The version, in a bucket that keeps versions.
    pub version: Option<String>,
    /// The entity tag, without quotes.
    pub etag: Option<String>,
    /// Its size.
    pub bytes: Option<u64>,
    /// Where it stands among the events of its key; see [`Event::order`].
    pub sequencer: Option<String>,
    /// Whether there is a new object. Else it was removed, tagged, restored or the like.
    pub created: bool,
}

impl Event {
    /// Which of two events of one key came later, where S3 tells: sequencers are hexadecimal, and
    /// a shorter one is filled up with zeros on its right.
    pub fn order(&self, other: &Event) -> Option<Ordering> {
        if (&self.bucket, &self.key) != (&other.bucket, &other.key) {
            return None;
        }
        let (one, two) = (self.sequencer.as_deref()?, other.sequencer.as_deref()?);
        let digits = |text: &str| {
            let end = text.trim_end_matches('0').len();
            text[..end].to_ascii_uppercase()
        };
        Some(digits(one).cmp(&digits(two)))
    }
}
