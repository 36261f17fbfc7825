//! What goes wrong on the way: nothing is lost, nothing is spoilt, tries are bounded, and the error
//! says what was tried on which object.

use std::error::Error as _;
use std::fs;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use vodmill_store::s3::{
    Bucket, Condition, ObjectSettings, ObjectVersion, PutFile, PutOptions, S3Settings, S3Store,
    Stored,
};
use vodmill_store::{Expected, Headers, Key, PutOutcome, Store, StoreError, Upload};

use crate::bucket::{noise, put_file};
use crate::proxy::{Proxy, Request, Then};
use crate::server::{address, bucket, settings_for, unique};

const MIB: usize = 1024 * 1024;

/// A bucket behind a proxy that asks `decide`, with few and short tries.
fn behind(decide: impl Fn(&Request) -> Then + Send + Sync + 'static) -> (Bucket, Proxy) {
    let proxy = Proxy::new(address(), decide);
    let settings = S3Settings { attempts: 4, timeout_seconds: 20, ..settings_for(&proxy.endpoint) };
    (Bucket::open("tests", &settings), proxy)
}

/// Spoils the first `times` of the requests that are meant, and lets all others pass.
fn first(
    times: usize,
    then: Then,
    is_meant: impl Fn(&Request) -> bool + Send + Sync + 'static,
) -> impl Fn(&Request) -> Then + Send + Sync + 'static {
    let left = AtomicUsize::new(times);
    let take = |left: usize| left.checked_sub(1);
    move |request| {
        let spoils = is_meant(request)
            && left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok();
        if spoils { then } else { Then::Pass }
    }
}

/// Uploads a file of three parts, and reads it back past the proxy.
fn upload_through(bucket: &Bucket, key: &str) -> Result<Stored, StoreError> {
    let dir = tempfile::tempdir().expect("scratch");
    let bytes = noise(20 * MIB);
    let stored = bucket.put_file(&put_file(dir.path(), key, &bytes))?;
    assert_eq!(arrived(key), bytes.len(), "it is there");
    let path = dir.path().join("back");
    crate::server::bucket().get_to_file(key, &ObjectVersion::default(), &path).expect("get");
    assert!(fs::read(&path).expect("read") == bytes, "the same bytes");
    Ok(stored)
}

fn arrived(key: &str) -> usize {
    let info = bucket().head(key).expect("head");
    info.map_or(0, |info| usize::try_from(info.bytes).expect("a size"))
}

fn says(error: &StoreError, key: &str, words: &str) {
    assert_eq!(error.to_string(), format!("put s3://tests/{key}"));
    let cause = error.source().expect("a cause").to_string();
    assert!(cause.contains(words), "{cause}");
}

#[test]
fn passing_faults_cost_tries_and_nothing_else() {
    let is_part = |request: &Request| request.is_part();
    for (name, then) in [
        ("500", Then::Answer(500, "InternalError")),
        ("slow-down", Then::Answer(503, "SlowDown")),
        ("cut", Then::Cut),
        ("lost", Then::Lose),
        ("spoilt", Then::SpoilBody),
    ] {
        let key = unique(name);
        let (bucket, proxy) = behind(first(2, then, is_part));
        upload_through(&bucket, &key).expect(name);
        assert_eq!(proxy.count(is_part), 5, "{name}: three parts and two tries more");
        assert!(bucket.unfinished(&key).expect("uploads").is_empty(), "{name}");
    }
}

#[test]
fn a_join_whose_outcome_is_unknown_is_looked_at() {
    let is_complete = |request: &Request| request.is_complete();
    for (name, then) in [
        ("error-in-200", Then::Answer(200, "InternalError")),
        ("done-and-500", Then::Instead(500, "InternalError")),
        ("done-and-lost", Then::Lose),
        ("done-and-forgotten", Then::Instead(404, "NoSuchUpload")),
    ] {
        let key = unique(name);
        let (bucket, _proxy) = behind(first(1, then, is_complete));
        upload_through(&bucket, &key).expect(name);
        assert!(bucket.unfinished(&key).expect("uploads").is_empty(), "{name}");
    }
}

#[test]
fn lasting_faults_end_with_words_and_leave_nothing_once_removed() {
    let part: fn(&Request) -> bool = Request::is_part;
    let complete: fn(&Request) -> bool = Request::is_complete;
    for (name, then, is_meant, words) in [
        ("all-500", Then::Answer(500, "InternalError"), part, "InternalError: by the test"),
        ("all-slow", Then::Answer(503, "SlowDown"), part, "(HTTP 503), tried 4 times"),
        ("all-cut", Then::Cut, part, "tried 4 times; see that the endpoint is right"),
        ("all-200", Then::Answer(200, "InternalError"), complete, "tried 4 times"),
        ("denied", Then::Answer(403, "AccessDenied"), part, "allow these credentials"),
        ("expired", Then::Answer(400, "ExpiredToken"), part, "renew the credentials"),
    ] {
        let folder = unique(name);
        let key = format!("{folder}/object");
        let (bucket, proxy) = behind(first(usize::MAX, then, is_meant));
        let error = upload_through(&bucket, &key).expect_err(name);
        says(&error, &key, words);
        let tries = proxy.count(is_meant);
        assert!(tries <= 3 * 4, "{name}: {tries} tries");
        assert_eq!(arrived(&key), 0, "{name}: no half object");
        remove(&folder);
    }
}

