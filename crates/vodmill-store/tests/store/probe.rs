//! What servers are found to do and not to do.

use std::fs;

use vodmill_store::s3::{Bucket, Capabilities, ObjectSettings, S3Settings, S3Store};
use vodmill_store::{Headers, Key, Store, StoreError};

use crate::proxy::{Proxy, Then};
use crate::server::{address, bucket, free_ports, service, settings_for, unique};

#[test]
fn a_good_server_can_do_all() {
    let prefix = unique("probe") + "/";
    // Through a proxy of its own, since what is known of a server is kept.
    let proxy = Proxy::new(address(), |_| Then::Pass);
    let bucket_there = Bucket::open("tests", &settings_for(&proxy.endpoint));
    let known = bucket_there.capabilities(&prefix).expect("a good server");
    let all = Capabilities {
        checksums: true,
        refuses_wrong: true,
        etag_is_md5: true,
        if_none_match: true,
        if_match: true,
        conditional_read: true,
    };
    assert_eq!(known, all);
    let requests = proxy.seen().len();
    assert!(requests <= 25, "{requests} requests");
    assert_eq!(bucket_there.capabilities(&prefix).expect("known"), all);
    assert_eq!(proxy.seen().len(), requests, "it was tried out once");
    assert_eq!(bucket().list(&prefix).expect("list"), vec![], "nothing is left");
    assert!(bucket().unfinished(&prefix).expect("list").is_empty(), "nothing is left");
}

/// `rclone serve s3` says yes to every condition and checksum, and begins multipart uploads with an
/// answer that is not S3's.
#[test]
fn a_server_that_is_none_is_refused_in_words() {
    let dir = tempfile::tempdir().expect("scratch");
    let root = dir.path().join("root");
    fs::create_dir_all(root.join("bucket")).expect("a bucket");
    let port = free_ports();
    let (mut child, _output) = service("rclone", &root, port).expect("rclone serve s3 starts");
    let settings = S3Settings { attempts: 2, ..settings_for(&format!("http://127.0.0.1:{port}")) };
    let store = S3Store::new("bucket", None, &settings, &ObjectSettings::default());
    assert!(!store.claims_hold());
    let key = Key::new("object").expect("key");
    let error = store.put(&key, b"x", &Headers::default()).expect_err("it is not to be trusted");
    let words = "bucket bucket cannot be written to: it does not speak of uploads as S3 does";
    assert!(error.to_string().starts_with(words), "{error}");
    let there = store.bucket().head("object").expect("reading is no risk");
    assert_eq!(there, None, "nothing was stored");
    child.kill().and_then(|()| child.wait()).expect("it is stopped");
}

#[test]
fn a_server_that_spoils_content_is_refused() {
    let proxy = Proxy::new(address(), |request| {
        let is_read = request.method == "GET" && request.path.contains("/small");
        if is_read { Then::Spoil } else { Then::Pass }
    });
    let (settings, prefix) = (settings_for(&proxy.endpoint), unique("spoilt"));
    let key = Key::new("pointer").expect("key");
    let prefix = Key::new(prefix).expect("key");
    let store = S3Store::new("tests", Some(&prefix), &settings, &ObjectSettings::default());
    let error = store.put(&key, b"x", &Headers::default()).expect_err("it is not to be trusted");
    assert!(matches!(error, StoreError::BadServer { .. }), "{error:?}");
    let words = "bucket tests cannot be written to: what is read is not what was put";
    assert_eq!(error.to_string(), words);
    assert_eq!(bucket().list(prefix.as_str()).expect("list"), vec![], "nothing was stored");
    assert!(!store.claims_hold());
}

#[test]
fn a_server_without_the_checksum_is_served_with_md5() {
    let proxy = Proxy::new(address(), |request| {
        let knows_not = request.header("x-amz-checksum-crc64nvme").is_some();
        if knows_not { Then::Answer(400, "InvalidRequest") } else { Then::Pass }
    });
    let bucket = Bucket::open("tests", &settings_for(&proxy.endpoint));
    let prefix = unique("no-crc");
    let known = bucket.capabilities(&format!("{prefix}/")).expect("a fair server");
    assert!(!known.checksums && known.etag_is_md5 && known.refuses_wrong, "{known:?}");
    let before = proxy.seen().len();
    let put = vodmill_store::s3::PutOptions::default();
    bucket.put(&prefix, b"x".to_vec(), &put, &Default::default()).expect("put");
    let seen = proxy.seen();
    assert_eq!(seen.len(), before + 1, "the ETag is proof enough");
    assert!(seen[before].header("content-md5").is_some());
}
