//! For a pull request.

use super::{headline, numbers, sentence, subject, summary};
use crate::compare::{Level, Verdicts};

/// A table of verdicts, then what is wrong, then the numbers folded away.
pub fn markdown(verdicts: &Verdicts) -> String {
    let mut text = format!("### vodmill regress: {}\n\n", verdicts.level.word());
    text.push_str(&format!("{}. Clips: {}.\n\n", summary(verdicts), verdicts.clips.join(", ")));
    text.push_str("| | pipeline | preset | verdict |\n|---|---|---|---|\n");
    for verdict in &verdicts.verdicts {
        let cells = [
            mark(verdict.level),
            &verdict.pipeline,
            subject(verdict),
            &headline(verdict, verdicts),
        ];
        text.push_str(&row(&cells));
    }
    for verdict in verdicts
        .verdicts
        .iter()
        .filter(|verdict| verdict.level > Level::Green || !verdict.causes.is_empty())
    {
        text.push_str(&format!(
            "\n**{}, {}**\n\n",
            cell(&verdict.pipeline),
            cell(subject(verdict))
        ));
        let findings =
            verdict.findings.iter().map(|finding| sentence(finding, verdicts.clips.len()));
        for line in findings.chain(verdict.causes.iter().cloned()) {
            text.push_str(&format!("- {}\n", cell(&line)));
        }
    }
    text.push_str("\n<details><summary>Numbers</summary>\n\n");
    text.push_str("| pipeline | rung | bytes | at equal VMAF | VMAF | 5th percentile | SSIM |\n|---|---|---|---|---|---|---|\n");
    for verdict in &verdicts.verdicts {
        for rung in &verdict.rungs {
            let numbers = numbers(rung);
            let named = [verdict.pipeline.as_str(), &rung.stream];
            let cells: Vec<&str> =
                named.into_iter().chain(numbers.iter().map(String::as_str)).collect();
            text.push_str(&row(&cells));
        }
    }
    text.push_str("\n</details>\n");
    for change in &verdicts.build {
        text.push_str(&format!("\nBuild: {}\n", cell(change)));
    }
    text
}

fn mark(level: Level) -> &'static str {
    match level {
        Level::Green => "🟢",
        Level::Warning => "🟡",
        Level::Red => "🔴",
    }
}

fn row(cells: &[&str]) -> String {
    let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// Text that stays within its cell, and is no markup: names of clips are whatever a file is called.
fn cell(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '@' => {
                safe.push('\\');
                safe.push(c);
            }
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}
