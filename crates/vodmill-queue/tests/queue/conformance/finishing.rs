use std::time::Duration;

use vodmill_clock::Clock;
use vodmill_queue::{
    Cause, ClaimFilter, Completion, Error, Failure, JobFilter, JobOutcome, JobState, MonthFigures,
    RetryPolicy, TaskState,
};

use crate::world::{MINUTE, POLICY, World, ending, task};

pub fn retried_with_back_off_then_quarantined(world: World) {
    world.enqueue("j", &[task("a", &[]), task("b", &["a"])]);
    let mut now = 1_000_000;
    // The second wait would be 20 s, and is cut to the policy's 15 s.
    for seconds in [10, 15] {
        let lease = world.claim();
        let failure = world.queue.fail(&lease, "broken", "{\"log\":1}", &POLICY).unwrap();
        now += seconds * 1000;
        assert_eq!(failure, Failure::Retried { run_at: now });
        world.clock.advance(Duration::from_millis(seconds as u64 * 1000 - 1));
        assert!(world.try_claim().is_none(), "not due yet");
        world.clock.advance(Duration::from_millis(1));
    }
    let lease = world.claim();
    assert_eq!(lease.attempt, 3);
    let failure = world.queue.fail(&lease, "broken", "{\"log\":3}", &POLICY).unwrap();
    assert_eq!(failure, Failure::Quarantined);
    let seen = world.task("j", "a");
    assert_eq!((seen.state, seen.attempts), (TaskState::Quarantined, 3));
    assert_eq!(seen.error.as_deref(), Some("broken"));
    assert_eq!(seen.evidence.as_deref(), Some("{\"log\":3}"));
    assert_eq!(world.task("j", "b").state, TaskState::Cancelled);
    assert_eq!(world.state("j"), JobState::Failed);
}

/// What the world does to a task takes nothing from its own attempts.
pub fn attempts_are_counted_by_cause(world: World) {
    world.enqueue("j", &[task("a", &[])]);
    let away = RetryPolicy { cause: Cause::Outage, max_attempts: 6, ..POLICY };
    let fail = |policy: &RetryPolicy| {
        world.clock.advance(MINUTE);
        world.queue.fail(&world.claim(), "no", "{}", policy).unwrap()
    };
    for _ in 0..5 {
        assert!(matches!(fail(&away), Failure::Retried { .. }));
    }
    for _ in 0..4 {
        world.clock.advance(MINUTE);
        world.claim();
        world.clock.advance(2 * MINUTE);
        assert_eq!(world.queue.reap_expired().unwrap(), 1);
    }
    assert!(matches!(fail(&POLICY), Failure::Retried { .. }), "its first own failure");
    assert!(matches!(fail(&POLICY), Failure::Retried { .. }));
    let seen = world.task("j", "a");
    assert_eq!((seen.attempts, seen.failures, seen.outages, seen.losses), (11, 2, 5, 4));
    assert_eq!(fail(&away), Failure::Quarantined, "the sixth outage");
    world.queue.retry("j").unwrap();
    let seen = world.task("j", "a");
    assert_eq!((seen.attempts, seen.failures, seen.outages, seen.losses), (0, 0, 0, 0));
    fail(&away);
    fail(&away);
    let run_at = world.clock.now() + 60_000 + 10_000;
    assert_eq!(fail(&POLICY), Failure::Retried { run_at }, "the pause after a first failure");
}

pub fn rejected(world: World) {
    world.enqueue("j", &[task("a", &[]), task("b", &["a"]), task("c", &[])]);
    let (lease, other) = (world.claim(), world.claim());
    world.queue.reject(&lease, "{\"code\":\"no_video\"}").unwrap();
    let job = world.queue.job("j").unwrap();
    assert_eq!(job.state, JobState::Rejected);
    assert_eq!(job.reason.as_deref(), Some("{\"code\":\"no_video\"}"));
    assert_eq!(world.task("j", "a").state, TaskState::Rejected);
    assert_eq!(world.task("j", "b").state, TaskState::Cancelled);
    let error = world.queue.progress(&other, "{}").unwrap_err();
    assert!(matches!(error, Error::LeaseLost { .. }));
    world.queue.retry("j").unwrap();
    assert_eq!(world.drain(), ["a", "c"]);
}

