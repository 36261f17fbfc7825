//! A clock that is set to another time.

use std::time::Duration;

use vodmill_clock::Clock;
use vodmill_queue::{
    BatchLimits, ClaimFilter, EventKind, JobState, StalePath, Subscription, Subscriptions,
};

use crate::world::{MINUTE, POLICY, World, ending, task};

const HOUR: i64 = 3_600_000;

/// As every worker looks, again and again.
fn look(world: &World) {
    world.queue.reap_expired().unwrap();
}

fn set_by(world: &World, milliseconds: i64) {
    look(world);
    world.clock.set(world.clock.now() + milliseconds);
}

pub fn set_back_what_is_ready_is_claimed(world: World) {
    world.enqueue("j", &[task("a", &[]), task("b", &["a"])]);
    set_by(&world, -HOUR);
    world.enqueue("k", &[task("c", &[])]);
    look(&world);
    let first = world.claim();
    assert_eq!(first.key, "a", "the older is still first");
    world.done(&first);
    assert_eq!(world.drain(), ["b", "c"]);
}

pub fn set_back_a_delay_is_as_long_as_it_was(world: World) {
    world.enqueue("j", &[task("a", &[]), task("b", &[])]);
    let (a, b) = (world.claim(), world.claim());
    world.queue.fail(&a, "broken", "{}", &POLICY).unwrap();
    world.queue.postpone(&b, POLICY.base_delay, "no room").unwrap();
    set_by(&world, -HOUR);
    look(&world);
    world.clock.advance(POLICY.base_delay - Duration::from_millis(1));
    assert!(world.try_claim().is_none(), "a pause is a pause");
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(world.drain(), ["b", "a"]);
}

pub fn set_back_a_lease_is_as_long_as_it_was(world: World) {
    world.enqueue("j", &[task("a", &[]), task("b", &[])]);
    let (held, _gone) = (world.claim(), world.claim());
    set_by(&world, -HOUR);
    look(&world);
    assert!(world.try_claim().is_none(), "nobody has lost a lease by it");
    world.clock.advance(MINUTE / 2);
    let until = world.queue.heartbeat(&held, MINUTE).unwrap();
    assert_eq!(until, world.clock.now() + 60_000);
    world.clock.advance(MINUTE / 2);
    look(&world);
    assert_eq!(world.drain(), ["b"], "who is gone is not waited for longer");
    world.done(&held);
}

pub fn set_forward_a_lease_is_kept(world: World) {
    world.enqueue("j", &[task("a", &[]), task("b", &[])]);
    let (held, _gone) = (world.claim(), world.claim());
    set_by(&world, HOUR);
    // A heart beats before anybody else looks.
    world.queue.progress(&held, "{}").unwrap();
    world.queue.heartbeat(&held, MINUTE).unwrap();
    assert!(world.try_claim().is_none());
    world.clock.advance(MINUTE / 2);
    world.queue.heartbeat(&held, MINUTE).unwrap();
    world.clock.advance(MINUTE / 2);
    look(&world);
    assert_eq!(world.drain(), ["b"]);
    world.done(&held);
}

pub fn set_back_a_settler_is_replaced_in_time(world: World) {
    world.enqueue("j", &[task("a", &[])]);
    world.queue.complete(&world.claim(), &ending()).unwrap();
    assert_eq!(world.state("j"), JobState::Published);
    assert!(world.queue.claim_ended("gone", MINUTE).unwrap().is_some());
    set_by(&world, -HOUR);
    assert!(world.queue.claim_ended("me", MINUTE).unwrap().is_none(), "it may be at it");
    world.clock.advance(MINUTE);
    assert!(world.queue.claim_ended("me", MINUTE).unwrap().is_some());
}

pub fn set_back_events_go_out(world: World) {
    let subscription = |target: &str| Subscription {
        pipeline: "films".into(),
        target: target.into(),
        kinds: vec![EventKind::Progressing],
    };
    world.queue.subscribe(Subscriptions::new(vec![subscription("one"), subscription("two")]));
    world.enqueue("j", &[task("a", &[])]);
    world.claim();
    let taken = world.queue.claim_delivery("two", MINUTE).unwrap();
    assert!(taken.is_some());
    set_by(&world, -HOUR);
    assert!(world.queue.claim_delivery("one", MINUTE).unwrap().is_some(), "at once");
    assert!(world.queue.claim_delivery("two", MINUTE).unwrap().is_none(), "it is on its way");
    world.clock.advance(MINUTE);
    assert!(world.queue.claim_delivery("two", MINUTE).unwrap().is_some());
}

pub fn set_back_stale_paths_go_out(world: World) {
    let path = |name: &str| StalePath { distribution: "E1".into(), path: name.into() };
    let limits = BatchLimits { paths: 9, wildcards: 9 };
    world.queue.mark_stale("films", &[path("/a")]).unwrap();
    let batch = world.queue.claim_batch("E1", &limits, MINUTE).unwrap().unwrap();
    set_by(&world, -HOUR);
    assert!(world.queue.claim_batch("E1", &limits, MINUTE).unwrap().is_none(), "on its way");
    world.clock.advance(MINUTE);
    let again = world.queue.claim_batch("E1", &limits, MINUTE).unwrap().unwrap();
    assert_eq!(again.reference, batch.reference);
}

/// As after a reboot: nobody has seen the clock as it was.
pub fn set_back_while_nobody_looked(world: World) {
    world.enqueue("j", &[task("a", &[]), task("b", &[])]);
    world.claim();
    world.clock.set(world.clock.now() - HOUR);
    let other = world.another();
    other.reap_expired().unwrap();
    let claim = || other.claim("other", MINUTE, &ClaimFilter::default()).unwrap();
    assert_eq!(claim().map(|lease| lease.key).as_deref(), Some("b"));
    world.clock.advance(MINUTE);
    other.reap_expired().unwrap();
    assert!(claim().is_some(), "the lease of a process that is gone has run out");
}
