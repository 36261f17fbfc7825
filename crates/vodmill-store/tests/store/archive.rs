//! Archived objects, and what buckets do by themselves, on two servers that know of it: ministack lets
//! a restore take two seconds and refuses to give what is archived; moto knows the classes, and says at
//! once that a restore is over.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use aws_sdk_s3::types::{
    BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration,
    LifecycleRule as ForeignRule, LifecycleRuleFilter,
};
use vodmill_store::s3::{
    Applied, Bucket, LifecycleRule, ObjectSettings, ObjectVersion, RestoreOptions, RuleAction,
    S3Store, Stage, Tier,
};
use vodmill_store::{Headers, Key, PendingUpload, Store as _, Upload};

use crate::events::{Cloud, clouds};
use crate::server::unique;

const WEEK: RestoreOptions = RestoreOptions { days: Some(7), tier: Tier::Bulk };

fn fresh(cloud: &Cloud) -> Bucket {
    let name = unique("archive");
    cloud.wait(cloud.s3.create_bucket().bucket(&name).send()).expect("a bucket");
    Bucket::open(&name, &cloud.settings)
}

/// Not through the bucket: it reads back what a server gives no checksum of.
fn put(cloud: &Cloud, bucket: &Bucket, key: &str, class: &str) {
    let request = cloud.s3.put_object().bucket(bucket.name()).key(key).storage_class(class.into());
    cloud.wait(request.body(b"film".to_vec().into()).send()).expect("put");
}

fn stage(bucket: &Bucket, key: &str) -> Stage {
    bucket.archive(key).expect("look").expect("it is there").stage
}

#[test]
fn an_archived_object_is_brought_back() {
    let cloud = clouds()[0];
    let bucket = fresh(cloud);
    for class in ["GLACIER", "DEEP_ARCHIVE"] {
        let key = format!("done/{class}.mov");
        put(cloud, &bucket, &key, class);
        assert_eq!(stage(&bucket, &key), Stage::Archived);
        let refused = bucket.read(&key, &ObjectVersion::default(), 0..1);
        let refused = refused.expect_err("it is archived").to_string();
        let object = format!("s3://{}/{key}", bucket.name());
        let told =
            format!("the object {object} is archived: `vodmill restore {object}` brings it back");
        assert_eq!(refused, told);
        bucket.restore(&key, &WEEK).expect("asked for");
        assert_eq!(stage(&bucket, &key), Stage::Ongoing);
        bucket.restore(&key, &WEEK).expect("asked for again");
        let begun = Instant::now();
        while stage(&bucket, &key) == Stage::Ongoing {
            assert!(begun.elapsed() < Duration::from_secs(60), "it takes two seconds");
            std::thread::sleep(Duration::from_millis(100));
        }
        let restored = stage(&bucket, &key);
        let gmt = |until: &String| until.ends_with(" 00:00:00 GMT");
        assert!(
            matches!(&restored, Stage::Restored { until: Some(until) } if gmt(until)),
            "{restored:?}"
        );
        bucket.restore(&key, &WEEK).expect("its time begins anew");
        assert_eq!(bucket.read(&key, &ObjectVersion::default(), 0..9).expect("read"), b"film");
    }
    for class in ["STANDARD", "STANDARD_IA", "GLACIER_IR"] {
        let key = format!("done/{class}.mov");
        put(cloud, &bucket, &key, class);
        assert_eq!(stage(&bucket, &key), Stage::Readable);
        bucket.read(&key, &ObjectVersion::default(), 0..1).expect("read");
    }
    assert_eq!(bucket.archive("done/nothing").expect("look"), None);
}

#[test]
fn another_server_has_the_same_words_for_it() {
    let cloud = clouds()[1];
    let bucket = fresh(cloud);
    put(cloud, &bucket, "film.mov", "GLACIER");
    assert_eq!(stage(&bucket, "film.mov"), Stage::Archived);
    bucket.restore("film.mov", &WEEK).expect("asked for");
    assert!(matches!(stage(&bucket, "film.mov"), Stage::Restored { until: Some(_) }));
}

fn rules(days: u32) -> [LifecycleRule; 2] {
    let rule = |name: &str, action| LifecycleRule {
        id: format!("vodmill/tv/{name}"),
        prefix: "tv/".to_owned(),
        action,
    };
    let media = RuleAction::Move {
        tag: ("vodmill".to_owned(), "media".to_owned()),
        larger_than: 131_072,
        days,
        class: "STANDARD_IA".to_owned(),
    };
    [rule("media", media), rule("uploads", RuleAction::Abort { days: 7 })]
}

