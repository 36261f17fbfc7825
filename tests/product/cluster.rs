//! Many workers on one queue and one bucket: whoever is killed or stands still, and whatever server
//! goes away for a while, what is published is what an undisturbed run publishes, once, and nothing
//! else is left.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use vodmill_tests::conformance::assert_package;
use vodmill_tests::product::{BUCKET, Cluster, Daemon, Random, clips, wait_until};
use vodmill_tests::services::{Cloud, Postgres};

const PATIENCE: Duration = Duration::from_secs(240);
/// After how many kills which server is away.
const OUTAGES: [(usize, &str); 2] = [(4, "queue"), (7, "bucket")];
/// How long it is away.
const OUTAGE: Duration = Duration::from_secs(5);
/// How often the inbox is looked into.
const LISTED: &str = "list_seconds = 2";
const LOGGED: [&str; 4] = ["--log", "debug", "--log-format", "json"];

/// The daemon that watches the inbox, and three workers.
struct Crew<'a> {
    cluster: &'a Cluster,
    members: Vec<Daemon>,
}

impl<'a> Crew<'a> {
    fn start(cluster: &'a Cluster) -> Crew<'a> {
        let members = (0..4).map(|number| member(cluster, number)).collect();
        Crew { cluster, members }
    }

    /// Kills one, most often with its children, and starts another in its place.
    fn kill_one(&mut self, random: &mut Random) {
        let number = random.below(self.members.len() as u64) as usize;
        let victim = &mut self.members[number];
        match random.below(8) {
            0 => return victim.kill_a_child(),
            1 => victim.kill_alone(),
            _ => victim.kill(),
        }
        self.members[number] = member(self.cluster, number);
    }

    /// Lets all end in order.
    fn dismiss(mut self) {
        for member in &self.members {
            member.terminate();
        }
        for member in &mut self.members {
            // One that has hardly begun does not know the signal yet.
            let ended = member.ended(PATIENCE);
            assert!(ended.success() || ended.signal() == Some(15), "it failed: {ended}");
        }
    }

    fn logs(&self) -> String {
        self.members.iter().map(Daemon::log).collect()
    }
}

fn member(cluster: &Cluster, number: usize) -> Daemon {
    match number {
        0 => Daemon::start(&cluster.home, &LOGGED),
        _ => Daemon::worker(&cluster.home, &format!("worker-{number}"), &LOGGED),
    }
}

/// What an undisturbed run of these originals publishes. Everything else of it is removed, so that
/// the next run has the very same jobs.
fn calm(cluster: &Cluster, folder: &Path, names: &[String]) -> BTreeMap<String, Vec<u8>> {
    cluster.queue("calm", LISTED);
    drop_all(cluster, folder, names);
    let crew = Crew::start(cluster);
    cluster.wait_for(names.len(), PATIENCE);
    crew.dismiss();
    assert_eq!(cluster.left_over(), [""; 0], "left of the undisturbed run");
    proved(cluster);
    let published = cluster.published();
    cluster.cloud.clear(BUCKET);
    published
}

fn drop_all(cluster: &Cluster, folder: &Path, names: &[String]) {
    for name in names {
        cluster.drop_into("default", &folder.join(name), name);
    }
}

/// The first of the packages, by readers of our own.
fn proved(cluster: &Cluster) {
    let folder = tempfile::tempdir().expect("a folder");
    cluster.cloud.fetch(BUCKET, "published/clip-00/", folder.path());
    assert_package(folder.path(), None);
}

/// The very same objects as in an undisturbed run, each job once, nothing else.
fn as_if_undisturbed(cluster: &Cluster, calm: &BTreeMap<String, Vec<u8>>, count: usize) {
    let jobs = cluster.home.jobs();
    assert_eq!(jobs.len(), count, "jobs");
    assert!(jobs.iter().all(|job| job["state"] == "published"), "{jobs:?}");
    let rough = cluster.published();
    let odd = |these: &BTreeMap<String, Vec<u8>>, those: &BTreeMap<String, Vec<u8>>| {
        let odd = these.iter().filter(|(key, bytes)| those.get(*key) != Some(bytes));
        odd.map(|(key, _)| key.clone()).collect::<Vec<_>>()
    };
    assert_eq!(odd(&rough, calm), [""; 0], "objects that the undisturbed run has not, or not so");
    assert_eq!(odd(calm, &rough), [""; 0], "objects that only the undisturbed run has so");
    assert_eq!(cluster.left_over(), [""; 0], "left over");
    let asked = cluster.check("clip-00");
    assert!(asked.code == 0 && asked.out.contains("sound"), "{asked:?}");
}

#[test]
fn kills_and_outages_change_no_byte() {
    let (folder, mut random) = (tempfile::tempdir().expect("a folder"), Random::new());
    let names = clips(folder.path(), 20);
    let cluster = Cluster::new(Cloud::seaweedfs(), Postgres::start());
    cluster.pipeline("default", "");
    let calm = calm(&cluster, folder.path(), &names);
    cluster.queue("rough", LISTED);
    drop_all(&cluster, folder.path(), &names);
    under_fire(&cluster, names.len(), &mut random);
    as_if_undisturbed(&cluster, &calm, names.len());
}

/// Kills someone every few seconds; the queue is gone for a while in between, and the bucket too.
fn under_fire(cluster: &Cluster, count: usize, random: &mut Random) {
    let (start, mut kills) = (Instant::now(), 0);
    let mut crew = Crew::start(cluster);
    while !cluster.is_cleared(count) {
        assert!(start.elapsed() < PATIENCE, "{:?}", cluster.home.jobs());
        if let Some((_, what)) = OUTAGES.iter().find(|(after, _)| *after == kills) {
            outage(cluster, what);
            let all_run = crew.members.iter_mut().all(Daemon::runs);
            assert!(all_run, "the outage of the {what} ended one");
        }
        std::thread::sleep(Duration::from_millis(1000 + random.below(2000)));
        crew.kill_one(random);
        kills += 1;
    }
    println!("{kills} kills in {:?}", start.elapsed());
    assert!(OUTAGES.iter().all(|(after, _)| *after < kills), "it was over after {kills} kills");
    crew.dismiss();
}

fn outage(cluster: &Cluster, what: &str) {
    match what {
        "bucket" => cluster.cloud.stop(),
        _ => cluster.postgres.kill(),
    }
    std::thread::sleep(OUTAGE);
    match what {
        "bucket" => cluster.cloud.start_again(),
        _ => cluster.postgres.start_again(),
    }
}

#[test]
fn a_worker_that_stood_still_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let names = clips(folder.path(), 8);
    let cluster = Cluster::new(Cloud::seaweedfs(), Postgres::shared());
    cluster.pipeline("default", "");
    let calm = calm(&cluster, folder.path(), &names);
    cluster.queue("rough", LISTED);
    drop_all(&cluster, folder.path(), &names);
    let crew = Crew::start(&cluster);
    let mut still = Vec::new();
    for _ in 0..2 {
        still.extend(all_stand_still(&cluster, &crew.members[1..]));
    }
    println!("stood still in {still:?}");
    assert!(still.len() > 2, "hardly anyone stood still with a task: {still:?}");
    cluster.wait_for(names.len(), PATIENCE);
    let logs = crew.logs();
    crew.dismiss();
    assert!(!logs.contains("Quarantined"), "a task was set aside");
    as_if_undisturbed(&cluster, &calm, names.len());
}

