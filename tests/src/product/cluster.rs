//! Workers that share a queue and a bucket, as on several machines.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::{Daemon, Ended, Home, SMALL_LADDER, SMALL_MP4, objects, wait_until};
use crate::services::{Cloud, Postgres};
use crate::tools::succeeded;

/// The bucket of everything: originals, packages, and what only workers see.
pub const BUCKET: &str = "media";

/// A home for any number of workers, their queue and their bucket. What is dropped is taken up
/// soon, and nothing is kept.
pub struct Cluster {
    /// The configuration, and the scratch of all.
    pub home: Home,
    /// The bucket's server.
    pub cloud: Cloud,
    /// The queue's server.
    pub postgres: Postgres,
}

impl Cluster {
    /// A home with an empty queue and bucket on these servers.
    pub fn new(cloud: Cloud, postgres: Postgres) -> Cluster {
        let mut home = Home::new();
        for (name, value) in cloud.account() {
            home.set(name, value);
        }
        home.write("presets/small.toml", SMALL_LADDER);
        home.write("presets/small-mp4.toml", SMALL_MP4);
        cloud.make(BUCKET);
        let cluster = Cluster { home, cloud, postgres };
        cluster.queue("first", "list_seconds = 2");
        cluster
    }

    /// Gives the workers a queue of that name, new and empty, and settings.
    pub fn queue(&self, name: &str, settings: &str) {
        self.postgres.make(name);
        self.configure(name, settings);
    }

    /// Writes `vodmill.toml` anew.
    pub fn configure(&self, queue: &str, settings: &str) {
        let (database, endpoint) = (self.postgres.database(queue), self.cloud.endpoint());
        let text = format!(
            "workers = 1\nkeep_renditions = 0\nqueue = \"{database}\"\n\
             work = \"s3://{BUCKET}/private\"\nlease_seconds = 5\n{settings}\n\
             [s3]\nendpoint = \"{endpoint}\"\nregion = \"us-east-1\"\n"
        );
        self.home.write("vodmill.toml", &text);
    }

    /// Adds a pipeline on the small presets, with its inbox in the bucket.
    pub fn pipeline(&self, name: &str, top: &str) {
        let places = format!(
            "inbox = \"s3://{BUCKET}/inbox/{name}\"\ndestination = \"s3://{BUCKET}/published\"\n{top}"
        );
        self.home.pipeline(name, &places, "", false);
    }

    /// Puts an original into the inbox of a pipeline.
    pub fn drop_into(&self, pipeline: &str, file: &Path, name: &str) {
        self.cloud.put(BUCKET, &format!("inbox/{pipeline}/{name}"), file);
    }

    /// Names of what is below `inbox/`, sorted.
    pub fn inbox(&self) -> Vec<String> {
        let keys = self.cloud.list(BUCKET, "inbox/").into_keys();
        keys.map(|key| key["inbox/".len()..].to_owned()).collect()
    }

    /// `vodmill queue --json`.
    pub fn backlog(&self) -> Value {
        let ended = self.home.vodmill(&["queue", "--json"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        serde_json::from_str(&ended.out).expect("queue --json prints JSON")
    }

    /// Jobs in a state.
    pub fn jobs_that_are(&self, state: &str) -> usize {
        self.home.jobs().iter().filter(|job| job["state"] == state).count()
    }

    /// Waits until `count` originals are published and put away, and all else has ended too.
    pub fn wait_for(&self, count: usize, limit: Duration) {
        wait_until("all is published and put away", limit, || self.is_settled(count).then_some(()));
    }

    /// Whether so many originals are published and put away, and no job is under way.
    pub fn is_settled(&self, count: usize) -> bool {
        let jobs = self.home.jobs();
        let ended = |job: &Value| {
            assert_ne!(job["state"], "failed", "{job}");
            job["state"] != "waiting" && job["state"] != "running"
        };
        let away = |name: &String| name.contains("/done/");
        jobs.iter().all(ended)
            && jobs.iter().filter(|job| job["state"] == "published").count() == count
            && self.inbox().iter().filter(|name| away(name)).count() == count
    }

    /// As [`is_settled`](Cluster::is_settled), and the inbox is empty. Where a worker died between the
    /// copy of an original and its removal, another comes by later.
    pub fn is_cleared(&self, count: usize) -> bool {
        self.is_settled(count) && self.inbox().iter().all(|name| name.contains("/done/"))
    }

    /// Everything that is published, by key; descriptions without their dates. A worker that is
    /// killed while it tries the bucket out leaves what it tried with, which is not counted; nor is the
    /// mark of whose bucket it is, which differs with the database.
    pub fn published(&self) -> BTreeMap<String, Vec<u8>> {
        let folder = tempfile::tempdir().expect("a folder");
        self.cloud.fetch(BUCKET, "published/", folder.path());
        let mut published = objects(folder.path());
        published.retain(|key, _| !key.contains(".vodmill/"));
        published
    }

    /// Lets one more worker come and go, which removes what others have left, and tells what is in
    /// the bucket and in scratch besides published packages and originals that were put away.
    pub fn left_over(&self) -> Vec<String> {
        // Not what an earlier one said.
        let _ = std::fs::remove_file(self.home.at("last.log"));
        let mut last = Daemon::worker(&self.home, "last", &[]);
        wait_until("the last worker has begun", Duration::from_secs(60), || {
            last.log().contains("working").then_some(())
        });
        last.terminate();
        assert!(last.ended(Duration::from_secs(60)).success(), "the last worker failed");
        let expected = |key: &String| {
            let inboxed = key.strip_prefix("inbox/").is_some_and(|name| name.contains("/done/"));
            inboxed || key.starts_with("published/") || is_trial(key)
        };
        let mut left: Vec<String> = self.cloud.list(BUCKET, "").into_keys().collect();
        left.retain(|key| !expected(key));
        let uploads = self.cloud.unfinished(BUCKET).into_iter().filter(|key| !is_trial(key));
        left.extend(uploads.map(|key| format!("upload of {key}")));
        left.extend(self.home.scratch().into_iter().map(|path| path.display().to_string()));
        left
    }

    /// `vodmill check` of a published asset.
    pub fn check(&self, asset: &str) -> Ended {
        self.home.vodmill(&["check", &format!("s3://{BUCKET}/published/{asset}")])
    }
}

fn is_trial(key: &str) -> bool {
    key.contains(".vodmill/probe/")
}

/// `count` clips of a few seconds, all different, with the names that they are dropped under.
pub fn clips(folder: &Path, count: usize) -> Vec<String> {
    let names: Vec<String> = (0..count).map(|number| format!("clip-{number:02}.mp4")).collect();
    for (number, name) in names.iter().enumerate() {
        let picture = format!("testsrc2=s=320x180:r=10:d=8,hue=h={}", number * 17);
        let sound = format!("sine=f={}:d=8", 200 + number * 30);
        let mut command = Command::new("ffmpeg");
        command.args(["-hide_banner", "-loglevel", "error", "-nostdin"]);
        command.args(["-f", "lavfi", "-i", &picture, "-f", "lavfi", "-i", &sound]);
        command.args(["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]);
        command.args(["-g", "20", "-c:a", "aac"]).arg(folder.join(name));
        succeeded(&mut command).unwrap_or_else(|why| panic!("{name}: {why}"));
    }
    names
}
