//! Notifications of buckets through queues, on two servers that shape them each in its own way.

use std::fs;
use std::future::Future;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::types::{
    BucketVersioningStatus, CompletedMultipartUpload, CompletedPart, Event as Kind,
    NotificationConfiguration, QueueConfiguration, VersioningConfiguration,
};
use aws_sdk_sqs::types::QueueAttributeName;
use vodmill_store::StoreError;
use vodmill_store::events::{Event, EventQueue, Message};
use vodmill_store::s3::S3Settings;

use crate::server::{Running, credentials_in, of_this_run_or_own, unique};

/// A server with buckets and queues.
pub struct Cloud {
    pub name: &'static str,
    pub settings: S3Settings,
    pub s3: aws_sdk_s3::Client,
    sqs: aws_sdk_sqs::Client,
    runtime: tokio::runtime::Runtime,
    _child: Option<Running>,
}

pub fn clouds() -> [&'static Cloud; 2] {
    static CLOUDS: OnceLock<[Cloud; 2]> = OnceLock::new();
    let clouds = CLOUDS.get_or_init(|| [Cloud::start("ministack"), Cloud::start("moto")]);
    clouds.each_ref()
}

impl Cloud {
    fn start(name: &'static str) -> Cloud {
        let dir = std::env::temp_dir().join(format!("vodmill-store-{}", std::process::id()));
        let dir = dir.join(name);
        fs::create_dir_all(&dir).expect("folder");
        let credentials = credentials_in(&dir);
        let (port, child) = of_this_run_or_own(name, &dir);
        let settings = S3Settings {
            endpoint: Some(format!("http://127.0.0.1:{port}")),
            region: Some("us-east-1".to_owned()),
            credentials_file: Some(credentials),
            ..S3Settings::default()
        };
        let runtime = tokio::runtime::Runtime::new().expect("runtime");
        let config = runtime.block_on(config(port));
        let s3 = aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build();
        let s3 = aws_sdk_s3::Client::from_conf(s3);
        Cloud { name, settings, s3, sqs: aws_sdk_sqs::Client::new(&config), runtime, _child: child }
    }

    pub fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    fn queue(&self) -> EventQueue {
        let made = self.wait(self.sqs.create_queue().queue_name(unique("queue")).send());
        let url = made.expect("a queue").queue_url.expect("its URL");
        EventQueue::open(&url, &self.settings)
    }

    fn attribute(&self, queue: &EventQueue, name: QueueAttributeName) -> String {
        let request = self.sqs.get_queue_attributes().queue_url(queue.url());
        let answer = self.wait(request.attribute_names(name.clone()).send()).expect("attributes");
        answer.attributes.and_then(|mut all| all.remove(&name)).expect("the attribute")
    }

    /// A bucket that tells `queue` of every new object.
    fn bucket(&self, queue: &EventQueue) -> String {
        let name = unique("bucket");
        self.wait(self.s3.create_bucket().bucket(&name).send()).expect("a bucket");
        let to = QueueConfiguration::builder()
            .queue_arn(self.attribute(queue, QueueAttributeName::QueueArn))
            .events(Kind::S3ObjectCreated)
            .build()
            .expect("a configuration");
        let tells = NotificationConfiguration::builder().queue_configurations(to).build();
        let request = self.s3.put_bucket_notification_configuration().bucket(&name);
        self.wait(request.notification_configuration(tells).send()).expect("it is told");
        name
    }

    fn put(&self, bucket: &str, key: &str, content: &'static [u8]) {
        let request = self.s3.put_object().bucket(bucket).key(key).body(content.to_vec().into());
        self.wait(request.send()).expect("an object");
    }

    fn send(&self, queue: &EventQueue, body: &str) {
        let request = self.sqs.send_message().queue_url(queue.url()).message_body(body);
        self.wait(request.send()).expect("sent");
    }
}

async fn config(port: u16) -> aws_config::SdkConfig {
    let transport = aws_smithy_http_client::Builder::new().build_http();
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(transport)
        .region(Region::new("us-east-1"))
        .test_credentials()
        .endpoint_url(format!("http://127.0.0.1:{port}"))
        .load()
        .await
}

fn never() -> bool {
    false
}

fn receive(queue: &EventQueue) -> Vec<Message> {
    queue.receive(Duration::from_secs(5), &never).expect("messages")
}

/// Receives and deletes until there is an event of `key`; gives all events on the way.
fn events_up_to(queue: &EventQueue, key: &str) -> Vec<Event> {
    let mut events = Vec::new();
    for _ in 0..10 {
        let messages = receive(queue);
        events.extend(messages.iter().flat_map(|message| message.events.clone()));
        queue.delete(&messages).expect("deleted");
        if events.iter().any(|event| event.key == key) {
            return events;
        }
    }
    panic!("no event of {key:?}: {events:?}");
}

#[test]
fn new_objects_are_told_of_under_their_own_names() {
    for cloud in clouds() {
        let queue = cloud.queue();
        let bucket = cloud.bucket(&queue);
        for key in ["inbox/plain.mov", "inbox/å b+c 100%.mov", "a&b=c/%2F/日.mov"] {
            cloud.put(&bucket, key, b"hello");
            let events = events_up_to(&queue, key);
            let event = events.last().expect("one");
            assert_eq!((event.bucket.as_str(), event.key.as_str()), (bucket.as_str(), key));
            assert!(event.created, "{}: {event:?}", cloud.name);
            assert_eq!(event.bytes, Some(5));
            assert_eq!(event.etag.as_deref(), Some("5d41402abc4b2a76b9719d911017c592"));
        }
        let rest = queue.receive(Duration::ZERO, &never).expect("none");
        assert_eq!(rest, [], "{}: all is deleted", cloud.name);
    }
}

