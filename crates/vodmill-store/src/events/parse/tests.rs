use std::cmp::Ordering;

use super::*;

/// As S3 documents it, version 2.1.
const PUT: &str = r#"{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3",
"awsRegion":"us-west-2","eventTime":"1970-01-01T00:00:00.000Z","eventName":"ObjectCreated:Put",
"userIdentity":{"principalId":"AIDAJDPLRKLG7UEXAMPLE"},"requestParameters":{"sourceIPAddress":
"127.0.0.1"},"responseElements":{"x-amz-request-id":"C3D13FE58DE4C810","x-amz-id-2":"FMyUVURI"},
"s3":{"s3SchemaVersion":"1.0","configurationId":"testConfigRule","bucket":{"name":"mybucket",
"ownerIdentity":{"principalId":"A3NL1KOZZKExample"},"arn":"arn:aws:s3:::mybucket"},"object":{
"key":"inbox/Red+Flower+%231.mov","size":1024,"eTag":"d41d8cd98f00b204e9800998ecf8427e",
"versionId":"096fKKXTRTtl3on89fVO.nfljtsv6qko","sequencer":"0055AED6DCD90281E5"}}}]}"#;

/// As EventBridge has it.
const BRIDGE: &str = r#"{"version":"0","id":"17793124-05d4-b198-2fde-7ededc63b103","detail-type":
"Object Created","source":"aws.s3","account":"111122223333","time":"2021-11-12T00:00:00Z",
"region":"ca-central-1","resources":["arn:aws:s3:::amzn-s3-demo-bucket1"],"detail":{"version":"0",
"bucket":{"name":"amzn-s3-demo-bucket1"},"object":{"key":"a+b %41.mov","size":5,
"etag":"b1946ac92492d2347c6235b4d2611184","version-id":"IYV3p45BT0ac8hjHg1houSdS1a.Mro8e",
"sequencer":"617f08299329d189"},"request-id":"N4N7GDK58NMKJ12R","requester":"123456789012",
"source-ip-address":"1.2.3.4","reason":"PutObject"}}"#;

