//! The walk through the points of buckets and of a shared queue: a daemon and a worker, so that there
//! is always another one to take over.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use vodmill_tests::product::{Home, fault_points, objects};
use vodmill_tests::services::{Cloud, Postgres};
use vodmill_tests::tools::ffmpeg;

use super::lane::Lane;
use super::round::{Rounds, Way};
use super::{make_clip, walk};

/// The part of a server that one lane has.
pub struct Bucket<'a> {
    cloud: &'a Cloud,
    postgres: &'a Postgres,
    name: String,
    /// Databases made so far.
    databases: Cell<usize>,
    /// URL of its queue of events.
    events: Option<String>,
}

impl<'a> Bucket<'a> {
    pub fn make(
        cloud: &'a Cloud,
        postgres: &'a Postgres,
        number: usize,
        events: bool,
    ) -> Bucket<'a> {
        let name = format!("lane-{number}");
        cloud.make(&name);
        let events = events.then(|| cloud.queue(&name));
        if let Some(queue) = &events {
            cloud.tell(&name, "inbox/", queue);
        }
        Bucket { cloud, postgres, name, databases: Cell::new(0), events }
    }

    pub fn account(&self) -> [(&'static str, &'static str); 2] {
        self.cloud.account()
    }

    /// Empties it, and drops an original.
    pub fn prepare(&self, home: &Home, settings: &str, clip: &Path) {
        self.cloud.clear(&self.name);
        let number = self.databases.get();
        self.databases.set(number + 1);
        let database = format!("{}_{number}", self.name.replace('-', "_"));
        self.postgres.make(&database);
        let text = format!(
            "{settings}list_seconds = 1\nqueue = \"{}\"\nwork = \"s3://{}/private\"\n\
             [s3]\nendpoint = \"{}\"\nregion = \"us-east-1\"\n",
            self.postgres.database(&database),
            self.name,
            self.cloud.endpoint()
        );
        home.write("vodmill.toml", &text);
        self.cloud.put(&self.name, "inbox/film.mp4", clip);
    }

    /// Lines of a pipeline.
    pub fn places(&self, with_events: bool) -> String {
        let events = self.events.as_ref().filter(|_| with_events);
        let events = events.map(|url| format!("events = \"{url}\"\n")).unwrap_or_default();
        format!(
            "inbox = \"s3://{0}/inbox\"\ndestination = \"s3://{0}/published\"\n{events}",
            self.name
        )
    }

    pub fn is_over(&self, home: &Home) -> bool {
        let inbox: Vec<_> = self.cloud.list(&self.name, "inbox/").into_keys().collect();
        let messages = self.events.as_ref().map_or(0, |queue| self.cloud.messages(queue));
        inbox == ["inbox/done/film.mp4"] && home.scratch().is_empty() && messages == 0
    }

    pub fn left_over(&self, home: &Home) -> Vec<String> {
        let expected = |key: &String| {
            key.starts_with("published/") || key == "inbox/done/film.mp4" || is_trial(key)
        };
        let mut left: Vec<_> = self.cloud.list(&self.name, "").into_keys().collect();
        left.retain(|key| !expected(key));
        let uploads = self.cloud.unfinished(&self.name).into_iter().filter(|key| !is_trial(key));
        left.extend(uploads.map(|key| format!("upload of {key}")));
        left.extend(home.scratch().into_iter().map(|path| path.display().to_string()));
        left
    }

    /// Keys of what is published.
    pub fn published(&self) -> Vec<String> {
        let keys = self.cloud.list(&self.name, "published/").into_keys();
        keys.filter(|key| !is_trial(key)).collect()
    }

    /// Everything that is published, after proving it.
    pub fn outcome(&self, home: &Home) -> BTreeMap<String, Vec<u8>> {
        let check = home.vodmill(&["check", &format!("s3://{}/published/film", self.name)]);
        assert!(check.code == 0 && check.out.ends_with("\nsound\n"), "{check:?}");
        let folder = tempfile::tempdir().expect("a folder");
        self.cloud.fetch(&self.name, "published/", folder.path());
        let mut published = objects(folder.path());
        published.retain(|key, _| !is_trial(key));
        published
    }
}

/// Who is killed while he tries the bucket out leaves what he tried with for an hour.
fn is_trial(key: &str) -> bool {
    key.contains(".vodmill/")
}

#[test]
fn every_point_of_buckets() {
    reaches_all(Way::Buckets, &Cloud::seaweedfs(), 5);
}

#[test]
fn every_point_of_events() {
    // Most of its time is waiting: a message that was not deleted comes again after two minutes.
    reaches_all(Way::Events, &Cloud::ministack(), 2);
}

fn reaches_all(way: Way, cloud: &Cloud, lanes: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let clip = folder.path().join("film.mp4");
    match way {
        Way::Events => make_clip(&clip),
        _ => make_loud_clip(&clip),
    }
    let postgres = Postgres::shared();
    let points = fault_points();
    // Nothing here is encrypted: one round of a sort will do.
    let of_way = Rounds::on(&[way], &points);
    let mut rounds = of_way.clear;
    rounds.extend(of_way.encrypted.into_iter().filter(|round| !round.at.is_empty()));
    let reached = walk(lanes, vec![rounds], |number| {
        Lane::in_bucket(&clip, Bucket::make(cloud, &postgres, number, way == Way::Events))
    });
    let wanted: BTreeSet<String> = way.points(&points).into_iter().collect();
    assert_eq!(&wanted - &reached, BTreeSet::new(), "points that nothing came by");
}

/// Two seconds of noise, of which even a small picture takes more bytes than go into one request.
pub fn make_loud_clip(clip: &Path) {
    let picture = "nullsrc=s=960x540:r=15:d=2,geq=random(1)*255:128:128";
    let arguments = ["-f", "lavfi", "-i", picture, "-c:v", "libx264", "-preset", "ultrafast"];
    let mut arguments = [&arguments[..], &["-crf", "12", "-pix_fmt", "yuv420p"]].concat();
    arguments.push(clip.to_str().expect("a name of ours"));
    ffmpeg(&arguments).expect("a clip");
}
