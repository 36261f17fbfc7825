use std::time::Duration;

use vodmill_queue::{
    Completion, Enqueued, Error, JobFilter, JobState, KindBacklog, NewJob, TaskState,
};

use crate::world::{MINUTE, POLICY, World, ending, job, task};

pub fn enqueued_once(world: World) {
    assert_eq!(world.queue.enqueue(&job("j"), &[task("a", &[])]).unwrap(), Enqueued::New);
    let before = world.everything();
    let again = NewJob { name: "other".into(), ..job("j") };
    let found = world.queue.enqueue(&again, &[task("z", &[])]).unwrap();
    assert_eq!(found, Enqueued::Existing(JobState::Waiting));
    assert_eq!(world.everything(), before);
    let lease = world.claim();
    world.queue.complete(&lease, &ending()).unwrap();
    let found = world.queue.enqueue(&job("j"), &[task("a", &[])]).unwrap();
    assert_eq!(found, Enqueued::Existing(JobState::Published));
}

pub fn cancelled(world: World) {
    world.enqueue("j", &[task("a", &[]), task("b", &[]), task("c", &["a"])]);
    let lease = world.claim();
    assert_eq!(world.queue.cancel("j").unwrap(), JobState::Cancelled);
    for task in world.queue.tasks("j").unwrap() {
        assert_eq!(task.state, TaskState::Cancelled);
    }
    assert!(world.try_claim().is_none());
    let error = world.queue.complete(&lease, &ending()).unwrap_err();
    assert!(matches!(error, Error::LeaseLost { .. }));
    assert_eq!(world.queue.cancel("j").unwrap(), JobState::Cancelled);
    assert!(matches!(world.queue.cancel("x").unwrap_err(), Error::NoSuchJob { .. }));
}

pub fn retried_where_it_stood(world: World) {
    let tasks = [task("a", &[]), task("b", &["a"]), task("c", &["b"])];
    world.enqueue("j", &tasks);
    world.done(&world.claim());
    for _ in 0..3 {
        world.clock.advance(Duration::from_secs(60));
        let lease = world.claim();
        world.queue.fail(&lease, "broken", "{}", &POLICY).unwrap();
    }
    assert_eq!(world.state("j"), JobState::Failed);
    assert_eq!(world.queue.job("j").unwrap().reason.as_deref(), Some("broken"));
    world.queue.mark_cleaned("j").unwrap();
    world.queue.retry("j").unwrap();
    let found = world.queue.job("j").unwrap();
    assert_eq!((found.state, found.reason, found.cleaned), (JobState::Waiting, None, false));
    assert_eq!(world.task("j", "a").state, TaskState::Done);
    assert_eq!(world.task("j", "c").state, TaskState::Waiting);
    let lease = world.claim();
    assert_eq!((lease.key.as_str(), lease.attempt), ("b", 1));
    assert_eq!(world.state("j"), JobState::Running);
    world.done(&lease);
    assert_eq!(world.drain(), ["c"]);
}

pub fn restarted_from_the_beginning(world: World) {
    world.enqueue("j", &[task("a", &[]), task("b", &["a"])]);
    let then = vec![task("more", &["a"]), task("last", &["b", "more"])];
    for _ in 0..2 {
        let completion = Completion { then: then.clone(), ..Completion::default() };
        world.queue.complete(&world.claim(), &completion).unwrap();
        world.done(&world.claim());
        assert!(matches!(world.queue.restart("j").unwrap_err(), Error::Refused { .. }));
        world.queue.cancel("j").unwrap();
        world.queue.restart("j").unwrap();
        let states: Vec<_> = world.queue.tasks("j").unwrap();
        let states: Vec<_> = states.iter().map(|task| (task.key.as_str(), task.state)).collect();
        assert_eq!(states, [("a", TaskState::Ready), ("b", TaskState::Waiting)]);
    }
    assert_eq!(world.claim().attempt, 1);
}

pub fn only_ended_jobs_are_retried(world: World) {
    world.enqueue("j", &[task("a", &[])]);
    assert!(matches!(world.queue.retry("j").unwrap_err(), Error::Refused { .. }));
    let lease = world.claim();
    world.queue.complete(&lease, &ending()).unwrap();
    let error = world.queue.retry("j").unwrap_err();
    assert_eq!(error.to_string(), "retry job j: it is published");
    assert!(matches!(world.queue.retry("x").unwrap_err(), Error::NoSuchJob { .. }));
}

