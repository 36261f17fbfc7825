//! The body of a notification: JSON, version 1, as docs/delivery.md describes it.

use serde_json::{Map, Value, json};
use vodmill_queue::{Event, EventKind};

/// Characters of a text that are told at most: SNS takes 256 KiB in all.
const LONGEST: usize = 4000;

/// The body of an event: the same at every attempt. It has no secrets, and of paths of this machine
/// no more than the last name.
pub fn body(event: &Event) -> String {
    let at = jiff::Timestamp::from_millisecond(event.at).unwrap_or_default();
    let job = event.job.as_ref().map(|id| json!({ "id": id, "name": event.name }));
    let mut fields = json!({
        "version": 1,
        "id": event.id,
        "event": event.kind.as_str(),
        "at": format!("{at:.3}"),
        "pipeline": event.pipeline,
        "job": job,
        "asset": event.asset,
    });
    if let Some((name, detail)) = detail(event) {
        fields[name] = detail;
    }
    fields.to_string()
}

fn detail(event: &Event) -> Option<(&'static str, Value)> {
    match event.kind {
        EventKind::Progressing => None,
        EventKind::Published => Some(("published", picked(&event.detail, &["generation"]))),
        EventKind::Rejected => {
            Some(("rejected", picked(&event.detail, &["reason", "detail", "remedy"])))
        }
        EventKind::Failed => Some(("failed", failure(event))),
        EventKind::Warning => {
            Some(("warning", picked(&event.detail, &["code", "detail", "remedy"])))
        }
    }
}

/// These fields of a detail, as far as it has them; all of it as `detail` if it is no object.
fn picked(detail: &str, names: &[&str]) -> Value {
    let Ok(Value::Object(fields)) = serde_json::from_str(detail) else {
        return json!({ "detail": plain(detail) });
    };
    let pick = |name: &&str| {
        let value = match fields.get(*name)? {
            Value::String(text) => plain(text).into(),
            value => value.clone(),
        };
        Some(((*name).to_owned(), value))
    };
    names.iter().filter_map(pick).collect::<Map<_, _>>().into()
}

fn failure(event: &Event) -> Value {
    let evidence = match (&event.job, &event.task) {
        (Some(job), Some(task)) => Some(format!("vodmill queue evidence {job} {task}")),
        _ => None,
    };
    json!({ "error": plain(&event.detail), "task": event.task, "evidence": evidence })
}

/// A text that may leave: not too long, and without the folders of this machine.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('/') {
        let (before, from) = rest.split_at(at);
        let end = from.find(|c: char| c.is_whitespace() || "\"'`,;:)(<>|".contains(c));
        let (path, after) = from.split_at(end.unwrap_or(from.len()));
        // A path begins where a word does; the slashes of a URL or of a task's key do not.
        let begins =
            before.chars().next_back().is_none_or(|c| !c.is_alphanumeric() && !"_-./:".contains(c));
        let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        out.push_str(before);
        out.push_str(if begins { name } else { path });
        rest = after;
    }
    out.push_str(rest);
    match out.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &out[..end]),
        None => out,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_stay_at_home() {
        let cases = [
            (
                "read /srv/state/daemon/work/j1/7/original: no such file",
                "read original: no such file",
            ),
            ("open \"/a b/c\": no", "open \"a b/c\": no"),
            (
                "task video/0004 of s3://media/tv/film.mov",
                "task video/0004 of s3://media/tv/film.mov",
            ),
            ("at https://keys.example/k/1, 7/8 done", "at https://keys.example/k/1, 7/8 done"),
            ("(/etc/vodmill/kek) and /tmp/", "(kek) and tmp"),
            ("/", ""),
            ("é/ü", "é/ü"),
        ];
        for (text, wanted) in cases {
            assert_eq!(plain(text), wanted);
        }
        assert_eq!(plain(&"é".repeat(5000)).chars().count(), LONGEST + 1);
    }
}
