use std::time::Duration;

use vodmill_queue::{
    ClaimFilter, Completion, Error, Failure, JobState, Lease, MAX_LOST_LEASES, NewJob, NewTask,
    RetryPolicy, TaskState,
};

use crate::world::{MINUTE, POLICY, World, job, task};

pub fn told_what_to_do(world: World) {
    world.enqueue("j", &[task("a", &[])]);
    assert_eq!(world.state("j"), JobState::Waiting);
    let lease = world.claim();
    assert_eq!((lease.job_id.as_str(), lease.key.as_str()), ("j", "a"));
    assert_eq!((lease.pipeline.as_str(), lease.kind.as_str()), ("films", "work"));
    assert_eq!(lease.job_payload, "{\"j\":1}");
    assert_eq!(lease.payload, "{\"key\":\"a\"}");
    assert_eq!((lease.attempt, lease.expires_at), (1, 1_060_000));
    assert_eq!(world.state("j"), JobState::Running);
    world.queue.progress(&lease, "{\"frames\":7}").unwrap();
    let seen = world.task("j", "a");
    assert_eq!(seen.progress.as_deref(), Some("{\"frames\":7}"));
    assert_eq!((seen.state, seen.holder.as_deref()), (TaskState::Leased, Some("me")));
}

pub fn ordered_by_priority_then_age(world: World) {
    world.enqueue("j", &[task("old", &[]), task("same age", &[])]);
    world.clock.advance(MINUTE);
    let urgent = NewTask { priority: 5, ..task("urgent task", &[]) };
    world.enqueue("k", &[task("young", &[]), urgent]);
    let job = NewJob { priority: 9, ..job("l") };
    let humble = NewTask { priority: -5, ..task("humble task of an urgent job", &[]) };
    world.queue.enqueue(&job, &[humble, task("urgent job", &[])]).unwrap();
    let order =
        ["urgent job", "urgent task", "humble task of an urgent job", "old", "same age", "young"];
    assert_eq!(world.drain(), order);
}

pub fn limited_to_kinds(world: World) {
    let kinds = ["probe", "chunk", "mux"];
    let tasks = kinds.map(|kind| NewTask { kind: kind.into(), ..task(kind, &[]) });
    world.enqueue("j", &tasks);
    let claim = |kinds: &[&str]| {
        let filter = ClaimFilter::kinds(kinds.iter().copied());
        world.queue.claim("me", MINUTE, &filter).unwrap().map(|lease| lease.key)
    };
    assert_eq!(claim(&["audio"]), None);
    assert_eq!(claim(&["mux", "audio"]).as_deref(), Some("mux"));
    assert_eq!(claim(&["mux", "chunk"]).as_deref(), Some("chunk"));
    assert_eq!(claim(&[]).as_deref(), Some("probe"));
}

pub fn heartbeat_extends(world: World) {
    world.enqueue("j", &[task("a", &[]), task("b", &["a"])]);
    let lease = world.claim();
    for _ in 0..3 {
        world.clock.advance(Duration::from_secs(50));
        world.queue.heartbeat(&lease, MINUTE).unwrap();
        assert_eq!(world.queue.reap_expired().unwrap(), 0);
    }
    world.done(&lease);
}

/// Every write of a holder is refused, and nothing changes.
fn assert_fenced(world: &World, lease: &Lease) {
    let refused = writes(world, lease).map(|(what, result)| {
        let error = result.expect_err(what);
        assert!(matches!(error, Error::LeaseLost { .. }), "{what}: {error}");
        assert!(error.to_string().contains("task a of job j"), "{error}");
    });
    assert_eq!(refused.len(), 6);
}

/// Every write but the one by which the lease has ended is refused; that one is answered as it was,
/// and nothing changes.
fn assert_ended(world: &World, lease: &Lease, how: &str) {
    for (what, result) in writes(world, lease) {
        let lost = matches!(result, Err(Error::LeaseLost { .. }));
        assert_eq!(lost, what != how, "{what} after {how}: {result:?}");
        assert!(lost || result.is_ok(), "{what} after {how}: {result:?}");
    }
}