pub fn outcomes(world: World) {
    let reason = || "why".to_owned();
    for (id, outcome, state) in [
        ("p", JobOutcome::Published, JobState::Published),
        ("r", JobOutcome::Rejected { reason: reason() }, JobState::Rejected),
        ("f", JobOutcome::Failed { reason: reason() }, JobState::Failed),
    ] {
        world.enqueue(id, &[task("a", &[])]);
        let completion = Completion { job: Some(outcome), ..Completion::default() };
        world.queue.complete(&world.claim(), &completion).unwrap();
        assert_eq!(world.state(id), state);
    }
    assert_eq!(world.queue.job("f").unwrap().reason, Some(reason()));
}

pub fn ended_job_fences_its_holders(world: World) {
    world.enqueue("j", &[task("a", &[]), task("b", &[])]);
    let (a, b) = (world.claim(), world.claim());
    world.queue.complete(&a, &ending()).unwrap();
    let before = world.everything();
    let error = world.queue.complete(&b, &Completion::default()).unwrap_err();
    assert!(matches!(error, Error::LeaseLost { .. }));
    assert_eq!(world.everything(), before);
}

pub fn told_after_the_end(world: World) {
    world.enqueue("j", &[task("a", &[]), task("b", &[])]);
    let then = vec![task("tell", &[]), task("tell again", &["tell"])];
    world.queue.complete(&world.claim(), &Completion { then, ..ending() }).unwrap();
    assert_eq!(world.state("j"), JobState::Published);
    let tell = world.claim();
    assert_eq!(tell.key, "tell");
    let error = world.queue.complete(&tell, &ending()).unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error}");
    world.done(&tell);
    let again = world.claim();
    world.queue.reject(&again, "no such address").unwrap();
    assert_eq!(world.state("j"), JobState::Published);
    assert!(world.try_claim().is_none());
}

/// What failed may be the machine: another one tries sooner.
pub fn others_try_first(world: World) {
    world.enqueue("j", &[task("a", &[])]);
    let others = || world.queue.claim("other", MINUTE, &ClaimFilter::default()).unwrap();
    let lease = world.claim();
    world.queue.fail(&lease, "no", "{}", &POLICY).unwrap();
    assert!(others().is_none(), "at once");
    world.clock.advance(POLICY.base_delay / 2);
    assert!(world.try_claim().is_none(), "where it failed");
    let lease = others().expect("elsewhere, half the time is enough");
    world.queue.release(&lease).unwrap();
    assert_eq!(world.claim().attempt, 2, "released elsewhere, anyone may");
}

pub fn counted_once(world: World) {
    let counting = |month: &str, figures: &[(&str, u64)]| {
        let figures = figures.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        Completion { figures: Some(MonthFigures { month: month.to_owned(), figures }), ..ending() }
    };
    let november = counting("2026-11", &[("bytes", 5_000_000_000), ("published", 1)]);
    for id in ["a", "b"] {
        world.enqueue(id, &[task("publish", &[])]);
        let lease = world.claim();
        world.queue.complete(&lease, &november).unwrap();
        // As after an answer that was lost.
        world.queue.complete(&lease, &november).unwrap();
        world.another().complete(&lease, &november).unwrap();
    }
    world.enqueue("late", &[task("publish", &[])]);
    let lease = world.claim();
    world.clock.advance(2 * MINUTE);
    world.queue.reap_expired().unwrap();
    let december = counting("2026-12", &[("published", 1)]);
    let late = world.queue.complete(&lease, &december).unwrap_err();
    assert!(matches!(late, Error::LeaseLost { .. }), "{late}");
    world.queue.complete(&world.claim(), &december).unwrap();
    let sums = world.another().totals().unwrap();
    let sums: Vec<_> =
        sums.iter().map(|sum| (&*sum.pipeline, &*sum.month, &*sum.name, sum.value)).collect();
    assert_eq!(
        sums,
        [
            ("films", "2026-11", "bytes", 10_000_000_000),
            ("films", "2026-11", "published", 2),
            ("films", "2026-12", "published", 1),
        ]
    );
    world.queue.set_job_asset("b", "film", "b.mov").unwrap();
    let filter = JobFilter { asset: Some("film".to_owned()), ..JobFilter::default() };
    let jobs = world.queue.jobs(&filter, 9).unwrap();
    assert_eq!(jobs.into_iter().map(|job| job.id).collect::<Vec<_>>(), ["b"]);
}
