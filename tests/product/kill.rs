//! SIGKILL of the daemon and its children at thirty random moments in one job: what is published
//! is what an undisturbed run publishes, and nothing else is left.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use vodmill_tests::cases::case;
use vodmill_tests::conformance::{Package, Report, assert_package};
use vodmill_tests::product::{Daemon, Home, wait_until};

const KILLS: u32 = 30;
const PATIENCE: Duration = Duration::from_secs(240);

/// A small generator (xorshift), seeded anew each time; the seed is printed.
struct Random(u64);

impl Random {
    fn new() -> Random {
        let given = std::env::var("VODMILL_SEED").ok().and_then(|text| text.parse().ok());
        let seed = given.unwrap_or_else(|| RandomState::new().hash_one(1) | 1);
        println!("VODMILL_SEED={seed}");
        Random(seed)
    }

    fn below(&mut self, limit: Duration) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        limit.mul_f64((self.0 >> 11) as f64 / (1_u64 << 53) as f64)
    }
}

#[test]
fn thirty_kills_change_nothing() {
    let calm = Home::quick("", true);
    let (undisturbed, tasks) = undisturbed(&calm);
    let rough = Home::quick("", true);
    rough.drop_into("default", &case("film.mp4"), "film.mp4");
    let mut random = Random::new();
    for kill in 0..KILLS {
        let mut daemon = Daemon::start(&rough, &[]);
        // Spread over the whole job: wait until it has come as far as this kill is due.
        let due = tasks * u64::from(kill) / u64::from(KILLS);
        wait_until("the job goes on", PATIENCE, || (finished(&rough) >= due).then_some(()));
        thread::sleep(random.below(undisturbed / 8));
        daemon.kill();
    }
    let daemon = Daemon::start(&rough, &[]);
    settled(&rough);
    drop(daemon);
    same_packages(&calm, &rough);
}

/// How long the job takes undisturbed, and how many tasks it has.
fn undisturbed(home: &Home) -> (Duration, u64) {
    home.drop_into("default", &case("film.mp4"), "film.mp4");
    let start = Instant::now();
    let _daemon = Daemon::start(home, &[]);
    settled(home);
    (start.elapsed(), finished(home))
}

/// Tasks of the one job that are done.
fn finished(home: &Home) -> u64 {
    let jobs = home.jobs();
    assert!(jobs.len() < 2, "{jobs:?}");
    let Some(id) = jobs.first().and_then(|job| job["id"].as_str()) else { return 0 };
    let shown = home.vodmill(&["jobs", "show", id, "--json"]);
    let job: serde_json::Value = serde_json::from_str(&shown.out).unwrap_or_default();
    assert_ne!(job["state"], "failed", "{job}");
    let tasks = job["tasks"].as_array().map_or(&[][..], Vec::as_slice);
    tasks.iter().filter(|task| task["state"] == "done").count() as u64
}

/// Waits until the job is published and its original put away.
fn settled(home: &Home) {
    let done = home.inbox("default").join("done/film.mp4");
    wait_until("the original is put away", PATIENCE, || {
        (done.exists() && home.scratch().is_empty()).then_some(())
    });
    assert_eq!(home.jobs()[0]["state"], "published");
}

fn same_packages(calm: &Home, rough: &Home) {
    let (calm_asset, rough_asset) = (calm.only_asset(), rough.only_asset());
    assert_package(&rough_asset, rough.keys(&rough_asset).as_deref());
    assert_eq!(media(calm, &calm_asset), media(rough, &rough_asset), "other bytes");
    assert!(rough.scratch().is_empty(), "{:?}", rough.scratch());
    let folders = fs::read_dir(&rough_asset).expect("the asset").flatten();
    let generations = folders.filter(|entry| entry.path().is_dir()).count();
    assert_eq!(generations, 1, "generations of one job");
    let originals = |folder: &Path| {
        let files = fs::read_dir(folder).into_iter().flatten().flatten();
        files.filter(|entry| entry.path().is_file()).count()
    };
    let inbox = rough.inbox("default");
    assert_eq!((originals(&inbox), originals(&inbox.join("done"))), (0, 1), "the original");
}

/// All media of a package, encrypted parts decrypted, by name within its generation.
fn media(home: &Home, asset: &Path) -> BTreeMap<String, Vec<u8>> {
    let keys = home.keys(asset);
    let mut report = Report::default();
    let package = Package::load(asset, keys.as_deref(), &mut report).expect("it loads");
    let mut media = BTreeMap::new();
    for rendition in &package.renditions {
        let (_, name) = rendition.uri.split_once('/').expect("a URI below the generation");
        media.insert(name.to_owned(), fs::read(rendition.clear.path()).expect("clear media"));
    }
    for folder in ["private/mp4", "thumbnails"] {
        let entries = fs::read_dir(package.generation.join(folder)).expect(folder).flatten();
        for entry in entries {
            let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
            media.insert(name, fs::read(entry.path()).expect("an object"));
        }
    }
    media
}
