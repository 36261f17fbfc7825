use vodmill_queue::{Completion, Error, TaskState};

use crate::world::{World, ending, job, task};

pub fn fan_in(world: World) {
    world.enqueue("j", &[task("a", &[]), task("b", &[]), task("c", &["a", "b", "a"])]);
    let (a, b) = (world.claim(), world.claim());
    assert!(world.try_claim().is_none());
    world.done(&b);
    assert_eq!(world.task("j", "c").pending, 1);
    assert!(world.try_claim().is_none());
    world.done(&a);
    assert_eq!(world.drain(), ["c"]);
}

pub fn added_tasks_wait_for_old_and_new(world: World) {
    world.enqueue("j", &[task("plan", &[]), task("audio", &[])]);
    let plan = world.claim();
    let then = vec![
        task("mux", &["chunk", "audio", "plan"]),
        task("chunk", &["plan"]),
        task("end", &["mux"]),
    ];
    world.queue.complete(&plan, &Completion { then, ..Completion::default() }).unwrap();
    let (audio, chunk) = (world.claim(), world.claim());
    assert_eq!((audio.key.as_str(), chunk.key.as_str()), ("audio", "chunk"));
    world.done(&chunk);
    world.done(&audio);
    let mux = world.claim();
    assert_eq!(mux.key, "mux");
    world.done(&mux);
    assert_eq!(world.drain(), ["end"]);
}

pub fn wrong_graphs_change_nothing(world: World) {
    let refused = |tasks: &[_]| {
        let error = world.queue.enqueue(&job("j"), tasks).unwrap_err();
        assert!(matches!(error, Error::Refused { .. }), "{error}");
        assert!(error.to_string().starts_with("enqueue job j: "), "{error}");
    };
    refused(&[]);
    refused(&[task("a", &[]), task("a", &[])]);
    refused(&[task("a", &["nobody"])]);
    refused(&[task("a", &["a"])]);
    refused(&[task("x", &[]), task("a", &["b"]), task("b", &["c", "x"]), task("c", &["a"])]);
    assert!(world.queue.jobs(&Default::default(), 9).unwrap().is_empty());
}

pub fn completion_is_atomic(world: World) {
    world.enqueue("j", &[task("a", &[]), task("b", &["a"])]);
    let lease = world.claim();
    let before = world.everything();
    for wrong in [task("b", &[]), task("c", &["nobody"])] {
        let then = vec![task("good", &["a"]), wrong];
        let completion = Completion { then, ..ending() };
        let error = world.queue.complete(&lease, &completion).unwrap_err();
        assert!(error.to_string().starts_with("complete j task a: "), "{error}");
        assert_eq!(world.everything(), before);
    }
    world.done(&lease);
    assert_eq!(world.task("j", "b").state, TaskState::Ready);
}

pub fn a_job_is_never_stranded(world: World) {
    world.enqueue("j", &[task("a", &[])]);
    let lease = world.claim();
    let error = world.queue.complete(&lease, &Completion::default()).unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error}");
    world.queue.complete(&lease, &ending()).unwrap();
}