#[test]
fn an_upload_in_parts_is_told_of_once_or_twice() {
    for cloud in clouds() {
        let queue = cloud.queue();
        let bucket = cloud.bucket(&queue);
        let key = "in/parts.mov";
        let begun = cloud.s3.create_multipart_upload().bucket(&bucket).key(key).send();
        let id = cloud.wait(begun).expect("an upload").upload_id.expect("its id");
        let part = cloud.s3.upload_part().bucket(&bucket).key(key).upload_id(&id).part_number(1);
        let part = cloud.wait(part.body(b"part".to_vec().into()).send()).expect("a part");
        let part = CompletedPart::builder().part_number(1).set_e_tag(part.e_tag).build();
        let parts = CompletedMultipartUpload::builder().parts(part).build();
        let whole = cloud.s3.complete_multipart_upload().bucket(&bucket).key(key).upload_id(id);
        cloud.wait(whole.multipart_upload(parts).send()).expect("an object");
        let mut events = events_up_to(&queue, key);
        let later = queue.receive(Duration::from_secs(1), &never).expect("messages");
        events.extend(later.into_iter().flat_map(|message| message.events));
        assert!((1..=2).contains(&events.len()), "{}: {events:?}", cloud.name);
        assert!(events.iter().all(|event| event.key == key && event.created));
    }
}

#[test]
fn versions_are_told() {
    let cloud = clouds()[0];
    let queue = cloud.queue();
    let bucket = cloud.bucket(&queue);
    let on = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    let request = cloud.s3.put_bucket_versioning().bucket(&bucket);
    cloud.wait(request.versioning_configuration(on).send()).expect("it keeps versions");
    let of = |content| {
        cloud.put(&bucket, "k", content);
        events_up_to(&queue, "k").pop().expect("one")
    };
    let (first, second) = (of(b"one"), of(b"two"));
    assert!(first.version.is_some() && second.version.is_some());
    assert_ne!(first.version, second.version);
    assert_eq!(first.order(&second), Some(std::cmp::Ordering::Less));
}

#[test]
fn what_is_not_deleted_comes_again() {
    for cloud in clouds() {
        let queue = cloud.queue();
        cloud.send(&queue, r#"{"Records":[]}"#);
        let first = receive(&queue);
        assert_eq!((first.len(), first[0].received), (1, 1));
        assert_eq!(queue.receive(Duration::ZERO, &never).expect("none"), [], "kept from others");
        queue.extend(&first, Duration::from_secs(600)).expect("extended");
        queue.extend(&first, Duration::ZERO).expect("given back");
        let second = receive(&queue);
        assert_eq!((second.len(), second[0].received), (1, 2), "{}", cloud.name);
        assert_eq!(second[0].id, first[0].id);
        queue.delete(&second).expect("deleted");
        queue.delete(&second).expect("deleting twice is harmless");
    }
}

#[test]
fn garbage_stays_in_the_queue_and_hinders_nothing() {
    for cloud in clouds() {
        let queue = cloud.queue();
        for body in ["hello", "{\"Records\":[{}]}", r#"{"Records":[]}"#] {
            cloud.send(&queue, body);
        }
        let mut good = Vec::new();
        let kept = || {
            let name = QueueAttributeName::ApproximateNumberOfMessagesNotVisible;
            cloud.attribute(&queue, name)
        };
        while kept() != "3" {
            good.extend(receive(&queue));
        }
        assert_eq!(good.len(), 1, "{}", cloud.name);
        queue.delete(&good).expect("deleted");
        assert_eq!(kept(), "2");
    }
}

#[test]
fn more_than_one_batch() {
    let cloud = clouds()[0];
    let queue = cloud.queue();
    (0..25).for_each(|_| cloud.send(&queue, r#"{"Records":[]}"#));
    let mut all = Vec::new();
    while all.len() < 25 {
        all.extend(receive(&queue));
    }
    queue.extend(&all, Duration::from_secs(300)).expect("extended");
    queue.delete(&all).expect("deleted");
    let name = QueueAttributeName::ApproximateNumberOfMessagesNotVisible;
    assert_eq!(cloud.attribute(&queue, name), "0");
}

#[test]
fn waiting_ends_when_it_is_told_to() {
    let queue = clouds()[0].queue();
    let begun = Instant::now();
    let stop = || begun.elapsed() > Duration::from_millis(300);
    assert_eq!(queue.receive(Duration::from_secs(20), &stop).expect("none"), []);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn no_queue_and_no_server_are_errors_with_a_name() {
    let cloud = clouds()[0];
    let gone = format!("{}-gone", cloud.queue().url());
    let error = EventQueue::open(&gone, &cloud.settings).receive(Duration::ZERO, &never);
    let Err(StoreError::Remote { operation, object, source }) = error else {
        panic!("{error:?}");
    };
    assert_eq!((operation, object), ("receive from", gone));
    assert!(source.code.is_some(), "{source}");
    let endpoint = Some("http://127.0.0.1:9".to_owned());
    let settings = S3Settings { endpoint, attempts: 1, ..cloud.settings.clone() };
    let nobody = EventQueue::open("http://127.0.0.1:9/1/q", &settings);
    let error = nobody.receive(Duration::ZERO, &never).expect_err("nobody is there");
    assert!(error.to_string().starts_with("receive from http://127.0.0.1:9"), "{error}");
}
