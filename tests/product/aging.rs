//! What grows old in a bucket: originals in an archive, media in a cheaper class, what nobody
//! finishes; and the sums of what was published.

use std::fs;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use vodmill_tests::product::{BUCKET, Daemon, Home, clips, wait_until};
use vodmill_tests::services::Cloud;

const PATIENCE: Duration = Duration::from_secs(180);

/// An asset's original is where `done_class` puts it.
const ORIGINAL: &str = "inbox/done/one.mp4";

fn home(cloud: &Cloud) -> Home {
    let mut home = Home::quick("", false);
    for (name, value) in cloud.account() {
        home.set(name, value);
    }
    let top = format!(
        "inbox = \"s3://{BUCKET}/inbox\"\ndestination = \"s3://{BUCKET}/published\"\n\
         done_class = \"GLACIER\"\n[lifecycle]\ncheaper_class = \"STANDARD_IA\"\n"
    );
    home.pipeline("default", &top, "", false);
    let settings = format!(
        "list_seconds = 1\nkeep_renditions = 0\nunfinished_days = 1\n\
         [s3]\nendpoint = \"{}\"\nregion = \"us-east-1\"\n",
        cloud.endpoint()
    );
    home.write("vodmill.toml", &settings);
    home
}

fn said(home: &Home, arguments: &[&str]) -> String {
    let ended = home.vodmill(arguments);
    assert_eq!(ended.code, 0, "{arguments:?}: {ended:?}");
    ended.out
}

fn ended(home: &Home, state: &str) -> Option<Value> {
    home.jobs().into_iter().find(|job| job["state"] == state)
}

#[test]
fn what_grows_old_in_a_bucket() {
    let clip = tempfile::tempdir().expect("a folder");
    let names = clips(clip.path(), 1);
    let clip = clip.path().join(&names[0]);
    let cloud = Cloud::ministack();
    cloud.make(BUCKET);
    let home = home(&cloud);
    let daemon = Daemon::start(&home, &[]);
    cloud.put(BUCKET, "inbox/one.mp4", &clip);
    wait_until("it is published and put away", PATIENCE, || {
        let done = cloud.list(BUCKET, "inbox/").into_keys().eq([ORIGINAL.to_owned()]);
        (done && ended(&home, "published").is_some()).then_some(())
    });
    originals_come_back(&cloud, &home);
    media_is_marked(&cloud, &home);
    an_archived_original_fails_its_job(&cloud, &home, &clip);
    assert_sums(&home);
    drop(daemon);
    leftovers_are_removed(&cloud, &home);
    // All of this is nothing to a proof.
    let place = format!("s3://{BUCKET}/published/one");
    assert!(said(&home, &["check", &place]).contains("sound"));
}

fn originals_come_back(cloud: &Cloud, home: &Home) {
    let head = cloud.s3("head_object", json!({ "Bucket": BUCKET, "Key": ORIGINAL }));
    assert_eq!(head["StorageClass"], "GLACIER", "{head}");
    let object = format!("s3://{BUCKET}/{ORIGINAL}");
    let asked = said(home, &["restore", "one", "--tier", "bulk", "--days", "3"]);
    let wanted =
        format!("{object} is asked for (GLACIER, bulk); that usually takes 5 to 12 hours\n");
    assert_eq!(asked, wanted);
    assert_eq!(said(home, &["restore", "one"]), format!("{object} is on its way (GLACIER)\n"));
    // S3 says that it is on its way already.
    said(home, &["restore", "one", "--tier", "bulk"]);
    let back: Value =
        serde_json::from_str(&said(home, &["restore", &object, "--wait", "--json"])).expect("JSON");
    assert_eq!((&back["stage"], &back["asked"]), (&json!("restored"), &json!(false)), "{back}");
    assert!(back["until"].as_str().is_some_and(|until| until.ends_with("GMT")), "{back}");
    let readable = said(home, &["restore", &format!("s3://{BUCKET}/published/one/asset.json")]);
    assert!(readable.contains("can be read: it is in no archive (STANDARD)"), "{readable}");
    for wrong in ["two", "s3://", "s3://no-such-key"] {
        assert_eq!(home.vodmill(&["restore", wrong]).code, 2, "{wrong}");
    }
}