/// Removes as a job that ended does, and sees that nothing is left.
fn remove(folder: &str) {
    let settings = crate::server::settings();
    let store = S3Store::new("tests", None, &settings, &ObjectSettings::default());
    store.remove(&Key::new(folder).expect("key")).expect("remove");
    assert!(bucket().unfinished(folder).expect("uploads").is_empty(), "{folder}");
    assert_eq!(bucket().list(folder).expect("list"), vec![], "{folder}");
}

#[test]
fn an_answer_that_shows_other_bytes_is_no_success() {
    // The checksum of `hello`, and another.
    let other = Then::Replace("M3eFcAZSQlc=", "M3eFcAZSQlA=");
    let is_put = |request: &Request| request.method == "PUT";
    let put = |bucket: &Bucket, key: &str| {
        bucket.put(key, b"hello".to_vec(), &PutOptions::default(), &Condition::None)
    };
    let (key, (bucket, proxy)) = (unique("sum-once"), behind(first(1, other, is_put)));
    put(&bucket, &key).expect("the second try");
    assert_eq!(proxy.count(is_put), 2);

    let (key, (bucket, proxy)) = (unique("sum-never"), behind(first(usize::MAX, other, is_put)));
    let error = put(&bucket, &key).expect_err("nobody knows what is there");
    says(&error, &key, "it has another checksum, tried 4 times");
    assert_eq!(proxy.count(is_put), 4);
}

/// The joined object is not trusted, and what was sent for it is not taken up again.
#[test]
fn a_join_that_shows_other_bytes_is_no_success() {
    let folder = unique("join-sum");
    let other = Then::Overwrite("<ChecksumCRC64NVME>", "AAAAAAAAAAA=");
    let (bucket, _proxy) = behind(first(1, other, Request::is_complete));
    let key = format!("{folder}/object");
    let error = upload_through(&bucket, &key).expect_err("it is not as it was sent");
    says(&error, &key, "the joined object has another checksum");
    upload_through(&bucket, &key).expect("the next call");
    remove(&folder);
}

#[test]
fn spoilt_reads_are_noticed() {
    let (key, is_get) = (unique("spoilt-read"), |request: &Request| request.method == "GET");
    let dir = tempfile::tempdir().expect("scratch");
    let bytes = noise(9 * MIB);
    bucket().put_file(&put_file(dir.path(), &key, &bytes)).expect("put");
    let path = dir.path().join("back");

    let (once, _proxy) = behind(first(1, Then::Spoil, is_get));
    once.get_to_file(&key, &ObjectVersion::default(), &path).expect("the second reading is right");
    assert!(fs::read(&path).expect("read") == bytes, "the same bytes");

    let (always, _proxy) = behind(first(usize::MAX, Then::Spoil, is_get));
    let error =
        always.get_to_file(&key, &ObjectVersion::default(), &path).expect_err("never right");
    assert_eq!(error.to_string(), format!("get s3://tests/{key}"));

    let small = unique("spoilt-small");
    bucket().put(&small, b"hello".to_vec(), &PutOptions::default(), &Condition::None).expect("put");
    let (once, _proxy) = behind(first(2, Then::Spoil, is_get));
    assert_eq!(once.get(&small).expect("get").0, b"hello");
}

#[test]
fn a_slow_drip_ends_in_time() {
    let key = unique("drip");
    let bytes = noise(100_000);
    bucket().put(&key, bytes.clone(), &PutOptions::default(), &Condition::None).expect("put");
    let proxy = Proxy::new(address(), first(usize::MAX, Then::Drip, |_| true));
    let settings = S3Settings { attempts: 2, timeout_seconds: 1, ..settings_for(&proxy.endpoint) };
    let begun = Instant::now();
    let slow = Bucket::open("tests", &settings);
    let error =
        slow.read(&key, &ObjectVersion::default(), 0..100_000).expect_err("it takes too long");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let cause = error.source().expect("a cause").to_string();
    assert!(cause.contains("not done within 1 s, tried 2 times"), "{cause}");
}

#[test]
fn a_claim_whose_answer_was_lost_is_still_ours() {
    let is_claim = |request: &Request| request.path.contains("/claim") && request.method == "PUT";
    let proxy = Proxy::new(address(), first(1, Then::Lose, is_claim));
    let prefix = Key::new(unique("lost-claim")).expect("key");
    let settings = settings_for(&proxy.endpoint);
    let store = S3Store::new("tests", Some(&prefix), &settings, &ObjectSettings::default());
    let claim = Key::new("claim").expect("key");
    let put = |expected: &Expected| {
        store.put_if(&claim, b"mine", &Headers::default(), expected).expect("put")
    };
    assert_eq!(put(&Expected::Nothing), PutOutcome::Stored);
    assert_eq!(proxy.count(is_claim), 2, "the second try was refused for the first");
    assert_eq!(put(&Expected::Nothing), PutOutcome::Refused);
}

