//! JUnit XML, as CI servers show it.

use super::{escaped, sentence, subject};
use crate::compare::{Level, Verdict, Verdicts};

/// A suite for each pipeline, a case for each preset.
pub fn junit(verdicts: &Verdicts) -> String {
    let all = &verdicts.verdicts;
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    text.push_str(&format!("<testsuites name=\"vodmill regress\" {}>\n", counts(all)));
    for suite in all.chunk_by(|one, other| one.pipeline == other.pipeline) {
        let name = suite.first().map_or("", |verdict| &verdict.pipeline);
        text.push_str(&format!("  <testsuite name=\"{}\" {}>\n", escaped(name), counts(suite)));
        for verdict in suite {
            text.push_str(&case(verdict, verdicts.clips.len()));
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

fn counts(verdicts: &[Verdict]) -> String {
    let failures = verdicts.iter().filter(|verdict| verdict.level == Level::Red).count();
    format!("tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"0\"", verdicts.len())
}

fn case(verdict: &Verdict, clips: usize) -> String {
    let name = escaped(subject(verdict));
    let class = escaped(&format!("vodmill.regress.{}", verdict.pipeline));
    let lines: Vec<String> =
        verdict.findings.iter().map(|finding| sentence(finding, clips)).collect();
    let lines = [lines, verdict.causes.clone()].concat();
    let told = escaped(&lines.join("\n"));
    let first = escaped(lines.first().map_or("", String::as_str));
    let inner = match verdict.level {
        _ if lines.is_empty() => {
            return format!("    <testcase classname=\"{class}\" name=\"{name}\"/>\n");
        }
        Level::Red => format!("<failure message=\"{first}\">{told}</failure>"),
        Level::Green | Level::Warning => format!("<system-out>{told}</system-out>"),
    };
    format!("    <testcase classname=\"{class}\" name=\"{name}\">{inner}</testcase>\n")
}
