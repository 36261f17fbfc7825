//! `sync` on a real server.

mod place;
mod tap;

use std::fs;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use vodmill_store::s3::{Condition, PutOptions};
use vodmill_store::sync::{Limit, Reason, SyncError, Why};

use place::Place;
use tap::Then;

/// Names that are written otherwise in URLs.
const NAMES: [&str; 8] = [
    "plain.ts",
    "a b/c d.ts",
    "a+b.ts",
    "100%.ts",
    "%2Fslash.ts",
    "größe/日本.m4s",
    "q?x=1&y#z.json",
    "~'()*!;:@=$,.vtt",
];

fn full() -> Place {
    let place = Place::new();
    for name in NAMES {
        place.write(name, name);
    }
    place
}

#[test]
fn a_tree_arrives_whole_and_is_then_left_alone() {
    let place = full();
    let tap = place.tap(|_, _| Then::Pass);
    let report = place.at(&tap).sync();
    assert_eq!((report.uploaded, report.unchanged), (NAMES.len(), 0));
    assert_eq!(tap.writes(), NAMES.len(), "a good server is not tried out");
    for name in NAMES {
        assert_eq!(place.read(name), name.as_bytes(), "{name}");
    }
    let head = place.head("größe/日本.m4s");
    assert_eq!(head.headers.content_type.as_deref(), Some("video/mp4"));

    let tap = place.tap(|_, _| Then::Pass);
    let report = place.at(&tap).sync();
    assert_eq!((report.uploaded, report.unchanged), (0, NAMES.len()));
    assert_eq!(tap.writes(), 0, "nothing was written");
    assert!(tap.paths("HEAD").is_empty(), "nor was any object looked at");
}

#[test]
fn an_edit_that_keeps_the_size_is_found() {
    let place = full();
    place.settle();
    let path = place.path("plain.ts");
    let before = fs::metadata(&path).and_then(|it| it.modified()).expect("time");
    place.write("plain.ts", "PLAIN.TS");
    // As some tools do that copy trees.
    place.set_time("plain.ts", before);
    let report = place.sync();
    assert_eq!(place.events("upload"), ["plain.ts other content"]);
    assert_eq!(report.unchanged, NAMES.len() - 1);
    assert_eq!(place.read("plain.ts"), b"PLAIN.TS");
}

#[test]
fn a_file_that_was_only_touched_is_read_once_and_not_uploaded() {
    let place = full();
    place.settle();
    place.set_time("plain.ts", SystemTime::now() - Duration::from_secs(1_000_000));
    let tap = place.tap(|_, _| Then::Pass);
    let report = place.at(&tap).sync();
    assert_eq!((report.uploaded, tap.writes()), (0, 0));
    assert_eq!(place.events("same"), ["plain.ts"]);
}