#[test]
fn rules_of_others_stay() {
    let cloud = clouds()[0];
    let bucket = fresh(cloud);
    let apply = |rules: &[LifecycleRule]| bucket.apply_lifecycle("vodmill/tv/", rules);
    let rules_there = || {
        let there = cloud.s3.get_bucket_lifecycle_configuration().bucket(bucket.name());
        cloud.wait(there.send()).expect("rules").rules().to_vec()
    };
    let applied = apply(&rules(90)).expect("rules");
    assert_eq!(applied, Applied { changed: true, others: 0 });
    assert!(!apply(&rules(90)).expect("the same again").changed);
    let foreign = ForeignRule::builder()
        .id("logs")
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().prefix("logs/").build())
        .expiration(LifecycleExpiration::builder().days(30).build());
    let both = BucketLifecycleConfiguration::builder()
        .set_rules(Some(rules_there()))
        .rules(foreign.build().expect("a rule"))
        .build();
    let request = cloud.s3.put_bucket_lifecycle_configuration().bucket(bucket.name());
    cloud.wait(request.lifecycle_configuration(both.expect("rules")).send()).expect("set");
    let applied = apply(&rules(30)).expect("others");
    assert_eq!(applied, Applied { changed: true, others: 1 });
    assert_eq!(rules_there().len(), 3);
    assert_eq!(apply(&[]).expect("none"), Applied { changed: true, others: 1 });
    let ids: Vec<_> = rules_there().iter().filter_map(|rule| Some(rule.id()?.to_owned())).collect();
    assert_eq!(ids, ["logs"]);
}

/// moto forgets the size below which nothing is to move.
#[test]
fn a_server_that_keeps_other_rules_is_found_out() {
    let bucket = fresh(clouds()[1]);
    let refused = bucket.apply_lifecycle("vodmill/tv/", &rules(90)).expect_err("it lost a part");
    let why = std::error::Error::source(&refused).map(ToString::to_string).unwrap_or_default();
    assert!(why.contains("the bucket has other rules than it was told"), "{refused}: {why}");
}

#[test]
fn the_bulk_is_marked_for_the_bucket() {
    let cloud = clouds()[0];
    let bucket = fresh(cloud);
    let dir = tempfile::tempdir().expect("scratch");
    let tags = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
    let objects = ObjectSettings {
        tags: tags("team", "tv"),
        bulk_tags: tags("vodmill", "media"),
        ..ObjectSettings::default()
    };
    let store = S3Store::new(bucket.name(), None, &cloud.settings, &objects);
    let upload = |name: &str, bulk| {
        let file = dir.path().join(name);
        fs::write(&file, "x").expect("file");
        let key = Key::new(name).expect("key");
        Upload { key, file, bytes: 1, headers: Headers::default(), bulk }
    };
    store.put_files(&[upload("0.ts", true), upload("index.m3u8", false)]).expect("put");
    let tags = |key: &str| {
        let request = cloud.s3.get_object_tagging().bucket(bucket.name()).key(key);
        let answer = cloud.wait(request.send()).expect("tags");
        let tags = answer.tag_set().iter().map(|tag| format!("{}={}", tag.key(), tag.value()));
        let mut tags: Vec<String> = tags.collect();
        tags.sort();
        tags
    };
    assert_eq!(tags("0.ts"), ["team=tv", "vodmill=media"]);
    assert_eq!(tags("index.m3u8"), ["team=tv"]);
}

#[test]
fn uploads_that_nobody_finishes_are_aborted() {
    let cloud = clouds()[0];
    let bucket = fresh(cloud);
    for key in ["tv/film/g0001-0123abcd/mp4/tv.mp4", "tv/film/g0002-0123abcd/tv.mp4", "else/x"] {
        let request = cloud.s3.create_multipart_upload().bucket(bucket.name()).key(key);
        cloud.wait(request.send()).expect("begun");
    }
    let prefix = Key::new("tv").expect("key");
    let objects = ObjectSettings::default();
    let store = S3Store::new(bucket.name(), Some(&prefix), &cloud.settings, &objects);
    let first = |begun: &PendingUpload| {
        assert!(begun.since.is_some(), "{begun:?}");
        begun.key.as_str().starts_with("film/g0001-")
    };
    store.remove_unfinished(None, &|_| false).expect("look");
    store.remove_unfinished(None, &first).expect("abort");
    let left = bucket.unfinished("").expect("uploads");
    let left: Vec<_> = left.into_iter().map(|upload| upload.key).collect();
    assert_eq!(left, ["else/x", "tv/film/g0002-0123abcd/tv.mp4"]);
}
