//! Titles whose pictures are looked at before they are planned.

use vodmill_model::Plan;
use vodmill_queue::{JobState, TaskInfo};

use crate::fake::{Original, What};
use crate::home::{Bounds, Home, assert_state, fault, work, work_by_hand};

/// Of a hundred seconds: long enough for two samples, and for a trial of the size below.
fn long(title: &str) -> Original {
    Original { frames: 2500, ..Original::titled(title) }
}

/// Has a title of `titled` published; its tasks in the order of their keys.
fn published(home: &Home, original: &Original) -> Vec<TaskInfo> {
    let worker = home.open();
    let file = home.drop_original(&format!("{}.mov", original.title), original);
    let job = worker.submit(&home.submission(&file, "titled")).expect("submit").job;
    work(&worker);
    assert_state(&worker, &job, JobState::Published);
    home.assert_sound(&worker, &original.title);
    worker.queue().tasks(&job).expect("list tasks")
}

fn plan_of(tasks: &[TaskInfo]) -> Plan {
    let result = tasks.iter().find(|task| task.key == "plan").and_then(|task| task.result.as_ref());
    let decided: serde_json::Value = serde_json::from_str(result.expect("a result")).expect("JSON");
    serde_json::from_value(decided["plan"].clone()).expect("a plan")
}

#[test]
fn a_title_gets_what_its_samples_need_and_is_read_once() {
    let home = Home::new();
    let plan = plan_of(&published(&home, &long("film")));
    let quality = plan.quality.expect("a quality");
    assert_eq!((quality.target, quality.samples.len()), (95, 2));
    let top = quality.expected.last().expect("a rung");
    let encode = plan.video.iter().find(|encode| encode.id == top.encode).expect("its encode");
    assert_eq!((top.crf.to_string(), &encode.options["crf"]), ("26".into(), &"26".to_owned()));
    for (point, times) in [("probe", 1), ("analyse", 1)] {
        assert_eq!(home.desk.count("film", point), times, "{point}");
    }
}

#[test]
fn a_short_title_is_not_tried() {
    let home = Home::new();
    let plan = plan_of(&published(&home, &Original::titled("film")));
    assert_eq!(plan.quality, None);
    assert_eq!(home.desk.count("film", "analyse"), 0);
    let decision = plan.decisions.iter().find(|one| one.about == "quality").expect("a decision");
    assert_eq!(decision.choice, "fixed");
}

#[test]
fn a_fault_of_a_trial_costs_one_attempt_and_changes_nothing() {
    let calm = Home::new();
    let expected = plan_of(&published(&calm, &long("film"))).digest();
    for what in [What::Fail, What::Abort, What::Memory, What::Garbage] {
        let home = Home::new();
        home.desk.order(&[fault("film", "analyse", 1, what)]);
        let (clock, worker) = home.open_by_hand(Bounds::default());
        let file = home.drop_original("film.mov", &long("film"));
        let job = worker.submit(&home.submission(&file, "titled")).expect("submit").job;
        work_by_hand(&worker, &clock);
        assert_state(&worker, &job, JobState::Published);
        let tasks = worker.queue().tasks(&job).expect("list tasks");
        assert_eq!(plan_of(&tasks).digest(), expected, "{what:?}");
        let attempts = if what == What::Garbage { 1 } else { 2 };
        for task in &tasks {
            let expected = if task.key == "analyse" { attempts } else { 1 };
            assert_eq!(task.attempts, expected, "{what:?}: {}", task.key);
        }
    }
}
