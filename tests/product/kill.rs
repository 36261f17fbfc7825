//! SIGKILL at thirty random moments in one job: what is published is what an undisturbed run
//! publishes, and nothing else is left.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use vodmill_tests::cases::case;
use vodmill_tests::conformance::assert_package;
use vodmill_tests::product::{self, Daemon, Home, Random, objects, tree, wait_until};

const KILLS: usize = 30;
const PATIENCE: Duration = Duration::from_secs(240);
const LOGGED: [&str; 4] = ["--log", "debug", "--log-format", "json"];

#[test]
fn thirty_kills_change_no_byte() {
    let (calm, rough) = calm_and_rough(&Home::quick("", false));
    assert_eq!(objects(&calm), objects(&rough), "other bytes");
}

#[test]
fn thirty_kills_change_no_media_behind_keys() {
    let home = Home::quick("", true);
    let (calm, rough) = calm_and_rough(&home);
    let media = |asset: &Path| product::media(asset, &asset.with_file_name("keys"));
    assert_eq!(media(&calm), media(&rough), "other media");
}

/// Runs the same job twice, the second time under fire. The job is the very same, so that all
/// names are: the original comes back as it was, and the state is gone.
fn calm_and_rough(home: &Home) -> (PathBuf, PathBuf) {
    let original = home.drop_into("default", &case("minute.mp4"), "minute.mp4");
    let daemon = Daemon::start(home, &LOGGED);
    settled(home, &daemon);
    let tasks = Story::read(&daemon.log()).done.len();
    drop(daemon);
    let calm = put_by(home, "calm");
    fs::rename(done(home), original).expect("the original comes back");
    for left in ["state", "daemon.log"] {
        let path = home.at(left);
        fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path)).expect("a clean home");
    }
    let log = under_fire(home, tasks);
    Story::read(&log).assert_nothing_done_twice(tasks);
    nothing_left(home);
    (calm, put_by(home, "rough"))
}

/// Kills the daemon with its children, now and then only it or only a child of it, and starts it
/// again, until the job is done.
fn under_fire(home: &Home, tasks: usize) -> String {
    let mut random = Random::new();
    let mut daemon = Daemon::start(home, &LOGGED);
    for kill in 0..KILLS {
        comes_as_far(home, &daemon, due(kill, tasks));
        thread::sleep(Duration::from_millis(random.below(300)));
        match kill % 10 {
            7 => daemon.kill_a_child(),
            3 => {
                daemon.kill_alone();
                daemon = Daemon::start(home, &LOGGED);
            }
            _ => {
                daemon.kill();
                daemon = Daemon::start(home, &LOGGED);
            }
        }
    }
    settled(home, &daemon);
    println!("killed in {:?}", Story::read(&daemon.log()).interrupted);
    daemon.log()
}

/// Tasks that are done when a kill is due. The first two thirds are spread over plan, chunks and
/// sound; the rest fall on packaging and publishing, which are short.
fn due(kill: usize, tasks: usize) -> usize {
    let (spread, last) = (KILLS * 2 / 3, KILLS - 3);
    match kill {
        _ if kill < spread => (tasks - 2) * kill / spread,
        _ if kill < last => tasks - 2,
        _ => tasks - 1,
    }
}

/// Waits until so many tasks are done, and another one has begun since the daemon was started; or
/// until all is over: a kill may come between the end of a task and the line that tells of it.
fn comes_as_far(home: &Home, daemon: &Daemon, due: usize) {
    let begun = |log: &str| log.matches("\"task begun\"").count();
    let before = begun(&daemon.log());
    wait_until("the job goes on", PATIENCE, || {
        let log = daemon.log();
        let far = Story::read(&log).done.len() >= due && begun(&log) > before;
        (far || done(home).exists()).then_some(())
    });
}

fn done(home: &Home) -> PathBuf {
    home.inbox("default").join("done/minute.mp4")
}

/// Waits until the job is published, its original put away and its scratch swept.
fn settled(home: &Home, daemon: &Daemon) {
    wait_until("the job is settled", PATIENCE, || {
        assert!(!daemon.log().contains("Quarantined"), "a task was given up");
        (done(home).exists() && home.scratch().is_empty()).then_some(())
    });
    assert_eq!(home.jobs()[0]["state"], "published");
}

/// Moves what is published aside, after proving it, with its keys beside it.
fn put_by(home: &Home, name: &str) -> PathBuf {
    let asset = home.only_asset();
    let keys = home.keys(&asset);
    assert_package(&asset, keys.as_deref());
    let folder = home.at(name);
    fs::rename(home.at("published"), &folder).expect("renaming");
    if let Some(keys) = keys {
        fs::rename(keys, folder.join("keys")).expect("renaming");
    }
    folder.join(asset.file_name().expect("a name"))
}

fn nothing_left(home: &Home) {
    assert_eq!(home.jobs().len(), 1, "jobs");
    let folders = fs::read_dir(home.only_asset()).expect("the asset").flatten();
    assert_eq!(folders.filter(|entry| entry.path().is_dir()).count(), 1, "generations");
    let files = |folder: &Path| {
        let names = tree(folder).into_keys();
        names.filter(|name| !name.ends_with(".reason.txt")).collect::<Vec<_>>()
    };
    assert_eq!(files(&home.inbox("default")), ["done/minute.mp4"], "the original");
    let unfinished = |name: &String| name.contains(".part") || name.contains(".vodmill-");
    let left = [files(&home.at("state")), files(&home.at("published"))].concat();
    assert_eq!(left.into_iter().filter(unfinished).collect::<Vec<_>>(), [""; 0], "unfinished");
}

/// What a log tells of tasks.
#[derive(Default)]
struct Story {
    done: BTreeSet<String>,
    /// Those that had begun when the daemon was killed, with how often.
    interrupted: BTreeMap<String, u32>,
    done_twice: Vec<String>,
}

impl Story {
    /// Lines that a kill cut short are passed over.
    fn read(log: &str) -> Story {
        let mut story = Story::default();
        let mut under_way = BTreeSet::new();
        for line in log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            let message = line["message"].as_str().unwrap_or_default();
            let task = line["span"]["task"].as_str().unwrap_or_default().to_owned();
            match message {
                "task begun" if story.done.contains(&task) => story.done_twice.push(task),
                "task begun" if under_way.insert(task.clone()) => {}
                "task begun" => *story.interrupted.entry(task).or_default() += 1,
                "task done" => {
                    under_way.remove(&task);
                    story.done.insert(task);
                }
                _ => {}
            }
        }
        story
    }

    fn assert_nothing_done_twice(&self, tasks: usize) {
        assert!(self.done_twice.is_empty(), "done already: {:?}", self.done_twice);
        // A kill may come between the end of a task and the line that tells of it.
        assert!(self.done.len() <= tasks, "{:?}", self.done);
    }
}
