//! Many at once.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use vodmill_queue::{ClaimFilter, SqliteQueue};

use crate::world::{MINUTE, World, numbered, sqlite};

#[test]
fn each_task_goes_to_one_thread() {
    let world = sqlite();
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
    let queue = SqliteQueue::open_with_clock(&world.path, world.clock.clone()).unwrap();
    let claim = || queue.claim("other", MINUTE, &ClaimFilter::default()).unwrap();
    std::iter::from_fn(claim).map(|lease| lease.key).collect()
}

#[test]
fn claims_stay_fast_behind_a_backlog() {
    let world = sqlite();
    for job in 0..20 {
        world.enqueue(&format!("j{job}"), &numbered(1000));
    }
    let mut times: Vec<Duration> = (0..101)
        .map(|_| {
            let start = Instant::now();
            world.claim();
            start.elapsed()
        })
        .collect();
    times.sort();
    let median = times[times.len() / 2];
    println!("median claim at 20,000 ready: {median:?}");
    assert!(median < Duration::from_millis(20), "{median:?}");
}
