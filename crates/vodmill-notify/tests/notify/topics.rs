//! Topics of SNS, on a server from elsewhere.

use tempfile::NamedTempFile;
use vodmill_aws::Access;
use vodmill_notify::{Address, Dispatcher, Distributions};
use vodmill_queue::{DeliveryState, Outbox};
use vodmill_tests::services::Cloud;

use crate::world::{World, target, wait_until};

/// A FIFO topic keeps a pipeline's events in order and drops second copies; one that is gone is tried
/// again, as a receiver that is down.
#[test]
fn fifo_and_gone() {
    let cloud = Cloud::ministack();
    let queue = cloud.queue("told.fifo");
    let topic = cloud.topic("video.fifo", &queue);
    let file = NamedTempFile::new().expect("a file");
    let [(_, id), (_, secret)] = cloud.account();
    let text = format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    std::fs::write(file.path(), text).expect("credentials");
    let access = Access {
        endpoint: Some(cloud.endpoint()),
        credentials_file: Some(file.path().to_owned()),
        ..Access::default()
    };
    let to =
        |name: &str, topic: String| target(name, Address::Sns { topic, access: access.clone() });
    let targets = vec![to("topic", topic.clone()), to("gone", topic.replace("video", "other"))];
    let world = World::new();
    let mut told = Vec::new();
    world.dispatched_by(&Dispatcher::new(targets, Distributions::default()), || {
        world.publish("j", &[]);
        wait_until("both are told", || {
            told.extend(cloud.receive_whole(&queue));
            told.len() == 2
        });
        wait_until("the other was tried", || {
            let all = world.queue.deliveries(None, 9).expect("a list");
            all.iter().any(|one| one.target == "films/gone" && one.error.is_some())
        });
    });
    let mut kinds = Vec::new();
    for message in &told {
        let envelope: serde_json::Value =
            serde_json::from_str(message["Body"].as_str().expect("a body")).expect("JSON");
        let body = envelope["Message"].as_str().expect("a message");
        let body: serde_json::Value = serde_json::from_str(body).expect("JSON in JSON");
        assert_eq!(message["Attributes"]["MessageGroupId"], "films");
        assert_eq!(message["Attributes"]["MessageDeduplicationId"], body["id"]);
        kinds.push(body["event"].as_str().expect("a kind").to_owned());
    }
    assert_eq!(kinds, ["progressing", "published"], "in their order");
    let all = world.queue.deliveries(None, 9).expect("a list");
    for one in all {
        let gone = one.target == "films/gone";
        let state = if gone { DeliveryState::Waiting } else { DeliveryState::Delivered };
        assert_eq!(one.state, state, "{}: {:?}", one.target, one.error);
        assert!(!gone || one.error.is_none_or(|it| it.starts_with("NotFound")), "SNS's own words");
    }
}
