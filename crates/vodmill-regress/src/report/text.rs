//! For a terminal.

use super::{headline, sentence, subject, summary};
use crate::compare::{Level, Verdict, Verdicts};

/// A line for each preset, its findings below; the sum at the end.
pub fn text(verdicts: &Verdicts) -> String {
    let mut lines = Vec::new();
    let mut pipeline = "";
    for verdict in &verdicts.verdicts {
        if verdict.pipeline != pipeline {
            pipeline = &verdict.pipeline;
            lines.push(format!("pipeline {pipeline}"));
        }
        add(verdict, verdicts, &mut lines);
    }
    for change in &verdicts.build {
        lines.push(format!("build: {change}"));
    }
    lines.push(summary(verdicts));
    lines.join("\n")
}

fn add(verdict: &Verdict, verdicts: &Verdicts, lines: &mut Vec<String>) {
    lines.push(format!("  {}: {}", subject(verdict), headline(verdict, verdicts)));
    let rest = verdict.findings.iter().skip(1).filter(|finding| finding.level > Level::Green);
    for finding in rest {
        lines.push(format!(
            "    {}: {}",
            finding.level.word(),
            sentence(finding, verdicts.clips.len())
        ));
    }
    for cause in &verdict.causes {
        lines.push(format!("    {cause}"));
    }
}