fn record(name: &str, object: &str) -> String {
    format!(r#"{{"eventName":"{name}","s3":{{"bucket":{{"name":"b"}},"object":{object}}}}}"#)
}

fn records(of: &[String]) -> String {
    format!(r#"{{"Records":[{}]}}"#, of.join(","))
}

fn created(object: &str) -> Result<Vec<Event>, BadEvent> {
    parse(&records(&[record("ObjectCreated:Put", object)]))
}

fn key(encoded: &str) -> Result<String, BadEvent> {
    let events = created(&format!(r#"{{"key":"{encoded}"}}"#))?;
    Ok(events.into_iter().map(|event| event.key).collect())
}

fn put() -> Event {
    Event {
        bucket: "mybucket".to_owned(),
        key: "inbox/Red Flower #1.mov".to_owned(),
        version: Some("096fKKXTRTtl3on89fVO.nfljtsv6qko".to_owned()),
        etag: Some("d41d8cd98f00b204e9800998ecf8427e".to_owned()),
        bytes: Some(1024),
        sequencer: Some("0055AED6DCD90281E5".to_owned()),
        created: true,
    }
}

#[test]
fn as_s3_writes_it() {
    assert_eq!(parse(PUT), Ok(vec![put()]));
}

#[test]
fn within_an_envelope_of_sns() {
    let envelope = |inner: &str| {
        let body = serde_json::json!({"Type": "Notification", "MessageId": "dc1e94d9",
            "TopicArn": "arn:aws:sns:us-west-2:1:t", "Subject": "Amazon S3 Notification",
            "Message": inner, "Timestamp": "2017-02-14T01:16:50.000Z"});
        body.to_string()
    };
    assert_eq!(parse(&envelope(PUT)), Ok(vec![put()]));
    assert_eq!(parse(&envelope(BRIDGE)).map(|events| events.len()), Ok(1));
    let twice = parse(&envelope(&envelope(PUT)));
    assert_eq!(twice, Err(BadEvent::NoNotification), "one envelope, not any number");
    assert!(matches!(parse(&envelope("hello")), Err(BadEvent::NoJson(_))));
}

#[test]
fn as_event_bridge_writes_it_with_the_key_as_it_is() {
    let events = parse(BRIDGE).expect("a notification");
    assert_eq!(events.len(), 1);
    let event = &events[0];
    assert_eq!(
        (event.bucket.as_str(), event.key.as_str()),
        ("amzn-s3-demo-bucket1", "a+b %41.mov")
    );
    assert_eq!(event.version.as_deref(), Some("IYV3p45BT0ac8hjHg1houSdS1a.Mro8e"));
    assert_eq!(event.etag.as_deref(), Some("b1946ac92492d2347c6235b4d2611184"));
    assert_eq!((event.bytes, event.created), (Some(5), true));
    let deleted = BRIDGE.replace("Object Created", "Object Deleted");
    assert!(!parse(&deleted).expect("a notification")[0].created);
}

#[test]
fn the_test_message_has_no_events() {
    let body = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2014-10-13T15:57:02.089Z",
        "Bucket":"bucketname","RequestId":"5582815E1AEA5ADF","HostId":"8cLeGAmw098X5cv4Zkwcmo8vvZ"}"#;
    assert_eq!(parse(body), Ok(vec![]));
    assert_eq!(parse(r#"{"Records":[]}"#), Ok(vec![]));
}

#[test]
fn several_records_in_their_order_and_what_they_are() {
    let names = [
        ("ObjectCreated:CompleteMultipartUpload", true),
        ("s3:ObjectCreated:Copy", true),
        ("ObjectRemoved:Delete", false),
        ("ObjectRestore:Completed", false),
    ];
    let of: Vec<String> = (0..)
        .zip(names)
        .map(|(number, (name, _))| record(name, &format!(r#"{{"key":"k{number}"}}"#)))
        .collect();
    let events = parse(&records(&of)).expect("a notification");
    for (number, (event, (name, wanted))) in events.iter().zip(names).enumerate() {
        assert_eq!((event.key.clone(), event.created), (format!("k{number}"), wanted), "{name}");
    }
    assert_eq!(events.len(), names.len());
}

#[test]
fn keys_are_decoded() {
    for (encoded, expected) in [
        ("in%2Fa.mov", "in/a.mov"),
        ("a+b%2Bc.mov", "a b+c.mov"),
        ("%C3%A5%20%E6%97%A5.mov", "å 日.mov"),
        ("100%25.mov", "100%.mov"),
        ("half%4.mov", "half%4.mov"),
        ("%252F", "%2F"),
        ("..%2F..%2Fetc", "../../etc"),
    ] {
        assert_eq!(key(encoded).as_deref(), Ok(expected), "{encoded}");
    }
}

#[test]
fn what_is_not_known_is_none() {
    let events = created(r#"{"key":"k","size":null,"eTag":"","versionId":null}"#);
    let event = &events.expect("a notification")[0];
    assert_eq!(
        (&event.version, &event.etag, event.bytes, &event.sequencer),
        (&None, &None, None, &None)
    );
    let quoted = created(r#"{"key":"k","eTag":"\"abc-2\""}"#).expect("a notification");
    assert_eq!(quoted[0].etag.as_deref(), Some("abc-2"));
}

#[test]
fn garbage_is_told_apart() {
    let long = "a".repeat(1025);
    assert_eq!(parse(&" ".repeat(MAX_BODY + 1)), Err(BadEvent::TooLong(MAX_BODY + 1)));
    for body in ["", "hello", "{", "{\"Records\":[", &"[".repeat(10_000)] {
        assert!(matches!(parse(body), Err(BadEvent::NoJson(_))), "{body:.20}");
    }
    for body in ["null", "[]", "{}", "7", r#"{"Records":7}"#, r#"{"Message":"x"}"#] {
        assert_eq!(parse(body), Err(BadEvent::NoNotification), "{body}");
    }
    assert_eq!(key("%ff%fe"), Err(BadEvent::Text("key", 0)));
    assert_eq!(key(""), Err(BadEvent::Text("key", 0)));
    assert_eq!(key(&long), Err(BadEvent::Text("key", 0)));
    for object in [r#"{"key":7}"#, "{}", r#"{"key":"k","size":-1}"#, r#"{"key":"k","size":1.5}"#] {
        assert!(matches!(created(object), Err(BadEvent::Record(0, _))), "{object}");
    }
    let etag = format!(r#"{{"key":"k","eTag":"{long}"}}"#);
    assert_eq!(created(&etag), Err(BadEvent::Text("ETag", 0)));
    let mixed = [record("ObjectCreated:Put", r#"{"key":"k"}"#), "{}".to_owned()];
    assert!(matches!(parse(&records(&mixed)), Err(BadEvent::Record(1, _))));
}

#[test]
fn sequencers_tell_the_order_of_one_key() {
    let with = |key: &str, sequencer: Option<&str>| Event {
        key: key.to_owned(),
        sequencer: sequencer.map(str::to_owned),
        ..put()
    };
    let order = |one, two| with("k", Some(one)).order(&with("k", Some(two)));
    assert_eq!(order("0055AED6DCD90281E5", "0055AED6DCD90281E6"), Some(Ordering::Less));
    assert_eq!(order("0055aed6dcd90281e6", "0055AED6DCD90281E5"), Some(Ordering::Greater));
    assert_eq!(order("0055AED6DCD9", "0055AED6DCD90001"), Some(Ordering::Less));
    assert_eq!(order("0055AED6DCD9", "0055AED6DCD90000"), Some(Ordering::Equal));
    assert_eq!(with("k", None).order(&with("k", Some("1"))), None);
    assert_eq!(with("k", Some("1")).order(&with("other", Some("2"))), None);
}
