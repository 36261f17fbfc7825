use serde_json::{Value, json};
use vodmill_notify::body;
use vodmill_queue::{Event, EventKind};

fn event(kind: EventKind, detail: &str) -> Event {
    Event {
        id: "0f1e".into(),
        kind,
        job: Some("j1".into()),
        pipeline: "films".into(),
        name: "Film 1.mov".into(),
        asset: Some("film-1".into()),
        task: Some("video/0004".into()),
        detail: detail.into(),
        at: 1_795_334_400_123,
    }
}

fn told(event: &Event) -> Value {
    serde_json::from_str(&body(event)).expect("JSON")
}

/// As docs/delivery.md has it.
#[test]
fn version_1() {
    let mut wanted = json!({
        "version": 1, "id": "0f1e", "event": "progressing", "at": "2026-11-22T08:00:00.123Z",
        "pipeline": "films", "job": { "id": "j1", "name": "Film 1.mov" }, "asset": "film-1",
    });
    assert_eq!(told(&event(EventKind::Progressing, "")), wanted);
    let refused = r#"{"reason":"truncated","detail":"cut at /srv/in/Film.mov","remedy":"Again."}"#;
    wanted["event"] = "rejected".into();
    wanted["rejected"] =
        json!({ "reason": "truncated", "detail": "cut at Film.mov", "remedy": "Again." });
    assert_eq!(told(&event(EventKind::Rejected, refused)), wanted);
    let failed =
        told(&event(EventKind::Failed, "encode: open /srv/state/work/j1/9/original: gone"));
    assert_eq!(
        failed["failed"],
        json!({ "error": "encode: open original: gone", "task": "video/0004",
            "evidence": "vodmill queue evidence j1 video/0004" })
    );
    let published = told(&event(EventKind::Published, r#"{"asset":"film-1","generation":"g2"}"#));
    assert_eq!(published["published"], json!({ "generation": "g2" }));
}

#[test]
fn what_is_of_no_job_has_none() {
    let detail = r#"{"code":"many_invalidations","detail":"d","remedy":"r","secret":"s"}"#;
    let warning = Event { job: None, task: None, asset: None, ..event(EventKind::Warning, detail) };
    let said = told(&warning);
    assert_eq!((&said["job"], &said["asset"]), (&Value::Null, &Value::Null));
    let wanted = json!({ "code": "many_invalidations", "detail": "d", "remedy": "r" });
    assert_eq!(said["warning"], wanted, "these fields and no others");
}