fn media_is_marked(cloud: &Cloud, home: &Home) {
    for key in cloud.list(BUCKET, "published/one/").into_keys() {
        let told = cloud.s3("get_object_tagging", json!({ "Bucket": BUCKET, "Key": key }));
        let is_media = key.ends_with(".ts") || key.ends_with(".mp4");
        let wanted =
            if is_media { json!([{ "Key": "vodmill", "Value": "media" }]) } else { json!([]) };
        assert_eq!(told["TagSet"], wanted, "{key}");
    }
    let printed: Value = serde_json::from_str(&said(home, &["lifecycle"])).expect("JSON");
    // As it is printed, S3 takes it.
    let arguments = json!({ "Bucket": BUCKET, "LifecycleConfiguration": printed });
    cloud.s3("put_bucket_lifecycle_configuration", arguments);
    let applied = said(home, &["lifecycle", "default", "--apply"]);
    assert!(applied.contains("had these rules already; 0 of others"), "{applied}");
    let there = cloud.s3("get_bucket_lifecycle_configuration", json!({ "Bucket": BUCKET }));
    assert_eq!(there["Rules"], printed["Rules"]);
    // As what was published before there were rules.
    let segment = cloud.list(BUCKET, "published/one/").into_keys().find(|key| key.ends_with(".ts"));
    let segment = segment.expect("a segment");
    let own = json!({ "TagSet": [{ "Key": "team", "Value": "tv" }] });
    let arguments = json!({ "Bucket": BUCKET, "Key": segment, "Tagging": own });
    cloud.s3("put_object_tagging", arguments);
    let marked = said(home, &["lifecycle", "--apply", "--mark"]);
    assert!(marked.contains("\n1 of "), "{marked}");
    let told = cloud.s3("get_object_tagging", json!({ "Bucket": BUCKET, "Key": segment }));
    assert_eq!(told["TagSet"].as_array().map(Vec::len), Some(2), "{told}");
}

/// It stays where it is, and its job says what to type.
fn an_archived_original_fails_its_job(cloud: &Cloud, home: &Home, clip: &std::path::Path) {
    let body = json!({ "file": clip });
    let arguments = json!({ "Bucket": BUCKET, "Key": "inbox/two.mp4", "Body": body, "StorageClass": "GLACIER" });
    cloud.s3("put_object", arguments);
    let failed = wait_until("its job fails", PATIENCE, || ended(home, "failed"));
    let reason = failed["reason"].as_str().unwrap_or_default();
    let command = format!("vodmill restore s3://{BUCKET}/inbox/two.mp4");
    assert!(reason.contains("is archived") && reason.contains(&command), "{reason}");
    assert!(cloud.list(BUCKET, "inbox/").contains_key("inbox/two.mp4"));
    let object = format!("s3://{BUCKET}/inbox/two.mp4");
    said(home, &["restore", &object, "--wait"]);
    let id = failed["id"].as_str().expect("an id");
    said(home, &["jobs", "retry", id]);
    wait_until("it is published now", PATIENCE, || {
        let gone = !cloud.list(BUCKET, "inbox/").contains_key("inbox/two.mp4");
        (gone && ended(home, "failed").is_none()).then_some(())
    });
}

fn assert_sums(home: &Home) {
    let told = said(home, &["cost", "--by-month", "--json"]);
    let told: Value = serde_json::from_str(&told).expect("JSON");
    let months = told["months"].as_array().expect("months");
    let sum = |name: &str| months.iter().filter_map(|month| month[name].as_u64()).sum::<u64>();
    assert_eq!((sum("publications"), sum("assets")), (2, 2), "{told}");
    for name in ["renditions", "objects", "bytes", "duration_ms", "package_cpu_ms"] {
        assert!(sum(name) > 0, "{name}: {told}");
    }
    let text = said(home, &["cost", "--by-month", "default"]);
    assert!(text.starts_with("pipeline  month"), "{text}");
    assert!(said(home, &["cost", "--by-month", "other"]).contains("nothing was published"));
}

fn leftovers_are_removed(cloud: &Cloud, home: &Home) {
    let begin = |key: &str| {
        cloud.s3("create_multipart_upload", json!({ "Bucket": BUCKET, "Key": key }));
    };
    // The server has none that are old: these stay.
    begin("published/one/g0009-0123abcd/mp4/small.mp4");
    begin("elsewhere/backup.tar");
    let scratch = home.at("state/worker-7/work/0123456789abcdef/8");
    fs::create_dir_all(&scratch).expect("a folder");
    fs::write(scratch.join("original.part"), [0; 1000]).expect("a file");
    let dry = said(home, &["gc", "--dry-run"]);
    assert!(dry.contains("nothing is left over"), "all is fresh: {dry}");
    for place in scratch.ancestors().take(3).chain([&*scratch.join("original.part")]) {
        let long_ago = SystemTime::now() - Duration::from_secs(2 * 86_400);
        fs::File::open(place).and_then(|file| file.set_modified(long_ago)).expect("a time");
    }
    let dry = said(home, &["gc", "--dry-run"]);
    assert!(dry.contains("state/worker-7/work/0123456789abcdef  1.0 kB"), "{dry}");
    assert!(dry.ends_with("1.0 kB in 0 generations, 1 left over would be removed\n"), "{dry}");
    assert!(scratch.exists());
    let swept: Value = serde_json::from_str(&said(home, &["gc", "--json"])).expect("JSON");
    assert_eq!(swept["litter"][0]["kind"], "scratch", "{swept}");
    assert!(!home.at("state/worker-7/work/0123456789abcdef").exists());
    assert_eq!(cloud.unfinished(BUCKET).len(), 2, "they are of today");
}