pub fn found_by_prefix(world: World) {
    for id in ["abc", "abd", "abdef", "b%"] {
        world.enqueue(id, &[task("a", &[])]);
    }
    let found = |prefix, limit| -> Vec<String> {
        let jobs = world.queue.jobs_by_prefix(prefix, limit).unwrap();
        jobs.into_iter().map(|job| job.id).collect()
    };
    assert_eq!(found("abc", 9), ["abc"]);
    assert_eq!(found("ab", 9), ["abc", "abd", "abdef"]);
    assert_eq!(found("ab", 2), ["abc", "abd"]);
    assert_eq!(found("b", 9), ["b%"]);
    assert!(found("a%", 9).is_empty() && found("_", 9).is_empty() && found("abdefg", 9).is_empty());
    assert_eq!(found("", 9).len(), 4);
    assert!(matches!(world.queue.job("ab").unwrap_err(), Error::NoSuchJob { .. }));
}

pub fn listed(world: World) {
    for id in ["one", "two", "three"] {
        world.clock.advance(Duration::from_secs(1));
        world.enqueue(id, &[task("a", &[])]);
    }
    world.queue.cancel("two").unwrap();
    let ids = |filter: JobFilter, limit| -> Vec<String> {
        world.queue.jobs(&filter, limit).unwrap().into_iter().map(|job| job.id).collect()
    };
    assert_eq!(ids(JobFilter::default(), 2), ["three", "two"]);
    let waiting = JobFilter { state: Some(JobState::Waiting), ..JobFilter::default() };
    assert_eq!(ids(waiting, 9), ["three", "one"]);
    let other = JobFilter { pipeline: Some("other".into()), ..JobFilter::default() };
    assert!(ids(other, 9).is_empty());
    let source = world.queue.job("two").unwrap().source;
    let same = JobFilter { source: Some(source), ..JobFilter::default() };
    assert!(ids(same, 9).contains(&"two".to_owned()));
    let nowhere = JobFilter { source: Some("nowhere".into()), ..JobFilter::default() };
    assert!(ids(nowhere, 9).is_empty());
}

pub fn swept_once_ended(world: World) {
    world.enqueue("j", &[task("a", &[])]);
    assert!(matches!(world.queue.mark_cleaned("j").unwrap_err(), Error::Refused { .. }));
    world.queue.cancel("j").unwrap();
    assert!(!world.queue.job("j").unwrap().cleaned);
    world.queue.mark_cleaned("j").unwrap();
    assert!(world.queue.job("j").unwrap().cleaned);
    assert_eq!(world.queue.claim_ended("me", MINUTE).unwrap(), None);
}

pub fn backlog_is_counted(world: World) {
    world.enqueue("j", &[task("a", &[]), task("b", &[]), task("c", &["a"])]);
    world.claim();
    world.clock.advance(Duration::from_secs(7));
    let backlog = world.queue.backlog().unwrap();
    assert_eq!(backlog.oldest_ready, Some(Duration::from_secs(7)));
    assert_eq!((backlog.leases, backlog.quarantined), (1, 0));
    for state in [TaskState::Ready, TaskState::Leased, TaskState::Waiting] {
        assert_eq!(backlog.in_state(state), 1);
    }
    let work = KindBacklog {
        kind: "work".into(),
        ready: 1,
        leased: 1,
        waiting: 1,
        oldest_ready: Some(Duration::from_secs(7)),
        ..KindBacklog::default()
    };
    assert_eq!(backlog.kinds, [work]);
    assert_eq!((backlog.jobs[0].state, backlog.jobs[0].count), (JobState::Running, 1));
}

pub fn paused_and_resumed(world: World) {
    world.enqueue("j", &[task("a", &[])]);
    let other = NewJob { pipeline: "clips".into(), ..job("k") };
    world.queue.enqueue(&other, &[task("b", &[])]).unwrap();
    world.queue.pause("films").unwrap();
    world.queue.pause("films").unwrap();
    assert_eq!(world.queue.paused().unwrap(), ["films"]);
    assert_eq!(world.drain(), ["b"]);
    world.queue.resume("films").unwrap();
    assert_eq!(world.drain(), ["a"]);
}