#[test]
fn what_is_gone_is_deleted_when_asked_and_within_the_limit() {
    let place = full();
    place.sync();
    place.remove("plain.ts");
    place.remove("a b/c d.ts");
    assert_eq!(place.sync().deleted, 0);
    assert!(place.has("plain.ts"), "not asked");

    let refused = place.with(|sync| sync.delete = Some(Limit::Count(1)));
    let Err(SyncError::TooManyDeletes { count: 2, limit: 1, objects: 8, head }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(head, ["a b/c d.ts", "plain.ts"]);
    assert!(place.has("plain.ts"), "refused");

    let dry = place.with(|sync| (sync.delete, sync.dry_run) = (Some(Limit::Percent(25)), true));
    assert_eq!(dry.expect("a plan").deleted, 2);
    assert_eq!(place.events("delete"), ["a b/c d.ts", "plain.ts"]);
    assert!(place.has("plain.ts"), "only said");

    let report = place.with(|sync| sync.delete = Some(Limit::Percent(25))).expect("a report");
    assert_eq!((report.deleted, report.failures.len()), (2, 0));
    assert!(!place.has("plain.ts") && place.has("a+b.ts"));
}

/// The server writes `/` for `\\`, so that what was put looks like an object without a file.
#[test]
fn what_a_server_keeps_under_another_key_is_not_deleted() {
    let place = full();
    place.write("gone.ts", "gone");
    place.sync();
    place.remove("gone.ts");
    place.write("odd\\name.ts", "odd");
    for round in 0..3 {
        let report = place.with(|sync| sync.delete = Some(Limit::Count(9))).expect("a report");
        assert!(place.has("odd/name.ts"), "{round}: it was deleted");
        if round > 0 {
            assert!(!report.is_complete(), "{round}: {report:?}");
        }
        assert_eq!(place.read("odd/name.ts"), b"odd", "{round}");
    }
    assert!(place.has("gone.ts"), "nothing is deleted while that is so");
    place.remove("odd\\name.ts");
    place.write("odd/name.ts", "odd");
    let report = place.with(|sync| sync.delete = Some(Limit::Count(9))).expect("a report");
    assert!(report.is_complete() && place.has("odd/name.ts") && !place.has("gone.ts"));
}

/// Two names that the server takes for one: neither is lost in silence.
#[test]
fn names_that_become_one_are_told() {
    let place = Place::new();
    place.write("gone.ts", "gone");
    place.sync();
    place.remove("gone.ts");
    place.write("odd/name.ts", "one");
    place.write("odd\\name.ts", "another");
    let report = place.with(|sync| sync.delete = Some(Limit::Count(9))).expect("a report");
    assert!(report.failures.iter().any(|it| it.name.starts_with("odd")), "{report:?}");
    assert!(place.has("gone.ts"));
}

#[test]
fn an_object_that_somebody_else_wrote_is_replaced() {
    let place = full();
    place.settle();
    place.put("plain.ts", "PLAIN.TS");
    place.sync();
    assert_eq!(place.events("upload"), ["plain.ts other content"]);
    assert_eq!(place.read("plain.ts"), b"plain.ts");
}

#[test]
fn a_lost_manifest_costs_reading_only() {
    let place = full();
    place.write_bytes("large.mp4", &noise(17 << 20));
    place.sync();
    fs::remove_file(&place.manifest).expect("lost");
    let tap = place.tap(|_, _| Then::Pass);
    let report = place.at(&tap).sync();
    assert_eq!((report.uploaded, tap.writes()), (0, 0));
    assert_eq!(place.events("same").len(), NAMES.len() + 1);

    fs::remove_file(&place.manifest).expect("lost");
    place.write("plain.ts", "PLAIN.TS");
    let report = place.sync();
    assert_eq!(report.uploaded, 1);
    assert_eq!(place.read("plain.ts"), b"PLAIN.TS");
}

#[test]
fn other_headers_are_seen_with_the_manifest_and_without() {
    let place = full();
    place.sync();
    let kept = || place.sync_kept("max-age=1").uploaded;
    assert_eq!(kept(), NAMES.len());
    assert_eq!(place.head("100%.ts").headers.cache_control.as_deref(), Some("max-age=1"));
    fs::remove_file(&place.manifest).expect("lost");
    assert_eq!(kept(), 0);
    fs::remove_file(&place.manifest).expect("lost");
    assert_eq!(place.sync().uploaded, NAMES.len(), "back to no cache policy");
}

#[test]
fn what_points_goes_up_last_and_what_is_gone_goes_at_the_end() {
    let place = Place::new();
    for name in ["old.ts", "old.m3u8"] {
        place.write(name, name);
    }
    place.sync();
    for name in ["old.ts", "old.m3u8"] {
        place.remove(name);
    }
    for name in ["a/index.m3u8", "a/asset.json", "z.ts"] {
        place.write(name, name);
    }
    place.write_bytes("a/0.ts", &noise(9 << 20));
    let tap = place.tap(|_, _| Then::Pass);
    place.at(&tap).with(|sync| sync.delete = Some(Limit::Count(2))).expect("a report");
    let mut order = place.events("upload");
    order[..2].sort();
    assert_eq!(order, ["a/0.ts new", "z.ts new", "a/index.m3u8 new", "a/asset.json new"]);
    assert_eq!(place.events("delete"), ["old.m3u8", "old.ts"]);
    let at = |name: &str| {
        let ends = |path: &String| path.ends_with(name);
        tap.paths("PUT").iter().rposition(ends).expect("it was put")
    };
    assert!(at("a/0.ts") < at("a/index.m3u8") && at("a/index.m3u8") < at("a/asset.json"));
}

#[test]
fn after_a_failure_nothing_points_to_what_is_not_there() {
    let place = Place::new();
    place.write("gone.ts", "gone");
    place.sync();
    place.remove("gone.ts");
    for name in ["0.ts", "1.ts", "index.m3u8"] {
        place.write(name, name);
    }
    let refuse = |method: &str, target: &str| match method == "PUT" && target.contains("1.ts") {
        true => Then::Refuse,
        false => Then::Pass,
    };
    let tap = place.tap(refuse);
    let failed = place.at(&tap).with(|sync| sync.delete = Some(Limit::Count(1)));
    let report = failed.expect("a report");
    assert_eq!((report.uploaded, report.held_back, report.spared), (1, 1, 1));
    let [failure] = report.failures.as_slice() else { panic!("{:?}", report.failures) };
    assert_eq!(failure.name, "1.ts");
    assert!(failure.error.contains("1.ts") && failure.error.contains("403"), "{failure:?}");
    assert!(!report.is_complete() && !place.has("index.m3u8") && place.has("gone.ts"));

    let report = place.with(|sync| sync.delete = Some(Limit::Count(1))).expect("a report");
    assert_eq!((report.uploaded, report.deleted), (2, 1));
}

#[test]
fn a_file_that_changes_while_it_goes_up_is_sent_again() {
    let place = Place::new();
    place.write("log.txt", "0000");
    let puts = Arc::new(AtomicUsize::new(0));
    let (path, count) = (place.path("log.txt"), puts.clone());
    let tap = place.tap(move |method, target| {
        if method == "PUT"
            && target.contains("log.txt")
            && count.fetch_add(1, Ordering::SeqCst) == 0
        {
            fs::write(&path, "1111").expect("edit");
        }
        Then::Pass
    });
    assert_eq!(place.at(&tap).sync().uploaded, 1);
    assert_eq!(puts.load(Ordering::SeqCst), 2);
    assert_eq!(place.read("log.txt"), b"1111");
}

#[test]
fn a_file_that_keeps_changing_is_reported() {
    let place = Place::new();
    place.write("log.txt", "0000");
    let path = place.path("log.txt");
    let tap = place.tap(move |method, target| {
        if method == "PUT" && target.contains("log.txt") {
            fs::write(&path, format!("{:?}", SystemTime::now())).expect("edit");
        }
        Then::Pass
    });
    let report = place.at(&tap).sync();
    assert_eq!(report.failures.len(), 1);
    assert!(report.failures[0].error.contains("changes while it is read"), "{report:?}");
    // Whatever arrived is put right by the next.
    place.sync();
    let bytes = fs::read(place.path("log.txt")).expect("file");
    assert_eq!(place.read("log.txt"), bytes);
}

#[test]
fn links_are_said_and_left() {
    let place = full();
    std::os::unix::fs::symlink("plain.ts", place.path("link.ts")).expect("link");
    let report = place.sync();
    assert_eq!(report.skipped.len(), 1);
    assert_eq!(report.skipped[0].why, Why::Link);
    assert!(report.is_complete() && !place.has("link.ts"));
}

#[test]
fn a_dry_run_says_what_would_be_done_and_does_nothing() {
    let place = full();
    let tap = place.tap(|_, _| Then::Pass);
    let report = place.at(&tap).with(|sync| sync.dry_run = true).expect("a plan");
    assert_eq!((report.uploaded, tap.writes()), (NAMES.len(), 0));
    let mut sorted = NAMES.map(|name| format!("{name} {}", Reason::New));
    sorted.sort();
    assert_eq!(place.events("upload"), sorted);
    assert_eq!(place.sync().uploaded, NAMES.len());
}

#[test]
fn a_prefix_is_not_the_beginning_of_a_name() {
    let place = Place::new();
    let beside = format!("{}-beside/x", place.prefix.trim_end_matches('/'));
    let (options, any) = (PutOptions::default(), Condition::None);
    place.bucket.put(&beside, "x", &options, &any).expect("put");
    place.write("a", "a");
    place.with(|sync| sync.delete = Some(Limit::Count(9))).expect("a report");
    assert!(place.bucket.head(&beside).expect("an answer").is_some());
}

/// What the killed process runs.
#[test]
#[ignore = "a process of its own, started by the test below"]
fn killed_child() {
    let Ok(place) = std::env::var("VODMILL_SYNC_CHILD") else { return };
    Place::open(&place).with(|sync| sync.jobs = 1).expect("a report");
}

#[test]
fn a_killed_sync_goes_on_where_it_was() {
    let place = Place::new();
    let files: usize = 40;
    for number in 0..files {
        place.write(&format!("{number:02}.ts"), "segment");
    }
    place.write("index.m3u8", "playlist");
    // The server stops answering after some puts; then the process is killed.
    let (puts, told) = (AtomicUsize::new(0), std::sync::mpsc::channel());
    let tell = std::sync::Mutex::new(told.0);
    let tap = place.tap(move |method, target| {
        let is_file = method == "PUT" && target.contains(".ts") && !target.contains("probe");
        if is_file && puts.fetch_add(1, Ordering::SeqCst) >= 20 {
            let _ = tell.lock().expect("whole").send(());
            return Then::Hang;
        }
        Then::Pass
    });
    let exe = std::env::current_exe().expect("this program");
    let mut child = Command::new(exe);
    child.args(["--exact", "sync::killed_child", "--ignored", "--nocapture"]);
    child.env("VODMILL_SYNC_CHILD", place.describe(&tap)).stdout(Stdio::null());
    let mut child = child.spawn().expect("a child");
    told.1.recv_timeout(Duration::from_secs(60)).expect("20 puts");
    child.kill().expect("killed");
    child.wait().expect("ended");
    assert!(!place.has("index.m3u8"));

    let tap = place.tap(|_, _| Then::Pass);
    let report = place.at(&tap).sync();
    let puts = tap.paths("PUT").iter().filter(|path| path.ends_with(".ts")).count();
    assert_eq!((report.uploaded, puts), (files - 20 + 1, files - 20));
    for number in 0..files {
        assert_eq!(place.read(&format!("{number:02}.ts")), b"segment");
    }
}

fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    std::iter::repeat_with(next).take(bytes).collect()
}

#[test]
fn what_is_left_alone_is_neither_put_nor_deleted() {
    let place = Place::new();
    for name in ["a/private/new.mp4", "a/0.ts"] {
        place.write(name, name);
    }
    place.put("a/private/old.mp4", "old");
    place.put("a/gone.ts", "gone");
    let at = place.with(|sync| {
        sync.leave_out = &|name| name.contains("/private/");
        sync.delete = Some(Limit::Count(9));
    });
    let report = at.expect("a report");
    assert_eq!((report.uploaded, report.deleted), (1, 1));
    assert_eq!((report.left_out, report.left_there), (1, 1));
    assert!(place.has("a/private/old.mp4") && !place.has("a/private/new.mp4"));
    assert!(!place.has("a/gone.ts"));
}
