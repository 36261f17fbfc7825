//! An inbox in a bucket: events through SQS, whatever becomes of them on the way, and a listing for
//! what they do not tell of.

use std::time::Duration;

use serde_json::Value;
use vodmill_tests::cases::case;
use vodmill_tests::conformance::assert_package;
use vodmill_tests::product::{BUCKET, Cluster, Daemon, Random, clips, wait_until};
use vodmill_tests::services::{Cloud, Postgres, free_ports};

use crate::browser::plays_from;

const PATIENCE: Duration = Duration::from_secs(180);

/// A name that is other text in an event.
const ODD: &str = "é b+c%20d & 1.mp4";

/// The bucket's server sends real events to one queue. The test hands them on to the one that
/// vodmill listens to: twice, in another order, and one not at all.
struct Post {
    from_bucket: String,
    to_vodmill: String,
}

impl Post {
    fn new(cluster: &Cluster) -> Post {
        let (from_bucket, to_vodmill) =
            (cluster.cloud.queue("from-bucket"), cluster.cloud.queue("to-vodmill"));
        cluster.cloud.tell(BUCKET, "inbox/", &from_bucket);
        Post { from_bucket, to_vodmill }
    }

    /// What the bucket has told, as soon as it has told of each of these names. Names are looked
    /// for as they are encoded.
    fn told(&self, cluster: &Cluster, names: &[&str]) -> Vec<String> {
        let mut told = Vec::new();
        wait_until("the bucket tells of all", PATIENCE, || {
            told.extend(cluster.cloud.receive(&self.from_bucket));
            names.iter().all(|name| told.iter().any(|body| body.contains(name))).then_some(())
        });
        told
    }

    fn hand_on(&self, cluster: &Cluster, messages: &[String]) {
        messages.iter().for_each(|message| cluster.cloud.send(&self.to_vodmill, message));
    }

    /// Waits until vodmill has no message left to hear.
    fn heard(&self, cluster: &Cluster) {
        wait_until("all messages are heard", PATIENCE, || {
            (cluster.cloud.messages(&self.to_vodmill) == 0).then_some(())
        });
    }
}

#[test]
fn from_events_to_the_browser() {
    let cluster = Cluster::new(Cloud::ministack(), Postgres::shared());
    let port = free_ports(1);
    let post = Post::new(&cluster);
    encrypted_pipeline(&cluster, &post.to_vodmill, port);
    cluster.cloud.publish(BUCKET, "published/");
    // Nothing but events tells of what is dropped.
    cluster.queue("events", "list_seconds = 3600");
    let serve = format!("127.0.0.1:{port}");
    let daemon = Daemon::start(&cluster.home, &["--serve", &serve]);
    let workers: Vec<Daemon> = (1..=3).map(|one| worker(&cluster, one)).collect();
    // A bucket's first message is no event. Once it is heard, the listing at the start is over.
    post.hand_on(&cluster, &post.told(&cluster, &["s3:TestEvent"]));
    post.heard(&cluster);
    events_are_heard(&cluster, &post);
    is_published_for_all(&cluster);
    drop(daemon);
    // What no event told of is found by a listing.
    cluster.configure("events", "list_seconds = 2");
    let daemon = Daemon::start(&cluster.home, &["--serve", &serve]);
    cluster.wait_for(3, PATIENCE);
    assert_eq!(cluster.home.jobs().len(), 4, "{:?}", cluster.home.jobs());
    drop((daemon, workers));
    assert_eq!(left_over(&cluster), [""; 0], "left over");
}

fn worker(cluster: &Cluster, number: usize) -> Daemon {
    Daemon::worker(&cluster.home, &format!("worker-{number}"), &[])
}

/// Refused originals and their reasons stay.
fn left_over(cluster: &Cluster) -> Vec<String> {
    let mut left = cluster.left_over();
    left.retain(|key| !key.starts_with("inbox/default/rejected/notes.mp4"));
    left
}

fn encrypted_pipeline(cluster: &Cluster, events: &str, port: u16) {
    let text = format!(
        "inbox = \"s3://{BUCKET}/inbox/default\"\ndestination = \"s3://{BUCKET}/published\"\n\
         events = \"{events}\"\nladder = \"small\"\nmp4 = [\"small-mp4\"]\nchunk_seconds = 6\n\
         [thumbnails]\n[encryption]\nkey_uri = \"http://127.0.0.1:{port}/k/{{kid}}\"\n\
         segments_per_key = 2\n"
    );
    cluster.home.write("pipelines/default.toml", &text);
}

