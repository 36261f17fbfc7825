use std::thread;
use std::time::Duration;

use vodmill_queue::{ClaimFilter, Completion, Lease, NewJob, NewTask};

use crate::world::{MINUTE, World, job, numbered, task};

fn enqueue(world: &World, pipeline: &str, priority: i32, tasks: &[NewTask]) {
    let id = format!("job of {pipeline}");
    let job = NewJob { pipeline: pipeline.into(), priority, ..job(&id) };
    world.queue.enqueue(&job, tasks).unwrap();
    world.clock.advance(Duration::from_secs(1));
}

fn pipelines(leases: &[Lease]) -> Vec<&str> {
    leases.iter().map(|lease| lease.pipeline.as_str()).collect()
}

/// Who holds much waits for who holds little.
pub fn fewest_leases_first(world: World) {
    enqueue(&world, "many", 0, &numbered(200));
    enqueue(&world, "few", 0, &numbered(3));
    enqueue(&world, "one", 0, &numbered(1));
    let leases: Vec<Lease> = (0..8).map(|_| world.claim()).collect();
    let turns = ["many", "few", "one", "many", "few", "many", "few", "many"];
    assert_eq!(pipelines(&leases), turns);
    // Two are given up, and it is the turn of those who gave them up.
    world.queue.release(&leases[1]).unwrap();
    world.queue.release(&leases[4]).unwrap();
    let leases: Vec<Lease> = (0..3).map(|_| world.claim()).collect();
    assert_eq!(pipelines(&leases), ["few", "few", "many"]);
}

/// One worker that does one task after the other serves all.
pub fn longest_unserved_first(world: World) {
    enqueue(&world, "many", 0, &numbered(200));
    enqueue(&world, "few", 0, &numbered(9));
    let serve = |_| {
        let lease = world.claim();
        world.done(&lease);
        lease
    };
    let served: Vec<Lease> = (0..6).map(serve).collect();
    assert_eq!(pipelines(&served), ["many", "few", "many", "few", "many", "few"]);
}

pub fn priority_before_turns(world: World) {
    enqueue(&world, "many", 1, &numbered(20));
    enqueue(&world, "few", 0, &numbered(2));
    let leases: Vec<Lease> = (0..21).map(|_| world.claim()).collect();
    assert!(pipelines(&leases[..20]).iter().all(|pipeline| *pipeline == "many"));
    assert_eq!(leases[20].pipeline, "few");
}

/// A claimer that found nothing is woken when there may be something.
pub fn waiting_ends_with_work(world: World) {
    world.enqueue("j", &[task("a", &[])]);
    let first = world.claim();
    thread::scope(|scope| {
        let claimer = scope.spawn(|| {
            loop {
                if let Some(lease) = world.try_claim() {
                    return lease;
                }
                world.queue.wait(MINUTE);
            }
        });
        world.clock.until_waiting(1);
        let then = vec![task("b", &["a"])];
        world.queue.complete(&first, &Completion { then, ..Completion::default() }).unwrap();
        assert_eq!(claimer.join().unwrap().key, "b", "and no time has passed");
    });
}

pub fn waiting_is_bounded(world: World) {
    assert!(world.queue.claim("me", MINUTE, &ClaimFilter::default()).unwrap().is_none());
    thread::scope(|scope| {
        let claimer = scope.spawn(|| world.queue.wait(MINUTE));
        while !claimer.is_finished() {
            world.clock.advance(MINUTE);
            thread::yield_now();
        }
    });
}
