//! The faults F1 to F20 of the list of failure cases, as far as no other test has them: see the table
//! in docs/failures.md.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use vodmill_tests::cases::case;
use vodmill_tests::conformance::assert_package;
use vodmill_tests::product::{Daemon, Home, Passes, wait_until};
use vodmill_tests::tools::ffmpeg;

const PATIENCE: Duration = Duration::from_secs(180);

fn wait_for_state(home: &Home, state: &str) -> Value {
    wait_until(state, PATIENCE, || {
        let mut jobs = home.jobs();
        assert!(jobs.len() < 2, "{jobs:?}");
        let job = jobs.pop()?;
        let ended = |state: &Value| *state != "waiting" && *state != "running";
        assert!(job["state"] == state || !ended(&job["state"]), "{job}");
        (job["state"] == state).then_some(job)
    })
}

fn wait_for_log(daemon: &Daemon, what: &str) {
    wait_until(what, PATIENCE, || daemon.log().contains(what).then_some(()));
}

/// What is published is whole; the original is put away, and nothing else is left.
fn ended_well(home: &Home, name: &str) {
    wait_for_state(home, "published");
    let done = home.inbox("default").join("done").join(name);
    wait_until("all is settled", PATIENCE, || {
        (done.exists() && home.scratch().is_empty()).then_some(())
    });
    let asset = home.only_asset();
    let keys = home.keys(&asset);
    assert_package(&asset, keys.as_deref());
    let folders = fs::read_dir(&asset).expect("the asset").flatten();
    assert_eq!(folders.filter(|entry| entry.path().is_dir()).count(), 1, "generations");
}

/// There is no room on the state's disk: work waits, without an attempt, until there is.
#[test]
fn f01_a_full_disk_is_waited_for() {
    let home = Home::quick("", false);
    home.write("vodmill.toml", "settle_seconds = 0\nlog = \"debug\"\n");
    let state = home.at("state");
    fs::create_dir(&state).expect("a folder");
    home.drop_into("default", &case("good.mp4"), "film.mp4");
    // A disk of its own, in a namespace of its own, nearly full.
    let script = "mount -t tmpfs -o size=300m none \"$1\" && fallocate -l 250m \"$1/filler\" && \
                  shift && exec \"$@\"";
    let vodmill = home.command();
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", script, "sh"]).arg(&state).arg(vodmill.get_program());
    command.args(vodmill.get_args()).arg("daemon").stdin(Stdio::null());
    let log = home.at("daemon.log");
    command.stderr(fs::File::create(&log).expect("a log"));
    let mut daemon = Killed(command.spawn().expect("unshare runs"));
    let said = || fs::read_to_string(&log).unwrap_or_default();
    wait_until("it waits for room", PATIENCE, || {
        assert!(daemon.0.try_wait().expect("waiting").is_none(), "it ended: {}", said());
        said().contains("task waits for room").then_some(())
    });
    assert!(home.assets().is_empty());
    let inside = format!("/proc/{}/root{}", daemon.0.id(), state.join("filler").display());
    fs::remove_file(inside).expect("making room");
    let done = home.inbox("default").join("done/film.mp4");
    wait_until("it is put away", PATIENCE, || done.exists().then_some(()));
    assert_package(&home.only_asset(), None);
    assert!(!said().contains("task failed"), "it counted as a failure: {}", said());
}

/// A process that is killed with its test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A child stands still: it is killed, and its work is done again.
#[test]
fn f03_a_child_that_hangs() {
    let mut home = Home::quick_with_faults("", false);
    home.write("vodmill.toml", "settle_seconds = 0\nstall_seconds = 3\n");
    home.drop_into("default", &case("good.mp4"), "film.mp4");
    let passes = Passes::order(&mut home, "rendition.written=stop;segments.made=stop");
    let daemon = Daemon::start(&home, &[]);
    let done = home.inbox("default").join("done/film.mp4");
    wait_until("it is put away", PATIENCE, || done.exists().then_some(()));
    let stood_still = passes.read().into_iter().filter(|pass| pass.action.is_some()).count();
    Passes::end(&mut home);
    assert_eq!(stood_still, 2, "children that hung");
    assert_eq!(daemon.log().matches("no progress in the media").count(), 2, "the watchdog");
    ended_well(&home, "film.mp4");
}

