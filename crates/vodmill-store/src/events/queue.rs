//! The queue of SQS that a bucket's notifications go to.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry,
    DeleteMessageBatchRequestEntry, MessageSystemAttributeName,
};
use tokio::time::timeout;

use super::{Event, parse};
use crate::StoreError;
use crate::error::Result;
use crate::s3::{RequestFailure, S3Settings, block, sdk_config};

/// SQS waits so long for messages at most.
pub const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// Most messages of one request.
const BATCH: usize = 10;

/// How long messages are kept from other receivers, until extended.
const VISIBILITY: Duration = Duration::from_secs(120);

/// SQS keeps messages from others no longer than this.
const LONGEST_VISIBILITY: Duration = Duration::from_secs(12 * 3600);

/// Between two looks at whether to stop.
const LOOK: Duration = Duration::from_millis(100);

/// Messages that are remembered as logged.
const REMEMBERED: usize = 256;

/// A queue of notifications. Blocking; not to be called from async code.
#[derive(Debug)]
pub struct EventQueue {
    client: Client,
    url: String,
    told: Mutex<Told>,
}

/// A message that was received and is kept from others for two minutes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its id, the same each time that it is received.
    pub id: String,
    /// What it tells of; nothing in a test message.
    pub events: Vec<Event>,
    /// How often it has been received, this time included.
    pub received: u32,
    /// What it is deleted by; each time another.
    receipt: String,
}

impl EventQueue {
    /// The queue at `url`, which says where the server is. The settings are those of S3: region,
    /// credentials, tries and time; the region is that of an AWS URL where they do not name one.
    pub fn open(url: &str, settings: &S3Settings) -> EventQueue {
        let mut settings = settings.clone();
        settings.region = settings.region.or_else(|| region_of(url));
        settings.endpoint = endpoint_of(url);
        let attempt = LONGEST_WAIT + Duration::from_secs(settings.timeout_seconds.into());
        let shared = block(sdk_config(&settings));
        let timeouts = shared
            .timeout_config()
            .cloned()
            .map_or_else(TimeoutConfig::builder, |timeouts| timeouts.to_builder());
        let config = aws_sdk_sqs::config::Builder::from(&shared)
            .retry_config(RetryConfig::standard().with_max_attempts(settings.attempts))
            .timeout_config(timeouts.operation_attempt_timeout(attempt).build())
            .build();
        let client = Client::from_conf(config);
        EventQueue { client, url: url.to_owned(), told: Mutex::default() }
    }

