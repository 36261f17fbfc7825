//! Objects of a bucket by their raw keys.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rand::Rng as _;
use vodmill_store::s3::{
    Bucket, Checksums, Condition, Copying, ObjectSettings, ObjectVersion, PutFile, PutOptions,
    S3Settings, Source, part_size,
};
use vodmill_store::{Headers, StoreError};

use crate::server::{bucket, settings, unique};

const MIB: usize = 1024 * 1024;

fn put(bucket: &Bucket, key: &str, bytes: &[u8]) {
    bucket.put(key, bytes.to_vec(), &PutOptions::default(), &Condition::None).expect("put");
}

pub fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

pub fn put_file(dir: &Path, key: &str, bytes: &[u8]) -> PutFile {
    let file = dir.join("file");
    fs::write(&file, bytes).expect("file");
    PutFile { key: key.to_owned(), file, bytes: bytes.len() as u64, options: PutOptions::default() }
}

#[test]
fn an_object_is_told_in_full() {
    let (bucket, key) = (bucket(), unique("told") + "/größe +%20 #?.m3u8");
    let options = PutOptions {
        headers: Headers {
            content_type: Some("application/vnd.apple.mpegurl".to_owned()),
            cache_control: Some("max-age=5".to_owned()),
        },
        settings: ObjectSettings {
            storage_class: Some("STANDARD_IA".to_owned()),
            tags: BTreeMap::from([("kind of".to_owned(), "a&b".to_owned())]),
            ..ObjectSettings::default()
        },
        ..PutOptions::default()
    };
    let stored = bucket.put(&key, b"hello".to_vec(), &options, &Condition::New).expect("put");
    let info = bucket.head(&key).expect("head").expect("it is there");
    assert_eq!(info.etag, stored.etag);
    assert_eq!((info.bytes, &info.headers), (5, &options.headers));
    assert_eq!(info.storage_class.as_deref(), Some("STANDARD_IA"));
    assert!(info.checksum.is_some() && info.modified.is_some());
    let again = bucket.put(&key, b"again".to_vec(), &options, &Condition::New);
    assert!(matches!(again, Err(StoreError::Exists(_))), "{again:?}");
    bucket.delete(&key).expect("delete");
    bucket.delete(&key).expect("delete again");
    assert_eq!(bucket.head(&key).expect("head"), None);
}

#[test]
fn ranges_of_one_version_are_read() {
    let (bucket, key) = (bucket(), unique("ranges"));
    put(&bucket, &key, b"0123456789");
    let info = bucket.head(&key).expect("head").expect("it is there");
    let which = ObjectVersion::of(&info);
    assert_eq!(bucket.read(&key, &which, 2..5).expect("read"), b"234");
    assert_eq!(bucket.read(&key, &which, 8..50).expect("read"), b"89");
    assert_eq!(bucket.read(&key, &which, 10..20).expect("read"), b"");
    assert_eq!(bucket.read(&key, &which, 3..3).expect("read"), b"");
    put(&bucket, &key, b"9876543210");
    let changed = bucket.read(&key, &which, 2..5);
    assert!(matches!(changed, Err(StoreError::Changed(_))), "{changed:?}");
    let missing = bucket.read(&unique("no"), &ObjectVersion::default(), 0..5);
    assert!(matches!(missing, Err(StoreError::NotFound(_))), "{missing:?}");
}

#[test]
fn a_file_in_parts_comes_back_as_it_was() {
    let (bucket, key) = (bucket(), unique("parts"));
    let dir = tempfile::tempdir().expect("scratch");
    let bytes = noise(21 * MIB + 17);
    let stored = bucket.put_file(&put_file(dir.path(), &key, &bytes)).expect("put");
    assert!(stored.etag.ends_with("-3"), "{}", stored.etag);
    let path = dir.path().join("back");
    let info = bucket.get_to_file(&key, &ObjectVersion::default(), &path).expect("get");
    assert!(fs::read(&path).expect("read") == bytes, "the same bytes");
    assert_eq!(info.bytes, bytes.len() as u64);
    assert!(bucket.unfinished(&key).expect("uploads").is_empty());
    let other = ObjectVersion { etag: Some("other".to_owned()), version: None };
    let changed = bucket.get_to_file(&key, &other, &path);
    assert!(matches!(changed, Err(StoreError::Changed(_))), "{changed:?}");
}

#[test]
fn md5_alone_will_do() {
    let settings = S3Settings { checksums: Checksums::RequiredOnly, ..settings() };
    let (bucket, key) = (Bucket::open("tests", &settings), unique("md5"));
    let dir = tempfile::tempdir().expect("scratch");
    let bytes = noise(9 * MIB);
    bucket.put_file(&put_file(dir.path(), &key, &bytes)).expect("put");
    let info = bucket.head(&key).expect("head").expect("it is there");
    assert_eq!(info.checksum, None, "none was sent");
    let path = dir.path().join("back");
    bucket.get_to_file(&key, &ObjectVersion::default(), &path).expect("get");
    assert!(fs::read(&path).expect("read") == bytes, "the same bytes");
}

#[test]
fn thousands_are_listed_once_each_and_removed() {
    let (bucket, prefix) = (bucket(), unique("many") + "/");
    let dir = tempfile::tempdir().expect("scratch");
    let name = |number: usize| match number % 5 {
        0 => format!("{prefix}top-{number:04}"),
        1 => format!("{prefix}a/{number:04}"),
        shelf => format!("{prefix}b/{shelf}/{}/{number:04}", number % 7),
    };
    let mut names: Vec<_> = (0..2345).map(name).collect();
    let files = names.iter().map(|key| put_file(dir.path(), key, b"x")).collect();
    bucket.put_files(files, 32, |_, _| Ok(())).expect("put");
    names.sort();
    let listed = bucket.list(&prefix).expect("list");
    let keys: Vec<_> = listed.into_iter().map(|object| object.key).collect();
    assert!(keys == names, "{} of {}", keys.len(), names.len());
    assert_eq!(bucket.list(&format!("{prefix}a/")).expect("list").len(), 469);
    bucket.delete_many(&keys).expect("delete");
    assert_eq!(bucket.list(&prefix).expect("list"), vec![]);
}