/// Heartbeats do not arrive, and the work takes longer than the lease: it is taken away, done again,
/// and counts once.
#[test]
fn f05_a_lease_shorter_than_the_work() {
    let mut home = Home::quick_with_faults("", false);
    home.write("vodmill.toml", "settle_seconds = 0\nlease_seconds = 5\n");
    home.drop_into("default", &case("good.mp4"), "film.mp4");
    let orders = "queue.heartbeat.written=fail@*;rendition.written=delay:9000";
    let _passes = Passes::order(&mut home, orders);
    let mut daemon = Daemon::start(&home, &[]);
    wait_for_log(&daemon, "lease lost; nothing recorded");
    assert!(home.assets().is_empty(), "published without a lease");
    daemon.kill();
    Passes::end(&mut home);
    let _daemon = Daemon::start(&home, &[]);
    ended_well(&home, "film.mp4");
}

/// Whoever works on a cancelled job stops, and leaves nothing; the original stays where it is.
#[test]
fn f06_a_job_cancelled_while_it_is_worked_on() {
    let mut home = Home::quick_with_faults("", true);
    home.write("vodmill.toml", "settle_seconds = 0\nlease_seconds = 5\n");
    home.drop_into("default", &case("good.mp4"), "film.mp4");
    let passes =
        Passes::order(&mut home, "segments.stored=delay:60000;package.written=delay:60000");
    let daemon = Daemon::start(&home, &[]);
    wait_until("segments are stored", PATIENCE, || {
        passes.read().iter().any(|pass| pass.point == "segments.stored").then_some(())
    });
    let id = home.jobs()[0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(home.vodmill(&["jobs", "cancel", &id]).code, 0);
    drop(daemon);
    let _daemon = Daemon::start(&home, &[]);
    wait_until("nothing is left", PATIENCE, || {
        // But for the mark that says whose the place is.
        let published = vodmill_tests::product::tree(&home.at("published"));
        let none = published.keys().all(|name| name == ".vodmill/owner.json");
        (none && home.scratch().is_empty()).then_some(())
    });
    assert_eq!(home.jobs()[0]["state"], "cancelled");
    assert!(home.inbox("default").join("film.mp4").exists(), "the original stays");
}

/// The file is overwritten in its place while its chunks are encoded: never a mixture.
#[test]
fn f09_an_original_overwritten_in_its_place() {
    let mut home = Home::quick_with_faults("", false);
    home.write("vodmill.toml", "settle_seconds = 1\n");
    let place = home.drop_into("default", &case("good.mp4"), "film.mp4");
    let passes = Passes::order(&mut home, "rendition.written=delay:4000");
    let _daemon = Daemon::start(&home, &[]);
    wait_until("a rendition is written", PATIENCE, || {
        passes.read().iter().any(|pass| pass.point == "rendition.written").then_some(())
    });
    let other = fs::read(case("offset.ts")).expect("another film");
    let mut file = fs::File::options().write(true).truncate(true).open(&place).expect("the file");
    file.write_all(&other).expect("overwriting");
    drop(file);
    let done = home.inbox("default").join("done/film.mp4");
    wait_until("the new one is put away", PATIENCE, || done.exists().then_some(()));
    let jobs = wait_until("both jobs have ended", PATIENCE, || {
        let jobs = home.jobs();
        let ended = |job: &Value| job["state"] != "waiting" && job["state"] != "running";
        (jobs.len() == 2 && jobs.iter().all(ended)).then_some(jobs)
    });
    let with = |state: &str| jobs.iter().filter(|job| job["state"] == state).count();
    assert_eq!((with("published"), with("rejected")), (1, 1), "{jobs:?}");
    let refused = jobs.iter().find(|job| job["state"] == "rejected").expect("one is");
    assert_eq!(refused["reason"]["reason"], "input_changed", "{refused}");
    assert_eq!(fs::read(done).expect("it"), other);
    assert_package(&home.only_asset(), None);
}

/// Without the key that all keys are wrapped with nothing is begun, and no new one is made.
#[test]
fn f13_the_wrapping_key_is_lost() {
    let home = Home::quick("", true);
    home.publish(&case("good.mp4"));
    let (kek, kept) = (home.at("state/keys/kek"), home.at("kept"));
    fs::rename(&kek, &kept).expect("losing it");
    let refused = home.run(&case("no_audio.mp4"));
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains("kek is gone"), "{}", refused.err);
    assert!(!kek.exists(), "a new key was made");
    home.write_secret("state/keys/kek", &"0123456789abcdef".repeat(4));
    let refused = home.run(&case("no_audio.mp4"));
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains("is not the key"), "{}", refused.err);
    fs::rename(&kept, &kek).expect("finding it");
    assert_eq!(home.run(&case("no_audio.mp4")).code, 0);
}

