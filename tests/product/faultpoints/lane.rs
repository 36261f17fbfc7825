//! A home in which one round is gone after the other.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tempfile::TempDir;
use vodmill_tests::product::{Daemon, Home, Pass, Passes, media, objects, tree, wait_until};

use super::buckets::Bucket;
use super::crew::Crew;
use super::round::{Round, Way};

/// Longest that a round may take.
pub const PATIENCE: Duration = Duration::from_secs(240);

pub const SETTINGS: &str = "settle_seconds = 0\nlease_seconds = 5\nstall_seconds = 8\n\
                        drain_seconds = 0\nkeep_renditions = 0\nworkers = 2\n";

const LADDER: &str = r#"
kind = "ladder"
quality = 90
[video]
speed = "ultrafast"
gop_seconds = 1
[[rung]]
name = "low"
width = 160
height = 90
crf = 28
max_bitrate = "200k"
"#;

const MP4: &str = r#"
kind = "mp4"
[video]
speed = "ultrafast"
gop_seconds = 1
width = 160
height = 90
crf = 28
max_bitrate = "200k"
"#;

/// A picture that is larger than one request to a bucket takes.
const LOUD: &str = "width = 960\nheight = 540\ncrf = 4\nmax_bitrate = \"200M\"\n";

/// What there is to see of a job that has ended.
type Outcome = BTreeMap<String, Vec<u8>>;

/// Where one job after the other is tried.
pub struct Lane<'a> {
    pub home: Home,
    clip: PathBuf,
    encrypted: bool,
    /// A folder on another file system.
    abroad: TempDir,
    pub bucket: Option<Bucket<'a>>,
    /// What undisturbed rounds of each way left.
    calm: BTreeMap<Way, Outcome>,
}