#[test]
fn copies_are_made_by_the_server() {
    let (bucket, prefix) = (bucket(), unique("copies"));
    let key = format!("{prefix}/from a+b%c/é.mov");
    put(&bucket, &key, b"an original");
    let info = bucket.head(&key).expect("head").expect("it is there");
    let source =
        Source { bucket: "tests".to_owned(), key: key.clone(), which: ObjectVersion::of(&info) };
    let archive = Bucket::open("tests-archive", &settings());
    put(&archive, "made", b"");
    for (to, target) in [(&bucket, format!("{prefix}/to")), (&archive, format!("{prefix}/to"))] {
        to.copy(&source, &target, &in_class("GLACIER_IR")).expect("copy");
        assert_eq!(to.get(&target).expect("get").0, b"an original");
        let copy = to.head(&target).expect("head").expect("it is there");
        assert_eq!(copy.storage_class.as_deref(), Some("GLACIER_IR"));
    }
    put(&bucket, &key, b"another one");
    let changed = bucket.copy(&source, &format!("{prefix}/late"), &Copying::default());
    assert!(matches!(changed, Err(StoreError::Changed(_))), "{changed:?}");
    let gone = Source { key: format!("{prefix}/gone"), ..source };
    let missing = bucket.copy(&gone, &format!("{prefix}/late"), &Copying::default());
    assert!(matches!(missing, Err(StoreError::NotFound(_))), "{missing:?}");
}

#[test]
fn large_objects_are_copied_in_pieces() {
    let (bucket, key) = (bucket(), unique("pieces"));
    let dir = tempfile::tempdir().expect("scratch");
    let bytes = noise(9 * MIB);
    bucket.put_file(&put_file(dir.path(), &key, &bytes)).expect("put");
    let source =
        Source { bucket: "tests".to_owned(), key: key.clone(), which: ObjectVersion::default() };
    let copy = format!("{key}-copy");
    let marked = Copying { mark: Some("job 7".to_owned()), ..Copying::default() };
    bucket.copy_in_pieces_above(1000, &source, &copy, &marked).expect("copy");
    let path = dir.path().join("back");
    bucket.get_to_file(&copy, &ObjectVersion::default(), &path).expect("get");
    assert!(fs::read(&path).expect("read") == bytes, "the same bytes");
}

#[test]
fn parts_grow_with_the_file() {
    let mib = MIB as u64;
    assert_eq!(part_size(0), 8 * mib);
    assert_eq!(part_size(80_000 * mib), 8 * mib);
    assert_eq!(part_size(80_000 * mib + 1), 9 * mib);
    let largest = 5 * mib * mib;
    assert!(largest.div_ceil(part_size(largest)) <= 10_000);
}

#[test]
fn what_to_do_is_said() {
    let nobody =
        S3Settings { endpoint: Some("http://127.0.0.1:9".to_owned()), attempts: 2, ..settings() };
    let error = Bucket::open("tests", &nobody).head("a/b").expect_err("nobody is there");
    assert_eq!(error.to_string(), "look at s3://tests/a/b");
    let cause = std::error::Error::source(&error).expect("a cause").to_string();
    assert!(cause.contains("tried 2 times; see that the endpoint is right"), "{cause}");

    let missing = Bucket::open("no-such-bucket", &settings()).list("a/").expect_err("no bucket");
    let cause = std::error::Error::source(&missing).expect("a cause").to_string();
    assert!(cause.contains("NoSuchBucket") && cause.contains("make the bucket"), "{cause}");
}

fn in_class(class: &str) -> Copying {
    Copying { storage_class: Some(class.to_owned()), ..Copying::default() }
}

/// The copy of what was uploaded in parts has another ETag: it is known by its mark, and has all
/// else that its source has.
#[test]
fn a_copy_is_known_again_by_its_mark() {
    let (bucket, prefix) = (bucket(), unique("marks"));
    let key = format!("{prefix}/film.mov");
    let headers = Headers {
        content_type: Some("video/quicktime".to_owned()),
        cache_control: Some("no-store".to_owned()),
    };
    let options = PutOptions {
        headers: headers.clone(),
        metadata: [("camera".to_owned(), "two".to_owned())].into(),
        ..PutOptions::default()
    };
    bucket.put(&key, b"pictures".to_vec(), &options, &Condition::None).expect("put");
    let source = Source { bucket: bucket.name().to_owned(), key, which: ObjectVersion::default() };
    let marked = Copying { mark: Some("job 7".to_owned()), ..Copying::default() };
    for (copy, whole) in [("whole", 1000), ("pieces", 3)] {
        let copy = format!("{prefix}/{copy}");
        bucket.copy_in_pieces_above(whole, &source, &copy, &marked).expect("copy");
        let info = bucket.head(&copy).expect("head").expect("it is there");
        assert_eq!((info.mark.as_deref(), &info.headers), (Some("job 7"), &headers), "{copy}");
        let plain = format!("{copy}-plain");
        bucket.copy_in_pieces_above(whole, &source, &plain, &Copying::default()).expect("copy");
        assert_eq!(bucket.head(&plain).expect("head").and_then(|info| info.mark), None);
    }
}