/// Of four originals, events of three come through: twice each and in any order, and once more when
/// all is done. Each is one job.
fn events_are_heard(cluster: &Cluster, post: &Post) {
    cluster.drop_into("default", &case("film.mp4"), "film.mp4");
    cluster.drop_into("default", &case("text.mp4"), "notes.mp4");
    cluster.drop_into("default", &case("good.mp4"), ODD);
    cluster.drop_into("default", &case("faststart.mp4"), "lost.mp4");
    let told = post.told(cluster, &["film.mp4", "notes.mp4", "1.mp4", "lost.mp4"]);
    let mut told: Vec<String> = told.into_iter().filter(|one| !one.contains("lost.mp4")).collect();
    told.extend(told.clone());
    shuffle(&mut told);
    for _ in 0..2 {
        post.hand_on(cluster, &told);
        post.heard(cluster);
        cluster.wait_for(2, PATIENCE);
    }
    let jobs = cluster.home.jobs();
    assert_eq!(jobs.len(), 3, "{jobs:?}");
    let inbox = [
        "default/done/film.mp4".to_owned(),
        format!("default/done/{ODD}"),
        "default/lost.mp4".to_owned(),
        "default/rejected/notes.mp4".to_owned(),
        "default/rejected/notes.mp4.reason.txt".to_owned(),
    ];
    wait_until("all are put away", PATIENCE, || (cluster.inbox() == inbox).then_some(()));
    let reason = "inbox/default/rejected/notes.mp4.reason.txt";
    let note = cluster.cloud.text(BUCKET, reason);
    for part in ["notes.mp4", "What was found:", "What to do:", "Reason code:"] {
        assert!(note.contains(part), "{note}");
    }
}

fn shuffle(messages: &mut [String]) {
    let mut random = Random::new();
    for last in (1..messages.len()).rev() {
        messages.swap(last, random.below(last as u64 + 1) as usize);
    }
}

/// The package is right by readers of our own, and plays from the bucket with keys of the daemon.
fn is_published_for_all(cluster: &Cluster) {
    let folder = tempfile::tempdir().expect("a folder");
    let asset = folder.path().join("film");
    cluster.cloud.fetch(BUCKET, "published/film/", &asset);
    let keys = cluster.home.keys(&asset).expect("keys of an encrypted package");
    assert_package(&asset, Some(&keys));
    let asked = cluster.check("film");
    assert!(asked.code == 0 && asked.out.contains("sound"), "{asked:?}");
    let url = format!("{}/{BUCKET}/published/film/index.m3u8", cluster.cloud.endpoint());
    plays_from(&url, 3);
}

/// A pipeline that is paused waits, others go on; what never succeeds is set aside, and stops
/// nobody.
#[test]
fn the_backlog_is_shown_and_a_pipeline_paused() {
    let folder = tempfile::tempdir().expect("a folder");
    let names = clips(folder.path(), 3);
    let cluster = Cluster::new(Cloud::seaweedfs(), Postgres::shared());
    cluster.pipeline("default", "");
    cluster.pipeline("other", "");
    let queue = |arguments: &[&str]| {
        let ended = cluster.home.vodmill(&[&["queue"], arguments].concat());
        assert_eq!(ended.code, 0, "{ended:?}");
        ended.out
    };
    queue(&["pause", "default"]);
    assert_eq!(cluster.home.vodmill(&["queue", "pause", "slip"]).code, 2);
    let _daemon = Daemon::start(&cluster.home, &[]);
    let clip = |number: usize| folder.path().join(&names[number]);
    cluster.drop_into("default", &clip(0), "one.mp4");
    cluster.drop_into("default", &clip(1), "two.mp4");
    cluster.drop_into("other", &clip(2), "three.mp4");
    wait_until("the other pipeline goes on", PATIENCE, || {
        (cluster.jobs_that_are("published") == 1 && cluster.home.jobs().len() == 3).then_some(())
    });
    waiting(&cluster.backlog());
    assert!(queue(&[]).contains("pipeline default is paused"));
    queue(&["resume", "default"]);
    cluster.wait_for(3, PATIENCE);
    let backlog = cluster.backlog();
    assert_eq!(backlog["paused"].as_array().map(Vec::len), Some(0), "{backlog}");
    assert_eq!(ready(&backlog), 0, "{backlog}");
    let months = cluster.home.vodmill(&["cost", "--by-month", "--json"]);
    let months: Value = serde_json::from_str(&months.out).expect("JSON");
    let published = |at: usize| &months["months"][at]["publications"];
    assert_eq!((published(0), published(1)), (&2.into(), &1.into()), "{months}");
    wait_until("nothing is left over", PATIENCE, || {
        let swept = cluster.home.vodmill(&["gc", "--dry-run"]);
        assert_eq!(swept.code, 0, "{swept:?}");
        swept.out.contains("nothing is left over").then_some(())
    });
}

/// Two jobs have a plan to make, and nobody makes it.
fn waiting(backlog: &Value) {
    assert_eq!(backlog["paused"][0], "default", "{backlog}");
    assert_eq!(backlog["jobs"]["waiting"], 2, "{backlog}");
    assert_eq!(ready(backlog), 2, "{backlog}");
    assert_eq!(backlog["leases"].as_array().map(Vec::len), Some(0), "{backlog}");
}

fn ready(backlog: &Value) -> u64 {
    let kinds = backlog["tasks"].as_array().into_iter().flatten();
    kinds.filter_map(|kind| kind["ready"].as_u64()).sum()
}
