use std::time::Duration;

use vodmill_queue::{Error, JobState, KindBacklog, NewTask, RetryPolicy, TaskState};

use crate::world::{MINUTE, POLICY, World, ending, task};

const ONCE: RetryPolicy = RetryPolicy { max_attempts: 1, ..POLICY };

pub fn backlog_by_kind(world: World) {
    let kind = |key: &str, kind: &str| NewTask { kind: kind.into(), ..task(key, &[]) };
    let after = NewTask { kind: "mux".into(), ..task("m", &["b"]) };
    world.enqueue("j", &[kind("a", "audio"), kind("b", "video"), kind("c", "video"), after]);
    world.queue.fail(&world.claim(), "broken", "{}", &POLICY).unwrap();
    world.clock.advance(Duration::from_secs(4));
    world.claim();
    let backlog = world.queue.backlog().unwrap();
    let audio = KindBacklog { kind: "audio".into(), delayed: 1, ..KindBacklog::default() };
    let mux = KindBacklog { kind: "mux".into(), waiting: 1, ..KindBacklog::default() };
    let oldest_ready = Some(Duration::from_secs(4));
    let video =
        KindBacklog { kind: "video".into(), ready: 1, leased: 1, oldest_ready, ..mux.clone() };
    assert_eq!(backlog.kinds, [audio, mux, KindBacklog { waiting: 0, ..video }]);
    assert_eq!(backlog.oldest_ready, oldest_ready);
    assert_eq!(backlog.in_state(TaskState::Ready), 2);
}

pub fn leases_are_listed(world: World) {
    world.enqueue("j", &[task("a", &[]), task("b", &[])]);
    let first = world.claim();
    world.clock.advance(Duration::from_secs(1));
    let yours = world.queue.claim("you", MINUTE, &Default::default()).unwrap().unwrap();
    let leases = world.queue.leases().unwrap();
    let seen: Vec<_> = leases.iter().map(|lease| (lease.holder.as_str(), lease.token)).collect();
    assert_eq!(seen, [("me", first.token), ("you", yours.token)]);
    let last = &leases[1];
    assert_eq!((last.job_id.as_str(), last.key.as_str(), last.kind.as_str()), ("j", "b", "work"));
    assert_eq!((last.attempt, last.expires_at - last.started_at), (1, 60_000));
}

fn quarantined(world: &World) -> Vec<(String, String)> {
    let tasks = world.queue.quarantined(9).unwrap();
    tasks.into_iter().map(|found| (found.job_id, found.task.key)).collect()
}

pub fn quarantined_then_retried(world: World) {
    world.enqueue("j", &[task("a", &[]), task("b", &["a"])]);
    let error = world.queue.retry_quarantined("j", "a").unwrap_err();
    assert_eq!(error.to_string(), "retry j task a: it is ready, not quarantined");
    world.queue.fail(&world.claim(), "broken", "{\"log\":1}", &ONCE).unwrap();
    let found = world.queue.quarantined(9).unwrap();
    assert_eq!(found[0].job_name, "j.mov");
    assert_eq!(found[0].pipeline, "films");
    assert_eq!(found[0].task, world.task("j", "a"));
    assert_eq!(found[0].task.evidence.as_deref(), Some("{\"log\":1}"));
    world.queue.retry_quarantined("j", "a").unwrap();
    assert!(quarantined(&world).is_empty());
    assert_eq!(world.state("j"), JobState::Waiting);
    world.done(&world.claim());
    world.queue.complete(&world.claim(), &ending()).unwrap();
    assert_eq!(world.state("j"), JobState::Published);
    for (job, key) in [("j", "z"), ("x", "a")] {
        assert!(world.queue.retry_quarantined(job, key).is_err());
    }
    assert!(matches!(world.queue.drop_quarantined("x", "a"), Err(Error::NoSuchJob { .. })));
}

pub fn quarantined_then_dropped(world: World) {
    world.enqueue("j", &[task("a", &[])]);
    world.queue.fail(&world.claim(), "broken", "{\"log\":1}", &ONCE).unwrap();
    assert_eq!(world.queue.backlog().unwrap().quarantined, 1);
    world.queue.drop_quarantined("j", "a").unwrap();
    world.queue.drop_quarantined("j", "a").unwrap();
    assert!(quarantined(&world).is_empty());
    assert_eq!(world.queue.backlog().unwrap().quarantined, 0);
    assert_eq!(world.state("j"), JobState::Failed);
    let kept = world.task("j", "a");
    assert_eq!((kept.state, kept.evidence.as_deref()), (TaskState::Cancelled, Some("{\"log\":1}")));
    world.queue.retry("j").unwrap();
    assert_eq!(world.drain(), ["a"]);
}

/// What outlives its job is taken up without it.
pub fn quarantined_after_the_end(world: World) {
    world.enqueue("j", &[task("a", &[])]);
    let mut end = ending();
    end.then = vec![task("tell", &[])];
    world.queue.complete(&world.claim(), &end).unwrap();
    world.queue.fail(&world.claim(), "nobody there", "{}", &ONCE).unwrap();
    assert_eq!(quarantined(&world), [("j".to_owned(), "tell".to_owned())]);
    world.queue.retry_quarantined("j", "tell").unwrap();
    assert_eq!(world.state("j"), JobState::Published);
    assert_eq!(world.drain(), ["tell"]);
}