/// The keys of a generation vanish after its segments were encrypted: what nobody could play is not
/// published, and a new attempt begins with new keys.
#[test]
fn f13_the_keys_of_a_generation_are_lost() {
    let mut home = Home::quick_with_faults("", true);
    home.write("vodmill.toml", "settle_seconds = 0\n");
    home.drop_into("default", &case("good.mp4"), "film.mp4");
    let passes = Passes::order(&mut home, "segments.stored=delay:3000");
    let daemon = Daemon::start(&home, &[]);
    wait_until("segments are stored", PATIENCE, || {
        passes.read().iter().any(|pass| pass.point == "segments.stored").then_some(())
    });
    fs::remove_dir_all(home.at("state/keys/generations")).expect("losing them");
    fs::create_dir(home.at("state/keys/generations")).expect("an empty folder");
    let failed = wait_for_state(&home, "failed");
    assert!(failed["reason"].as_str().is_some_and(|why| why.contains("key")), "{failed}");
    assert!(home.assets().is_empty(), "published what cannot be played");
    assert!(home.inbox("default").join("film.mp4").exists(), "the original stays");
    let id = failed["id"].as_str().expect("an id").to_owned();
    assert_eq!(home.vodmill(&["jobs", "retry", &id]).code, 0);
    ended_well(&home, "film.mp4");
    drop(daemon);
}

/// More chunks than files may be open.
#[test]
fn f16_few_open_files_and_many_chunks() {
    let home = Home::quick("segment_seconds = 1", false);
    home.write(
        "presets/small.toml",
        "kind = \"ladder\"\n[video]\nspeed = \"ultrafast\"\ngop_seconds = 1\n[[rung]]\n\
         name = \"low\"\nwidth = 64\nheight = 36\ncrf = 30\nmax_bitrate = \"100k\"\n",
    );
    home.write(
        "presets/small-mp4.toml",
        "kind = \"mp4\"\n[video]\nspeed = \"ultrafast\"\ngop_seconds = 1\nwidth = 64\n\
         height = 36\ncrf = 30\nmax_bitrate = \"100k\"\n",
    );
    home.write(
        "pipelines/default.toml",
        "ladder = \"small\"\nmp4 = [\"small-mp4\"]\nchunk_seconds = 1\n[thumbnails]\n\
         storyboard_seconds = 1\n[hls]\nsegment_seconds = 1\n",
    );
    let clip = home.at("many.mp4");
    let picture = "testsrc2=s=64x36:r=5:d=72";
    let arguments =
        ["-f", "lavfi", "-i", picture, "-c:v", "libx264", "-preset", "ultrafast", "-g", "5"];
    let mut arguments = arguments.to_vec();
    arguments.push(clip.to_str().expect("a name of ours"));
    ffmpeg(&arguments).expect("a clip");
    let vodmill = home.command();
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 64 && exec \"$@\"", "sh"]).arg(vodmill.get_program());
    command.args(vodmill.get_args()).args(["run", "--out"]).arg(home.at("published")).arg(&clip);
    let ended = command.output().expect("it runs");
    assert!(ended.status.success(), "{ended:?}");
    assert_package(&home.only_asset(), None);
}

