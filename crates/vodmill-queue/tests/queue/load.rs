//! Many at once.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use vodmill_queue::ClaimFilter;

use crate::world::{MINUTE, World, numbered, postgres, sqlite};

/// A count walks an index over all that is open; it is made for metrics, not for each claim.
const COUNT: Duration = Duration::from_millis(200);

#[test]
fn each_task_goes_to_one_thread_on_sqlite() {
    each_task_goes_to_one_thread(sqlite());
}

#[test]
fn each_task_goes_to_one_thread_on_postgres() {
    each_task_goes_to_one_thread(postgres());
}

fn each_task_goes_to_one_thread(world: World) {
    world.enqueue("j", &numbered(120));
    let start = Barrier::new(6);
    let mut keys: Vec<String> = thread::scope(|scope| {
        let threads: Vec<_> = (0..6)
            .map(|at| {
                let (world, start) = (&world, &start);
                // Half of them share one handle, half have their own, like other processes.
                scope.spawn(move || {
                    start.wait();
                    if at % 2 == 0 { world.drain() } else { drain_alone(world) }
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    keys.sort();
    let expected: Vec<_> = numbered(120).into_iter().map(|task| task.key).collect();
    assert_eq!(keys, expected);
}

fn drain_alone(world: &World) -> Vec<String> {
    let queue = world.another();
    let claim = || queue.claim("other", MINUTE, &ClaimFilter::default()).unwrap();
    std::iter::from_fn(claim).map(|lease| lease.key).collect()
}

#[test]
fn claims_stay_fast_behind_a_backlog_on_sqlite() {
    claims_stay_fast_behind_a_backlog(sqlite());
}

#[test]
fn claims_stay_fast_behind_a_backlog_on_postgres() {
    claims_stay_fast_behind_a_backlog(postgres());
}

/// Machines are shared and tests unoptimised, so a long queue is held against a short one.
fn claims_stay_fast_behind_a_backlog(world: World) {
    world.enqueue("short", &numbered(500));
    let claim = median("500 ready", || drop(world.claim()));
    let limit = 5 * claim + Duration::from_millis(20);
    for job in 0..20 {
        world.enqueue(&format!("j{job}"), &numbered(1000));
    }
    assert!(median("20,000 ready", || drop(world.claim())) < limit);
    world.queue.pause("films").unwrap();
    assert!(median("20,000 paused", || assert!(world.try_claim().is_none())) < limit);
    assert!(median("a count of 20,000", || drop(world.queue.backlog().unwrap())) < COUNT);
}

fn median(what: &str, run: impl Fn()) -> Duration {
    let time = |_| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    let mut times: Vec<Duration> = (0..101).map(time).collect();
    times.sort();
    let median = times[times.len() / 2];
    println!("median with {what}: {median:?}");
    median
}