fn writes(world: &World, lease: &Lease) -> [(&'static str, vodmill_queue::Result<()>); 6] {
    let before = world.everything();
    let queue = &world.queue;
    let then = Completion { then: vec![task("more", &[])], ..crate::world::ending() };
    let results = [
        ("heartbeat", queue.heartbeat(lease, MINUTE).map(drop)),
        ("progress", queue.progress(lease, "{}")),
        ("complete", queue.complete(lease, &then)),
        ("fail", queue.fail(lease, "late", "{}", &POLICY).map(drop)),
        ("reject", queue.reject(lease, "{}")),
        ("release", queue.release(lease)),
    ];
    assert_eq!(world.everything(), before);
    results
}

pub fn told_again_how_it_ended(world: World) {
    world.enqueue("j", &[task("a", &[]), task("b", &["a"])]);
    let lease = world.claim();
    world.queue.release(&lease).unwrap();
    assert_ended(&world, &lease, "release");
    let lease = world.claim();
    let failure = world.queue.fail(&lease, "broken", "{}", &POLICY).unwrap();
    assert_eq!(world.queue.fail(&lease, "broken", "{}", &POLICY).unwrap(), failure);
    assert_ended(&world, &lease, "fail");
    world.clock.advance(MINUTE);
    let lease = world.claim();
    world.done(&lease);
    assert_ended(&world, &lease, "complete");
    let last = world.claim();
    world.queue.complete(&last, &crate::world::ending()).unwrap();
    world.queue.complete(&last, &crate::world::ending()).unwrap();
    assert_ended(&world, &lease, "complete");
    assert_eq!(world.state("j"), JobState::Published);
}

pub fn told_again_how_the_job_ended(world: World) {
    world.enqueue("j", &[task("a", &[])]);
    let once = RetryPolicy { max_attempts: 1, ..POLICY };
    let lease = world.claim();
    for _ in 0..2 {
        let failure = world.queue.fail(&lease, "broken", "{}", &once).unwrap();
        assert_eq!(failure, Failure::Quarantined);
    }
    assert_ended(&world, &lease, "fail");
    world.queue.retry("j").unwrap();
    assert_fenced(&world, &lease);
    let lease = world.claim();
    world.queue.reject(&lease, "why").unwrap();
    assert_ended(&world, &lease, "reject");
    world.queue.restart("j").unwrap();
    assert_fenced(&world, &lease);
}

pub fn expired_lease_changes_nothing(world: World) {
    world.enqueue("j", &[task("a", &[]), task("b", &["a"])]);
    let lease = world.claim();
    world.clock.advance(MINUTE);
    assert_fenced(&world, &lease);
}

pub fn reaped_lease_changes_nothing(world: World) {
    world.enqueue("j", &[task("a", &[]), task("b", &["a"])]);
    let late = world.claim();
    world.clock.advance(MINUTE);
    assert!(world.try_claim().is_none());
    assert_eq!(world.queue.reap_expired().unwrap(), 1);
    assert_fenced(&world, &late);
    let next = world.claim();
    assert_eq!((next.key.as_str(), next.attempt), ("a", 2));
    assert_fenced(&world, &late);
    world.done(&next);
    assert_fenced(&world, &late);
    assert_ended(&world, &next, "complete");
}

pub fn lost_too_often_is_quarantined(world: World) {
    world.queue.set_setting(MAX_LOST_LEASES, "2").unwrap();
    world.enqueue("j", &[task("a", &[]), task("b", &["a"])]);
    for _ in 0..2 {
        world.claim();
        world.clock.advance(MINUTE);
        assert_eq!(world.queue.reap_expired().unwrap(), 1);
    }
    let lost = world.task("j", "a");
    assert_eq!((lost.state, lost.losses), (TaskState::Quarantined, 2));
    assert_eq!(lost.evidence.as_deref(), Some("lease expired 2 times"));
    assert_eq!(world.task("j", "b").state, TaskState::Cancelled);
    assert_eq!(world.state("j"), JobState::Failed);
    assert_eq!(world.queue.backlog().unwrap().quarantined, 1);
}

pub fn released_is_not_counted(world: World) {
    world.enqueue("j", &[task("a", &[]), task("b", &[])]);
    for _ in 0..9 {
        let lease = world.claim();
        assert_eq!((lease.key.as_str(), lease.attempt), ("a", 1));
        world.queue.release(&lease).unwrap();
        assert_ended(&world, &lease, "release");
    }
}

pub fn tokens_rise(world: World) {
    world.enqueue("j", &[task("a", &[]), task("b", &[])]);
    let mut last = 0;
    for _ in 0..4 {
        let lease = world.claim();
        assert!(lease.token > last);
        last = lease.token;
        world.queue.release(&lease).unwrap();
    }
}

/// A process that has the queue to itself takes up what an earlier one held.
pub fn released_all_at_once(world: World) {
    world.enqueue("j", &[task("a", &[]), task("b", &[])]);
    let (lease, _) = (world.claim(), world.claim());
    assert_eq!(world.queue.release_all().unwrap(), 2);
    assert_fenced(&world, &lease);
    assert_eq!(world.claim().attempt, 1, "the attempt was not counted");
}

/// Whoever has no room for it gets it later, others at once.
pub fn postponed_for_its_holder_alone(world: World) {
    world.enqueue("j", &[task("a", &[])]);
    for _ in 0..9 {
        let lease = world.claim();
        world.queue.postpone(&lease, MINUTE, "no room").unwrap();
        // Told again, since the answer was lost.
        world.queue.postpone(&lease, MINUTE, "no room").unwrap();
        assert_eq!(world.task("j", "a").error.as_deref(), Some("no room"));
        assert!(world.try_claim().is_none());
        world.clock.advance(MINUTE);
    }
    let lease = world.claim();
    assert_eq!(lease.attempt, 1);
    world.queue.postpone(&lease, MINUTE, "no room").unwrap();
    let other = world.queue.claim("other", MINUTE, &ClaimFilter::default()).unwrap();
    assert_eq!(other.map(|lease| lease.attempt), Some(1));
}
