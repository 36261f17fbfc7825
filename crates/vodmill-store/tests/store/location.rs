//! Where objects are, as a user writes it.

use std::path::PathBuf;

use vodmill_store::{Key, Location, StoreError};

fn bucket(name: &str, prefix: Option<&str>) -> Location {
    let prefix = prefix.map(|text| Key::new(text).expect("a key"));
    Location::Bucket { bucket: name.to_owned(), prefix }
}

#[test]
fn buckets_and_folders_are_told_apart() {
    let read = |text| Location::parse(text).expect(text);
    assert_eq!(read("s3://packages"), bucket("packages", None));
    assert_eq!(read("s3://packages/"), bucket("packages", None));
    assert_eq!(read("s3://packages/a"), bucket("packages", Some("a")));
    assert_eq!(read("s3://packages/a/b/"), bucket("packages", Some("a/b")));
    for folder in [
        "/srv/packages",
        "packages",
        "a:b",
        "Film: the second",
        "2026-01-01T12:00",
        "./s3:/x",
        "/srv/s3://x",
        "C:/x",
        "a/~",
    ] {
        assert_eq!(read(folder), Location::Folder(PathBuf::from(folder)));
    }
    assert_eq!(read("s3://packages/a/b/").to_string(), "s3://packages/a/b");
}

#[test]
fn what_is_neither_is_refused_in_words() {
    for (text, words) in [
        ("", "it is empty"),
        ("s3://", "a bucket's name"),
        ("s3:///a", "a bucket's name"),
        ("s3://Upper", "a bucket's name"),
        ("s3://ab", "a bucket's name"),
        ("s3://packages//a", "its prefix"),
        ("s3://packages/../a", "its prefix"),
        ("https://packages/a", "only s3://BUCKET"),
        ("mysql://packages/a", "only s3://BUCKET"),
        ("s3:/packages", "only s3://BUCKET"),
        ("s3:packages", "only s3://BUCKET"),
        ("S3://packages", "only s3://BUCKET"),
        ("file:///srv/packages", "only s3://BUCKET"),
        ("x-y+z.1:/a", "only s3://BUCKET"),
        (" s3://packages", "blanks"),
        ("packages ", "blanks"),
        ("pack\nages", "control"),
        ("s3://packages/a\u{1b}[2J", "control"),
        ("~/packages", "whole path"),
    ] {
        let error = Location::parse(text).expect_err(text);
        assert!(matches!(error, StoreError::BadLocation { .. }), "{error:?}");
        assert!(error.to_string().contains(words), "{error}");
    }
}