    /// Its URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Up to ten messages, as soon as there is one; none after `wait`, of which at most
    /// [`LONGEST_WAIT`] counts, or soon after `stop` says so.
    ///
    /// A message that is no notification is logged once and not given: it stays in the queue,
    /// whose redrive policy puts it aside.
    ///
    /// # Errors
    /// [`StoreError::Remote`].
    pub fn receive(&self, wait: Duration, stop: &dyn Fn() -> bool) -> Result<Vec<Message>> {
        let request = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(BATCH as i32)
            .wait_time_seconds(wait.min(LONGEST_WAIT).as_secs() as i32)
            .visibility_timeout(VISIBILITY.as_secs() as i32)
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount);
        let Some(answer) = block(unless(stop, request.send())) else { return Ok(Vec::new()) };
        let answer = answer.map_err(|error| self.error("receive from", error.into()))?;
        let messages = answer.messages.unwrap_or_default();
        Ok(messages.into_iter().filter_map(|message| self.read(message)).collect())
    }

    fn read(&self, message: aws_sdk_sqs::types::Message) -> Option<Message> {
        let id = message.message_id.unwrap_or_default();
        let count = MessageSystemAttributeName::ApproximateReceiveCount;
        let received = message.attributes.as_ref().and_then(|all| all.get(&count)?.parse().ok());
        match parse(message.body.as_deref().unwrap_or_default()) {
            Ok(events) => {
                let receipt = message.receipt_handle?;
                Some(Message { id, events, received: received.unwrap_or(1), receipt })
            }
            Err(error) => {
                if self.is_news(&id) {
                    tracing::warn!(queue = %self.url, %id, %error, "a message is no notification");
                }
                None
            }
        }
    }

    /// Keeps messages from others until `by` from now, twelve hours at most.
    ///
    /// # Errors
    /// [`StoreError::Remote`]. A message that cannot be kept any more is logged; it comes again.
    pub fn extend(&self, messages: &[Message], by: Duration) -> Result<()> {
        let seconds = by.min(LONGEST_VISIBILITY).as_secs() as i32;
        for batch in messages.chunks(BATCH) {
            let entry = |(index, message): (usize, &Message)| {
                ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(index.to_string())
                    .receipt_handle(&message.receipt)
                    .visibility_timeout(seconds)
                    .build()
                    .ok()
            };
            let entries = batch.iter().enumerate().filter_map(entry).collect();
            let request = self.client.change_message_visibility_batch().queue_url(&self.url);
            let request = request.set_entries(Some(entries));
            let answer = block(request.send());
            let answer = answer.map_err(|error| self.error("keep messages of", error.into()))?;
            self.tell_failed(batch, answer.failed(), "a message could not be kept");
        }
        Ok(())
    }

    /// Removes messages for good: only when all that they tell of is durable elsewhere.
    ///
    /// # Errors
    /// [`StoreError::Remote`]. A message that cannot be removed is logged; it comes again.
    pub fn delete(&self, messages: &[Message]) -> Result<()> {
        for batch in messages.chunks(BATCH) {
            let entry = |(index, message): (usize, &Message)| {
                DeleteMessageBatchRequestEntry::builder()
                    .id(index.to_string())
                    .receipt_handle(&message.receipt)
                    .build()
                    .ok()
            };
            let entries = batch.iter().enumerate().filter_map(entry).collect();
            let request = self.client.delete_message_batch().queue_url(&self.url);
            let request = request.set_entries(Some(entries));
            let answer = block(request.send());
            let answer = answer.map_err(|error| self.error("delete from", error.into()))?;
            self.tell_failed(batch, answer.failed(), "a message could not be deleted");
        }
        Ok(())
    }

    fn tell_failed(&self, batch: &[Message], failed: &[BatchResultErrorEntry], what: &str) {
        for entry in failed {
            let message = entry.id().parse().ok().and_then(|index: usize| batch.get(index));
            let id = message.map_or("", |message| &message.id);
            if self.is_news(id) {
                let (code, why) = (entry.code(), entry.message().unwrap_or_default());
                tracing::warn!(queue = %self.url, id, code, why, what, "a message comes again");
            }
        }
    }

    fn is_news(&self, id: &str) -> bool {
        // Whole whenever a panic can happen.
        self.told.lock().unwrap_or_else(PoisonError::into_inner).is_news(id)
    }

    fn error(&self, operation: &'static str, failure: RequestFailure) -> StoreError {
        StoreError::Remote { operation, object: self.url.clone(), source: failure.error }
    }
}

/// The result of `work`, or none as soon as `stop` says so.
async fn unless<T>(stop: &dyn Fn() -> bool, work: impl Future<Output = T>) -> Option<T> {
    let mut work = std::pin::pin!(work);
    while !stop() {
        if let Ok(done) = timeout(LOOK, work.as_mut()).await {
            return Some(done);
        }
    }
    None
}

/// The region in `https://sqs.REGION.amazonaws.com/…`.
/// The server of a queue that is not one of AWS.
fn endpoint_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split('/').next()?;
    let is_aws = [".amazonaws.com", ".amazonaws.com.cn"].iter().any(|end| host.ends_with(end));
    (!is_aws).then(|| format!("{scheme}://{host}"))
}

fn region_of(url: &str) -> Option<String> {
    let host = url.split("://").nth(1)?.split('/').next()?;
    let region = host.strip_prefix("sqs.")?.split_once(".amazonaws.com")?.0;
    (!region.is_empty() && !region.contains('.')).then(|| region.to_owned())
}

/// The last messages that were logged.
#[derive(Debug, Default)]
struct Told(VecDeque<String>);

impl Told {
    fn is_news(&mut self, id: &str) -> bool {
        if self.0.iter().any(|told| told == id) {
            return false;
        }
        self.0.push_back(id.to_owned());
        if self.0.len() > REMEMBERED {
            self.0.pop_front();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_of_an_aws_url() {
        let region = |url: &str| region_of(url);
        assert_eq!(
            region("https://sqs.eu-north-1.amazonaws.com/1/q").as_deref(),
            Some("eu-north-1")
        );
        assert_eq!(
            region("https://sqs.cn-north-1.amazonaws.com.cn/1/q").as_deref(),
            Some("cn-north-1")
        );
        for other in ["http://127.0.0.1:4566/1/q", "q", "", "https://sqs.amazonaws.com/1/q"] {
            assert_eq!(region(other), None, "{other}");
        }
    }

    #[test]
    fn each_message_is_told_of_once_and_not_all_are_remembered() {
        let mut told = Told::default();
        assert!(told.is_news("a") && !told.is_news("a"));
        assert!((0..REMEMBERED).all(|number| told.is_news(&number.to_string())));
        assert!(told.is_news("a"));
        assert_eq!(told.0.len(), REMEMBERED);
    }
}