/// Stops every one of them while it holds a task, and lets them go on when all these tasks are someone
/// else's, or done: the tasks' names. Whoever is not among them works alone meanwhile.
fn all_stand_still(cluster: &Cluster, workers: &[Daemon]) -> Vec<String> {
    let stopped = |worker| stands_still(cluster, worker).map(|task| (worker, task));
    let stopped: Vec<(&Daemon, String)> = workers.iter().filter_map(stopped).collect();
    for (worker, task) in &stopped {
        wait_until("its task is taken from it", PATIENCE, || {
            (held_by(worker, &cluster.backlog()).as_ref() != Some(task)).then_some(())
        });
    }
    stopped.iter().for_each(|(worker, _)| worker.go_on());
    stopped.into_iter().map(|(_, task)| task).collect()
}

/// A task that a worker holds.
fn held_by(worker: &Daemon, backlog: &Value) -> Option<String> {
    let leases = backlog["leases"].as_array().cloned().unwrap_or_default();
    let holder = format!("{}-", worker.id());
    let ours =
        |lease: &&Value| lease["holder"].as_str().is_some_and(|one| one.starts_with(&holder));
    leases.iter().find(ours).map(|lease| format!("{} of {}", lease["task"], lease["job"]))
}

/// Stops a worker while it holds a task: the task's name; none when nothing was left to do.
fn stands_still(cluster: &Cluster, worker: &Daemon) -> Option<String> {
    wait_until("the worker has a task", PATIENCE, || {
        let jobs = cluster.home.jobs();
        if !jobs.is_empty() && jobs.iter().all(|job| job["state"] == "published") {
            return Some(None);
        }
        held_by(worker, &cluster.backlog())?;
        worker.stand_still();
        let task = held_by(worker, &cluster.backlog());
        if task.is_none() {
            worker.go_on();
        }
        task.map(Some)
    })
}
