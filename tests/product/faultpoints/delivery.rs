//! The walk through the points that no job comes by: other keys for what is published, and what leaves
//! the house. At each, a process is killed; whoever comes next goes on.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;
use vodmill_tests::cases::case;
use vodmill_tests::product::{Daemon, Home, Passes, fault_points};
use vodmill_tests::services::{Cdn, Mood, Postgres, Receiver};

use super::round::BESIDE_JOBS;

const PATIENCE: Duration = Duration::from_secs(180);

/// Those points, of all.
pub fn points(all: &[String]) -> impl Iterator<Item = String> {
    let ours = |point: &&String| BESIDE_JOBS.iter().any(|start| point.starts_with(start));
    all.iter().filter(ours).cloned()
}

/// A home on a queue of many, a receiver that does not want anything yet, and a CDN.
struct World {
    home: Home,
    postgres: Postgres,
    receiver: Receiver,
    cdn: Cdn,
    /// All points.
    points: Vec<String>,
    passes: Passes,
}

impl World {
    fn new() -> World {
        let (postgres, cdn) = (Postgres::shared(), Cdn::start("E1"));
        let receiver = Receiver::start(Mood::Status(500));
        postgres.make("queue");
        let mut home = Home::quick_with_faults("", true);
        for (name, value) in cdn.account() {
            home.set(name, value);
        }
        let (queue, endpoint) = (postgres.database("queue"), cdn.endpoint());
        home.write(
            "vodmill.toml",
            &format!(
                "settle_seconds = 0\nworkers = 1\nlease_seconds = 5\nqueue = \"{queue}\"\n\
                 work = \"work\"\n[aws]\ncloudfront_endpoint = \"{endpoint}\"\n"
            ),
        );
        home.write_secret("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let file = home.at("pipelines/default.toml");
        let pipeline = fs::read_to_string(file).expect("a pipeline");
        let url = receiver.url();
        let site = format!("name = \"site\"\nto = \"{url}\"\nsecret_file = \"secret\"");
        let cdns = "[invalidation]\ndistribution = \"E1\"";
        home.write("pipelines/default.toml", &format!("{pipeline}\n[[notify]]\n{site}\n{cdns}\n"));
        let passes = Passes::order(&mut home, "");
        World { home, postgres, receiver, cdn, points: fault_points(), passes }
    }

    /// The points that begin so.
    fn points<'a>(&'a self, starts: &'a [&str]) -> impl Iterator<Item = &'a String> {
        self.points.iter().filter(|point| starts.iter().any(|start| point.starts_with(start)))
    }

    /// Whoever comes by one of these first is killed.
    fn order(&mut self, starts: &[&str]) {
        let orders: String = self.points(starts).map(|point| format!("{point}=kill;")).collect();
        self.passes = Passes::order(&mut self.home, &orders);
    }

    /// Whether somebody was killed at each of these.
    fn have_happened(&self, starts: &[&str]) -> bool {
        let passes = self.passes.read();
        let killed = |point: &String| {
            passes.iter().any(|pass| pass.point == *point && pass.action.is_some())
        };
        self.points(starts).all(killed)
    }

    /// As if the time of every claim and of every pause were over.
    fn time_passes(&self) {
        let now = "SET run_at = 0 WHERE state";
        let (deliveries, batches) = ("= 'waiting'", "IN ('open', 'sent')");
        let both = format!("UPDATE deliveries {now} {deliveries}; UPDATE batches {now} {batches}");
        self.postgres.run("queue", &both);
    }

    fn listed(&self, arguments: &[&str]) -> Value {
        let mut command = self.home.command();
        command.env_remove("VODMILL_FAULT").env_remove("VODMILL_FAULT_FILE");
        let output = command.args(arguments).output().expect("it runs");
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// Drops what is no film, and returns how many events there will be, of so many before.
    fn refuse_another(&self, events: usize) -> usize {
        self.home.drop_into("default", &case("text.mp4"), format!("bad-{events}.mp4"));
        events + 2
    }

    /// What is still to be delivered, for whoever reads why a test failed.
    fn state(&self) -> String {
        let outbox = self.listed(&["outbox", "--json"]);
        let batches = self.listed(&["invalidations", "--json"]);
        format!("outbox: {outbox}\ninvalidations: {batches}")
    }

    fn is_all_over(&self, events: usize) -> bool {
        let outbox = self.listed(&["outbox", "--json"]);
        let outbox = outbox.as_array().expect("a list");
        let batches = self.listed(&["invalidations", "--json"]);
        outbox.len() == events
            && outbox.iter().all(|one| one["state"] == "delivered")
            && batches["waiting"] == Value::Array(vec![])
            && batches["batches"].as_array().is_some_and(|all| {
                !all.is_empty() && all.iter().all(|batch| batch["state"] == "completed")
            })
    }
}

/// Points of commands that give other keys.
const KEYS: [&str; 3] = ["rekey.", "queue.mark_stale.", "queue.replace_secret."];

const EVENTS: [&str; 3] = ["queue.claim_delivery.", "queue.delivered.", "queue.delivery_failed."];

const BATCHES: [&str; 4] =
    ["queue.claim_batch.", "queue.batch_sent.", "queue.batch_failed.", "queue.batch_completed."];

/// An asset gets other keys, an original is refused: whoever is to know of it does, whatever dies.
#[test]
fn every_point_of_delivery() {
    let mut world = World::new();
    let asset = world.home.publish(&case("good.mp4"));
    let name = asset.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
    let place = world.home.at("published").to_str().expect("a path of ours").to_owned();
    world.order(&KEYS);
    let mut tries = 0;
    while world.home.vodmill(&["rekey", &name, "--in", &place]).code != 0 {
        tries += 1;
        assert!(tries < 20, "{:?}", world.passes.read());
    }
    assert!(world.have_happened(&KEYS), "{:?}", world.passes.read());
    let check = world.home.vodmill(&["check".as_ref(), asset.as_os_str()]);
    assert!(check.out.ends_with("\nsound\n"), "{check:?}");

    world.order(&[&EVENTS[..], &BATCHES].concat());
    // It is told that a job began, and that it was refused.
    let mut events = world.refuse_another(0);
    let (mut daemon, begun) = (Daemon::start(&world.home, &[]), Instant::now());
    while !(world.have_happened(&EVENTS)
        && world.have_happened(&BATCHES)
        && world.is_all_over(events))
    {
        assert!(begun.elapsed() < PATIENCE, "{}\n{:?}", world.state(), world.passes.read());
        if !daemon.runs() {
            daemon = Daemon::start(&world.home, &[]);
        }
        if world.have_happened(&["queue.delivery_failed."]) {
            world.receiver.set(Mood::Status(200));
        }
        if world.have_happened(&["queue.batch_failed."]) {
            world.cdn.complete_all();
        }
        world.time_passes();
        // Killed by one thread just after another's commit, a process does not come by its point; and
        // there is nothing left to be told.
        if world.is_all_over(events) {
            events = world.refuse_another(events);
            assert_eq!(world.home.vodmill(&["rekey", &name, "--in", &place]).code, 0);
        }
        std::thread::sleep(Duration::from_millis(300));
    }
    let mut told: Vec<String> =
        world.receiver.taken().iter().map(|it| it["id"].to_string()).collect();
    // Twice at most: by who was killed before he had noted it, at either of two points.
    assert!((events..=events + 2).contains(&told.len()), "{told:?}");
    told.sort();
    told.dedup();
    assert_eq!(told.len(), events, "{told:?}");
    let batches =
        world.listed(&["invalidations", "--json"])["batches"].as_array().map_or(0, Vec::len);
    assert_eq!(world.cdn.batches().len(), batches, "each batch is one invalidation");
}