impl<'a> Lane<'a> {
    pub fn new(clip: &Path, encrypted: bool) -> Lane<'a> {
        let home = Home::with_faults();
        home.write("presets/tiny.toml", LADDER);
        home.write("presets/tiny-mp4.toml", MP4);
        let abroad = tempfile::tempdir_in("/dev/shm").expect("a folder in memory");
        let clip = clip.to_owned();
        Lane { home, clip, encrypted, abroad, bucket: None, calm: BTreeMap::new() }
    }

    /// With everything in a bucket.
    pub fn in_bucket(clip: &Path, bucket: Bucket<'a>) -> Lane<'a> {
        let mut lane = Lane::new(clip, false);
        for (name, value) in bucket.account() {
            lane.home.set(name, value);
        }
        for (name, preset) in [("tiny", LADDER), ("tiny-mp4", MP4)] {
            let (top, _) = preset.split_once("width").expect("a size");
            lane.home.write(&format!("presets/{name}.toml"), &format!("{top}{LOUD}"));
        }
        Lane { bucket: Some(bucket), ..lane }
    }

    /// Goes a round, and holds what came of it against an undisturbed one. The points that were come
    /// by.
    pub fn go(&mut self, round: &Round) -> Vec<String> {
        let place = match round.way {
            Way::Refused | Way::Abroad | Way::Events => round.way,
            _ => Way::Plain,
        };
        if !self.calm.contains_key(&place) {
            let (outcome, _) = self.run(&Round::calm(place));
            self.calm.insert(place, outcome);
        }
        let (outcome, passes) = self.run(round);
        let calm = &self.calm[&place];
        let names = |one: &Outcome| one.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(calm), names(&outcome), "other objects than undisturbed");
        let other = outcome.iter().filter(|(name, bytes)| calm[*name] != **bytes);
        assert_eq!(other.map(|(name, _)| name).collect::<Vec<_>>(), [""; 0], "other bytes");
        passes.into_iter().map(|pass| pass.point).collect()
    }

    fn run(&mut self, round: &Round) -> (Outcome, Vec<Pass>) {
        self.prepare(round.way);
        let passes = Passes::order(&mut self.home, &round.orders());
        let mut crew = Crew::start(self, round, passes);
        let gone = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| crew.work()));
        let passes = crew.passes.read();
        if let Err(why) = gone {
            let log = crew.log();
            drop(crew);
            let points: Vec<_> = passes.iter().map(|pass| pass.point.as_str()).collect();
            panic!("{}\n{}\n{log}", super::said(&*why), points.join(" "));
        }
        drop(crew);
        Passes::end(&mut self.home);
        (self.outcome(round.way), passes)
    }

    /// As if nothing had ever been here, but for an original in the inbox. It always has the same
    /// name and time, so that the job is the same.
    pub fn prepare(&mut self, way: Way) {
        for folder in ["state", "published", "inbox", "exported", "rejected"] {
            let _ = fs::remove_dir_all(self.home.at(folder));
        }
        for log in ["daemon.log", "worker.log"] {
            let _ = fs::remove_file(self.home.at(log));
        }
        for folder in ["published", "done"] {
            let _ = fs::remove_dir_all(self.abroad.path().join(folder));
        }
        if let Some(bucket) = &self.bucket {
            bucket.prepare(&self.home, SETTINGS, &self.clip);
            self.pipeline(&bucket.places(way == Way::Events));
            return;
        }
        self.home.write("vodmill.toml", SETTINGS);
        let abroad = self.abroad.path().display();
        self.pipeline(&match way {
            Way::Abroad => {
                format!("done = \"{abroad}/done\"\ndestination = \"{abroad}/published\"\n")
            }
            _ => String::new(),
        });
        let place = self.home.inbox("default").join("film.mp4");
        let hidden = place.with_file_name(".film");
        match way {
            Way::Refused => fs::write(&hidden, "this is no film").expect("an original"),
            _ => drop(fs::copy(&self.clip, &hidden).expect("an original")),
        }
        let file = fs::File::options().write(true).open(&hidden).expect("the original");
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        file.set_modified(then).expect("its time");
        fs::rename(hidden, place).expect("dropping");
    }

    fn pipeline(&self, places: &str) {
        let keys =
            "[encryption]\nkey_uri = \"http://127.0.0.1:8480/k/{kid}\"\nsegments_per_key = 1\n";
        let keys = if self.encrypted { keys } else { "" };
        let text = format!(
            "ladder = \"tiny\"\nmp4 = [\"tiny-mp4\"]\n{places}[thumbnails]\n[hls]\n\
             segment_seconds = 1\n{keys}"
        );
        self.home.write("pipelines/default.toml", &text);
    }

    /// Where packages are.
    fn published(&self, way: Way) -> PathBuf {
        if way == Way::Abroad {
            self.abroad.path().join("published")
        } else {
            self.home.at("published")
        }
    }

    fn done(&self, way: Way) -> PathBuf {
        match way {
            Way::Abroad => self.abroad.path().join("done"),
            _ => self.home.inbox("default").join("done"),
        }
    }

    /// Whether the job seems to be over; what its processes still do is not known here.
    pub fn is_over(&self, way: Way) -> bool {
        if let Some(bucket) = &self.bucket {
            return bucket.is_over(&self.home);
        }
        let ended = match way {
            Way::Refused => self.home.inbox("default").join("rejected/film.mp4").exists(),
            _ => {
                let pointer = self.published(way).join("film/asset.json");
                pointer.exists() && self.done(way).join("film.mp4").exists()
            }
        };
        ended
            && self.home.scratch().is_empty()
            && !self.home.inbox("default").join("film.mp4").exists()
    }

    /// Holds what is there against all rules, and returns what is to be compared.
    fn outcome(&self, way: Way) -> Outcome {
        let left = self.left_over(way);
        let left = if left.is_empty() { left } else { self.swept(way) };
        assert_eq!(left, [""; 0], "left over");
        let jobs = self.home.jobs();
        let state = if way == Way::Refused { "rejected" } else { "published" };
        assert!(jobs.len() == 1 && jobs[0]["state"] == state, "{jobs:?}");
        self.counted(way);
        if let Some(bucket) = &self.bucket {
            return bucket.outcome(&self.home);
        }
        if way == Way::Refused {
            assert!(!self.home.at("published/film").exists(), "a refused original is published");
            return objects(&self.home.inbox("default"));
        }
        let asset = self.published(way).join("film");
        let check = self.home.vodmill(&["check".as_ref(), asset.as_os_str()]);
        assert!(check.code == 0 && check.out.ends_with("\nsound\n"), "{check:?}");
        match self.encrypted {
            true => media(&asset, &self.home.keys(&asset).expect("its keys")),
            false => objects(&asset),
        }
    }

    /// What was published is in the sums of the month, once.
    fn counted(&self, way: Way) {
        let sums = self.home.vodmill(&["cost", "--by-month", "--json"]);
        let told: Value = serde_json::from_str(&sums.out).expect("JSON");
        let months = told["months"].as_array().expect("months");
        let counted: u64 = months.iter().filter_map(|month| month["publications"].as_u64()).sum();
        assert_eq!(counted, u64::from(way != Way::Refused), "{sums:?}");
    }

    /// What is there and has no business to be.
    pub fn left_over(&self, way: Way) -> Vec<String> {
        if let Some(bucket) = &self.bucket {
            return bucket.left_over(&self.home);
        }
        let names = |folder: PathBuf| tree(&folder).into_keys().collect::<Vec<_>>();
        let mut left = Vec::new();
        let expected: &[&str] = match way {
            Way::Refused => &["rejected/film.mp4", "rejected/film.mp4.reason.txt"],
            Way::Abroad => &[],
            _ => &["done/film.mp4"],
        };
        let inbox = names(self.home.inbox("default"));
        left.extend(inbox.into_iter().filter(|name| !expected.contains(&name.as_str())));
        if way == Way::Abroad {
            let done = names(self.done(way));
            left.extend(done.into_iter().filter(|name| name != "film.mp4"));
        }
        let state = names(self.home.at("state")).into_iter();
        left.extend(state.filter(|name| name.contains(".part") || name.contains("/renditions/")));
        let published = names(self.published(way));
        left.extend(published.into_iter().filter(|name| name.contains(".vodmill-")));
        left.extend(self.home.scratch().into_iter().map(|path| path.display().to_string()));
        let asset = fs::read_dir(self.published(way).join("film")).into_iter().flatten().flatten();
        let generations = asset.filter(|entry| entry.path().is_dir());
        left.extend(generations.skip(1).map(|entry| entry.path().display().to_string()));
        left
    }

    /// What is left after one more process has come and gone.
    fn swept(&self, way: Way) -> Vec<String> {
        self.sweep();
        self.left_over(way)
    }

    /// Lets one more process come and go, as on the next day.
    pub fn sweep(&self) {
        let _ = fs::remove_file(self.home.at("daemon.log"));
        let mut daemon = Daemon::start(&self.home, &[]);
        wait_until("a daemon has begun", PATIENCE, || {
            daemon.log().contains("watching inbox").then_some(())
        });
        daemon.terminate();
        daemon.ended(PATIENCE);
    }
}