#[test]
fn files_are_taken_only_when_they_are_stored() {
    let (folder, dir) = (unique("taken"), tempfile::tempdir().expect("scratch"));
    let file = |name: &str| {
        let path = dir.path().join(name);
        fs::write(&path, name).expect("file");
        let key = Key::new(format!("{folder}/{name}")).expect("key");
        let (bytes, headers) = (name.len() as u64, Headers::default());
        Upload { key, file: path, bytes, headers, bulk: false }
    };
    let files: Vec<_> = (0..40).map(|number| file(&format!("{number:02}.ts"))).collect();
    let is_bad = |request: &Request| request.method == "PUT" && request.path.contains("/17.ts");
    let (behind, _proxy) = behind(first(usize::MAX, Then::Answer(500, "InternalError"), is_bad));
    drop(behind);
    let settings =
        S3Settings { attempts: 4, timeout_seconds: 20, ..settings_for(&_proxy.endpoint) };
    let store = S3Store::new("tests", None, &settings, &ObjectSettings::default());
    let error = store.put_files(&files).expect_err("one cannot be stored");
    says(&error, &format!("{folder}/17.ts"), "InternalError");
    for upload in &files {
        let stored = arrived(upload.key.as_str()) > 0;
        assert!(stored || upload.file.exists(), "{} is nowhere", upload.key);
    }
    let good = S3Store::new("tests", None, &crate::server::settings(), &ObjectSettings::default());
    good.put_files(&files).expect("the same call again");
    assert_eq!(good.list(&Key::new(&*folder).expect("key")).expect("list").len(), 40);
    assert!(files.iter().all(|upload| !upload.file.exists()), "all were taken");
}

const CHILD: &str = "VODMILL_TEST_UPLOAD";

/// Not a test: what the killed process of the next test does.
#[test]
#[ignore = "run by another test"]
fn upload_until_killed() {
    let text = std::env::var(CHILD).expect("what to upload");
    let [endpoint, credentials, key, file] =
        text.split('|').collect::<Vec<_>>().try_into().expect("four words");
    let settings = S3Settings {
        endpoint: Some(endpoint.to_owned()),
        region: Some("us-east-1".to_owned()),
        credentials_file: Some(credentials.into()),
        ..S3Settings::default()
    };
    let bytes = fs::metadata(file).expect("the file").len();
    let options = PutOptions::default();
    let put = PutFile { key: key.to_owned(), file: file.into(), bytes, options };
    Bucket::open("tests", &settings).put_file(&put).expect("put");
}

#[test]
fn a_killed_upload_is_taken_up() {
    let (key, dir) = (unique("killed"), tempfile::tempdir().expect("scratch"));
    let bytes = noise(64 * MIB);
    let put = put_file(dir.path(), &key, &bytes);
    let (arrive, arrivals) = channel();
    let parts = AtomicUsize::new(0);
    let arrive = Mutex::new(arrive);
    // Three parts arrive, the others never do.
    let proxy = Proxy::new(address(), move |request| {
        if request.is_part() && parts.fetch_add(1, Ordering::Relaxed) >= 3 {
            let _ = arrive.lock().expect("sender").send(());
            std::thread::sleep(Duration::from_secs(600));
        }
        Then::Pass
    });
    let credentials = settings_for("").credentials_file.expect("a file");
    let words = [&*proxy.endpoint, credentials.to_str().expect("UTF-8"), &key];
    let mut child = Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", "faults::upload_until_killed", "--ignored"])
        .env(CHILD, format!("{}|{}", words.join("|"), put.file.display()))
        .stdout(Stdio::null())
        .spawn()
        .expect("it runs");
    arrivals.recv_timeout(Duration::from_secs(60)).expect("a fourth part");
    assert_eq!(bucket().unfinished(&key).expect("uploads").len(), 1, "it was begun");
    proxy.wait_for(3, Request::is_part);
    child.kill().and_then(|()| child.wait()).expect("it is killed");

    let (again, proxy) = behind(|_| Then::Pass);
    again.put_file(&put).expect("the next call");
    let sent = proxy.count(Request::is_part);
    assert_eq!(sent, 5, "eight parts, of which three were there");
    assert_eq!(
        proxy.count(|request| request.path.contains("uploads&") && request.method == "POST"),
        0
    );
    let path = dir.path().join("back");
    bucket().get_to_file(&key, &ObjectVersion::default(), &path).expect("get");
    assert!(fs::read(&path).expect("read") == bytes, "the same bytes");
    assert!(bucket().unfinished(&key).expect("uploads").is_empty(), "nothing is left over");
}
