//! A server with buckets, and perhaps queues of events, seen through boto3.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::Service;
use super::boto::{ACCOUNT, Boto};

/// A server that speaks S3.
pub struct Cloud {
    service: Service,
    boto: Boto,
}

/// An object in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its bytes.
    pub size: u64,
    /// Its entity tag.
    pub etag: String,
}

impl Cloud {
    /// SeaweedFS: buckets on disk.
    pub fn seaweedfs() -> Cloud {
        Cloud::start("seaweedfs", 10)
    }

    /// ministack: buckets in memory, and SQS that they send events to.
    pub fn ministack() -> Cloud {
        Cloud::start("ministack", 1)
    }

    fn start(name: &'static str, ports: u16) -> Cloud {
        let service = Service::start(name, ports, is_ready);
        let boto = Boto::open(&format!("http://127.0.0.1:{}", service.port));
        Cloud { service, boto }
    }

    /// The URL that it is reached at.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.service.port)
    }

    /// Its account, as the environment names it.
    pub fn account(&self) -> [(&'static str, &'static str); 2] {
        ACCOUNT
    }

    /// The id of a new key of KMS.
    pub fn kms_key(&self) -> String {
        let made = self.boto.call("kms", "create_key", json!({}));
        made["KeyMetadata"]["KeyId"].as_str().expect("a key id").to_owned()
    }

    /// Ends it in order.
    pub fn stop(&self) {
        self.service.stop();
    }

    /// Starts it again with what it had.
    pub fn start_again(&self) {
        let _ = fs::remove_file(self.service.log());
        self.service.start_again(is_ready);
    }

    /// Makes a bucket.
    pub fn make(&self, bucket: &str) {
        self.boto.call("s3", "create_bucket", json!({ "Bucket": bucket }));
    }

    /// Lets everyone read what is below a prefix, from pages of any origin.
    pub fn publish(&self, bucket: &str, prefix: &str) {
        let statement = json!({ "Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"],
            "Resource": [format!("arn:aws:s3:::{bucket}/{prefix}*")] });
        let policy = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        self.policy(bucket, &policy);
        let rule = json!({ "AllowedMethods": ["GET", "HEAD"], "AllowedOrigins": ["*"],
            "AllowedHeaders": ["*"] });
        let rules = json!({ "CORSRules": [rule] });
        let arguments = json!({ "Bucket": bucket, "CORSConfiguration": rules });
        self.boto.call("s3", "put_bucket_cors", arguments);
    }

    /// Sets the policy of a bucket.
    pub fn policy(&self, bucket: &str, policy: &str) {
        self.boto.call("s3", "put_bucket_policy", json!({ "Bucket": bucket, "Policy": policy }));
    }

    /// Stores a file.
    pub fn put(&self, bucket: &str, key: &str, file: &Path) {
        let body = json!({ "file": file });
        let arguments = json!({ "Bucket": bucket, "Key": key, "Body": body });
        self.boto.call("s3", "put_object", arguments);
    }

    /// All objects below a prefix.
    pub fn list(&self, bucket: &str, prefix: &str) -> BTreeMap<String, Object> {
        let mut objects = BTreeMap::new();
        let mut arguments = json!({ "Bucket": bucket, "Prefix": prefix });
        loop {
            let page = self.boto.call("s3", "list_objects_v2", arguments.clone());
            objects.extend(page["Contents"].as_array().into_iter().flatten().map(object));
            match page["NextContinuationToken"].as_str() {
                Some(token) => arguments["ContinuationToken"] = token.into(),
                None => return objects,
            }
        }
    }

    /// Brings all objects below a prefix into a folder.
    pub fn fetch(&self, bucket: &str, prefix: &str, folder: &Path) {
        for key in self.list(bucket, prefix).into_keys() {
            let file = folder.join(key.strip_prefix(prefix).expect("a listed key"));
            fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
            self.boto.get(bucket, &key, &file);
        }
    }

    /// The content of an object.
    pub fn read(&self, bucket: &str, key: &str) -> Vec<u8> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        self.boto.get(bucket, key, file.path());
        fs::read(file.path()).expect("an object")
    }

    /// The text of an object.
    pub fn text(&self, bucket: &str, key: &str) -> String {
        String::from_utf8(self.read(bucket, key)).expect("a text")
    }

    /// Calls an operation of S3, and says what it answered.
    pub fn s3(&self, operation: &str, arguments: Value) -> Value {
        self.boto.call("s3", operation, arguments)
    }

    /// Removes all objects of a bucket.
    pub fn clear(&self, bucket: &str) {
        for key in self.list(bucket, "").into_keys() {
            self.boto.call("s3", "delete_object", json!({ "Bucket": bucket, "Key": key }));
        }
    }

    /// Keys of uploads that were begun and neither completed nor aborted.
    pub fn unfinished(&self, bucket: &str) -> Vec<String> {
        let uploads = self.boto.call("s3", "list_multipart_uploads", json!({ "Bucket": bucket }));
        let uploads = uploads["Uploads"].as_array().cloned().unwrap_or_default();
        uploads.iter().map(|upload| upload["Key"].to_string()).collect()
    }

    /// Makes a queue; its URL.
    pub fn queue(&self, name: &str) -> String {
        let mut arguments = json!({ "QueueName": name });
        if name.ends_with(".fifo") {
            arguments["Attributes"] = json!({ "FifoQueue": "true" });
        }
        let made = self.boto.call("sqs", "create_queue", arguments);
        made["QueueUrl"].as_str().expect("a URL").to_owned()
    }

    /// Makes a topic that tells a queue; its ARN.
    pub fn topic(&self, name: &str, queue: &str) -> String {
        let mut arguments = json!({ "Name": name });
        if name.ends_with(".fifo") {
            arguments["Attributes"] = json!({ "FifoTopic": "true" });
        }
        let made = self.boto.call("sns", "create_topic", arguments);
        let topic = made["TopicArn"].as_str().expect("an ARN").to_owned();
        let asked = json!({ "QueueUrl": queue, "AttributeNames": ["QueueArn"] });
        let answer = self.boto.call("sqs", "get_queue_attributes", asked);
        let listener = json!({ "TopicArn": topic, "Protocol": "sqs",
            "Endpoint": answer["Attributes"]["QueueArn"] });
        self.boto.call("sns", "subscribe", listener);
        topic
    }

    /// Has a bucket tell a queue of each new object below a prefix.
    pub fn tell(&self, bucket: &str, prefix: &str, queue: &str) {
        let asked = json!({ "QueueUrl": queue, "AttributeNames": ["QueueArn"] });
        let answer = self.boto.call("sqs", "get_queue_attributes", asked);
        let rules = json!([{ "Name": "prefix", "Value": prefix }]);
        let told = json!({ "QueueArn": answer["Attributes"]["QueueArn"],
            "Events": ["s3:ObjectCreated:*"], "Filter": { "Key": { "FilterRules": rules } } });
        let arguments = json!({ "Bucket": bucket,
            "NotificationConfiguration": { "QueueConfigurations": [told] } });
        self.boto.call("s3", "put_bucket_notification_configuration", arguments);
    }

    /// Takes up to ten messages from a queue: their bodies.
    pub fn receive(&self, queue: &str) -> Vec<String> {
        let messages = self.receive_whole(queue);
        messages.iter().filter_map(|message| message["Body"].as_str().map(str::to_owned)).collect()
    }

    /// Takes up to ten messages from a queue, with their attributes.
    pub fn receive_whole(&self, queue: &str) -> Vec<Value> {
        let asked = json!({ "QueueUrl": queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1,
            "AttributeNames": ["All"] });
        let answer = self.boto.call("sqs", "receive_message", asked);
        let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
        for message in &messages {
            let receipt = json!({ "QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"] });
            self.boto.call("sqs", "delete_message", receipt);
        }
        messages
    }

    /// Puts a message into a queue.
    pub fn send(&self, queue: &str, body: &str) {
        let arguments = json!({ "QueueUrl": queue, "MessageBody": body });
        self.boto.call("sqs", "send_message", arguments);
    }

    /// Messages in a queue, those that someone is working on among them.
    pub fn messages(&self, queue: &str) -> u64 {
        let names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
        let asked = json!({ "QueueUrl": queue, "AttributeNames": names });
        let answer = self.boto.call("sqs", "get_queue_attributes", asked);
        let number = |name: &str| answer["Attributes"][name].as_str()?.parse::<u64>().ok();
        names.into_iter().filter_map(number).sum()
    }
}

/// The scripts say so.
fn is_ready(service: &Service) -> bool {
    service.said().lines().any(|line| line == "ready")
}

fn object(listed: &Value) -> (String, Object) {
    let text = |name: &str| listed[name].as_str().unwrap_or_default().to_owned();
    (text("Key"), Object { size: listed["Size"].as_u64().unwrap_or(0), etag: text("ETag") })
}