/// A child dies at one file each time: its task is set aside with its evidence, another job goes on,
/// and once the cause is gone the job is taken up again.
#[test]
fn f18_a_file_that_kills_its_child_each_time() {
    let mut home = Home::quick_with_faults("", false);
    home.write("vodmill.toml", "settle_seconds = 0\n");
    home.write("pipelines/mp4.toml", "ladder = \"\"\nmp4 = [\"small-mp4\"]\n");
    home.drop_into("default", &case("good.mp4"), "poison.mp4");
    home.drop_into("mp4", &case("good.mp4"), "sound.mp4");
    // Only one of the two pipelines makes segments.
    let _passes = Passes::order(&mut home, "segments.made=kill@*");
    let mut daemon = Daemon::start(&home, &[]);
    Passes::end(&mut home);
    let jobs = wait_until("both have ended", PATIENCE, || {
        let jobs = home.jobs();
        let ended = |job: &&Value| job["state"] != "waiting" && job["state"] != "running";
        (jobs.iter().filter(ended).count() == 2).then_some(jobs)
    });
    let of = |name: &str| jobs.iter().find(|job| job["name"] == name).expect("a job").clone();
    assert_eq!(of("sound.mp4")["state"], "published", "{jobs:?}");
    let poisoned = of("poison.mp4");
    assert_eq!(poisoned["state"], "failed", "{jobs:?}");
    assert!(poisoned["reason"].as_str().is_some_and(|why| why.contains("signal")), "{poisoned}");
    assert!(home.inbox("default").join("poison.mp4").exists(), "the original stays");
    assert!(!home.at("published/poison").exists(), "something of it is published");
    let id = poisoned["id"].as_str().expect("an id").to_owned();
    let evidence = home.vodmill(&["queue", "evidence", &id, "segments/0000"]);
    assert!(evidence.code == 0 && evidence.out.contains("segments"), "{evidence:?}");
    daemon.kill();
    let _daemon = Daemon::start(&home, &[]);
    assert_eq!(home.vodmill(&["jobs", "retry", &id]).code, 0);
    let done = home.inbox("default").join("done/poison.mp4");
    wait_until("it is put away", PATIENCE, || done.exists().then_some(()));
    assert_package(&home.at("published/poison"), None);
}

/// Another process holds the database's write lock for longer than anyone waits for it.
#[test]
fn f19_a_database_locked_for_long() {
    let home = Home::quick("", false);
    home.write("vodmill.toml", "settle_seconds = 0\nlease_seconds = 5\n");
    let mut daemon = Daemon::start(&home, &[]);
    let database = home.at("state/daemon/queue.sqlite");
    wait_for_log(&daemon, "watching inbox");
    home.drop_into("default", &case("film.mp4"), "film.mp4");
    wait_until("the job has begun", PATIENCE, || {
        home.jobs().iter().any(|job| job["state"] == "running").then_some(())
    });
    let begun = Instant::now();
    let mut lock = hold(&database, 40);
    lock.wait().expect("it lets go");
    assert!(begun.elapsed() >= Duration::from_secs(40), "it was not held");
    assert!(daemon.runs(), "the daemon gave up");
    ended_well(&home, "film.mp4");
}

/// Holds the write lock of an SQLite database for so many seconds, in a process of its own.
fn hold(database: &Path, seconds: u32) -> Child {
    let script = "import sqlite3, sys, time\n\
                  lock = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)\n\
                  lock.execute('BEGIN IMMEDIATE')\n\
                  time.sleep(int(sys.argv[2]))\n\
                  lock.execute('COMMIT')\n";
    let mut command = Command::new("python3");
    command.args(["-c", script]).arg(database).arg(seconds.to_string()).stdin(Stdio::null());
    command.spawn().expect("python3 runs")
}
