//! Verdicts as text, Markdown, JUnit XML and HTML.

mod html;
mod junit;
mod markdown;
mod text;

pub use html::html;
pub use junit::junit;
pub use markdown::markdown;
pub use text::text;

use crate::compare::{Finding, Level, PACKAGE, RungChange, Verdict, Verdicts};

/// What a verdict is about, as `tv`, or `the package`.
fn subject(verdict: &Verdict) -> &str {
    if verdict.subject == PACKAGE { "the package" } else { &verdict.subject }
}

/// A finding in a sentence, as `hls/low: B-frames are lost: none, was 61 % (clips cuts, motion)`.
fn sentence(finding: &Finding, all_clips: usize) -> String {
    let of = if finding.of.is_empty() { String::new() } else { format!("{}: ", finding.of) };
    let clips = match &finding.clips[..] {
        [] => String::new(),
        clips if clips.len() == all_clips && all_clips > 1 => " (all clips)".to_owned(),
        [clip] => format!(" (clip {clip})"),
        clips => format!(" (clips {})", clips.join(", ")),
    };
    format!("{of}{}{clips}", finding.what)
}

/// The verdict in a line: what is worst, or how little changed.
fn headline(verdict: &Verdict, verdicts: &Verdicts) -> String {
    let findings = &verdict.findings;
    let Some(worst) = findings.first() else { return calm(&verdict.rungs) };
    if worst.level == Level::Green {
        return sentence(worst, verdicts.clips.len());
    }
    let more = match findings.len() - 1 {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    format!("{}: {}{more}", sentence(worst, verdicts.clips.len()), worst.level.word())
}

/// What is to be said where nothing is wrong.
fn calm(rungs: &[RungChange]) -> String {
    let is_same = |rung: &RungChange| {
        let mut clips = rung.clips.iter();
        clips.all(|clip| clip.bytes == 0.0 && clip.vmaf.is_none_or(|(points, _)| points == 0.0))
    };
    if rungs.iter().all(is_same) {
        return "as before".to_owned();
    }
    let parts: Vec<String> = rungs
        .iter()
        .map(|rung| match rung.equal() {
            Some(percent) => format!("{} {}", rung.stream, more_or_fewer(percent)),
            None => format!("{} {:+.1} % bytes", rung.stream, rung.bytes()),
        })
        .collect();
    format!("at equal quality: {}", parts.join(", "))
}

fn more_or_fewer(percent: f64) -> String {
    if percent < 0.0 {
        format!("{:.1} % fewer bytes", -percent)
    } else {
        format!("{percent:.1} % more bytes")
    }
}

/// How many verdicts are of each level, in words.
fn summary(verdicts: &Verdicts) -> String {
    let count = |level| verdicts.verdicts.iter().filter(|verdict| verdict.level == level).count();
    let (red, warnings, green) = (count(Level::Red), count(Level::Warning), count(Level::Green));
    format!("{red} red, {warnings} to be looked at, {green} green")
}

/// A row of numbers for a rung: bytes, bytes at equal VMAF, VMAF, 5th percentile, SSIM.
fn numbers(rung: &RungChange) -> [String; 5] {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    [
        format!("{:+.1} %", rung.bytes()),
        or_dash(rung.equal().map(|percent| format!("{percent:+.1} %"))),
        or_dash(rung.vmaf().map(|points| format!("{points:+.2}"))),
        or_dash(rung.p5().map(|(clip, by, to)| format!("{by:+.2} to {to:.1} ({clip})"))),
        or_dash(rung.ssim().map(|ssim| format!("{:+.4}", ssim / 1000.0))),
    ]
}

/// Text within XML and HTML; what XML cannot hold is left out.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if c.is_control() && c != '\n' && c != '\t' => {}
            c => safe.push(c),
        }
    }
    safe
}
