//! The walk through all fault points: at each a process is killed, fails, stands still for longer than
//! its lease, or is slow. Whatever happens there, the job ends as if nothing had: published (or
//! refused) once, with the same bytes, and with nothing left over.
//!
//! Each point is disturbed in one of these ways, by turns; with VODMILL_WALK=whole (`just nightly`) in
//! every one.

mod buckets;
mod cancel;
mod crew;
mod delivery;
mod lane;
mod round;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use vodmill_tests::product::fault_points;
use vodmill_tests::tools::ffmpeg;

use lane::Lane;
use round::{Round, Rounds, Way};

/// Homes side by side: most of their time is waiting.
const LANES: usize = 10;

#[test]
fn every_point_on_one_machine() {
    let folder = tempfile::tempdir().expect("a folder");
    let clip = folder.path().join("film.mp4");
    make_clip(&clip);
    let points = fault_points();
    let rounds = Rounds::on(&Way::LOCAL, &points);
    let rounds = vec![rounds.clear, rounds.encrypted];
    let reached = walk(LANES, rounds, |number| Lane::new(&clip, number % 2 == 1));
    // Those of buckets and of delivery have tests of their own.
    let elsewhere = Way::REMOTE.iter().flat_map(|way| way.points(&points));
    let known: BTreeSet<String> =
        elsewhere.chain(delivery::points(&points)).chain(reached).collect();
    let missed: Vec<_> = points.iter().filter(|point| !known.contains(*point)).collect();
    assert!(missed.is_empty(), "points that nothing came by: {missed:?}");
}

/// Two seconds in two segments.
fn make_clip(clip: &Path) {
    let picture = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=10:d=2"];
    let sound = ["-f", "lavfi", "-i", "sine=f=330:d=2"];
    let coded = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"];
    let mut arguments: Vec<&str> = [&picture[..], &sound, &coded].concat();
    arguments.push(clip.to_str().expect("a name of ours"));
    ffmpeg(&arguments).expect("a clip");
}

/// Goes through all rounds, side by side; lane `n` those of kind `n` modulo their number. The points
/// that were come by; panics with all that went wrong.
fn walk<'a>(
    lanes: usize,
    rounds: Vec<Vec<Round>>,
    make: impl Fn(usize) -> Lane<'a> + Sync,
) -> BTreeSet<String> {
    let kinds: Vec<_> = rounds.into_iter().map(Mutex::new).collect();
    let reached = Mutex::new(BTreeSet::new());
    let next = |number: usize| kinds[number % kinds.len()].lock().expect("whole").pop();
    all(lanes, next, make, |lane, round| {
        let points = lane.go(round);
        reached.lock().expect("whole").extend(points);
    });
    reached.into_inner().expect("whole")
}

/// Does all of these in lanes side by side; panics with all that went wrong.
fn side_by_side<'a, T: Send + std::fmt::Display>(
    lanes: usize,
    these: Vec<T>,
    make: impl Fn(usize) -> Lane<'a> + Sync,
    go: impl Fn(&mut Lane<'a>, &T) + Sync,
) {
    let these = Mutex::new(these);
    all(lanes, |_| these.lock().expect("whole").pop(), make, go);
}

fn all<'a, T: std::fmt::Display>(
    lanes: usize,
    next: impl Fn(usize) -> Option<T> + Sync,
    make: impl Fn(usize) -> Lane<'a> + Sync,
    go: impl Fn(&mut Lane<'a>, &T) + Sync,
) {
    let (begun, wrong) = (Instant::now(), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for number in 0..lanes {
            let (next, make, go, wrong) = (&next, &make, &go, &wrong);
            scope.spawn(move || {
                let mut lane = make(number);
                while let Some(one) = next(number) {
                    let at = Instant::now();
                    if let Err(why) = catch_unwind(AssertUnwindSafe(|| go(&mut lane, &one))) {
                        wrong.lock().expect("whole").push(format!("{one}: {}", said(&*why)));
                    }
                    println!("{:6.1} s  {one}", at.elapsed().as_secs_f64());
                }
            });
        }
    });
    println!("all in {:?}", begun.elapsed());
    let wrong = wrong.into_inner().expect("whole");
    assert!(wrong.is_empty(), "{} went wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// What a panic said.
fn said(why: &(dyn std::any::Any + Send)) -> String {
    let text = why.downcast_ref::<String>().cloned();
    text.or_else(|| why.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}
