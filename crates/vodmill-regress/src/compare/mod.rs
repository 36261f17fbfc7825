//! Verdicts: what is no longer as the baseline says, in sentences.

mod cause;
mod quality;
mod structure;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use crate::baseline::{Baseline, Package};

pub use quality::{ClipChange, RungChange};

/// How bad something is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As before, or better.
    #[default]
    Green,
    /// To be looked at; nothing fails.
    Warning,
    /// A regression.
    Red,
}

impl Level {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Level::Green => "green",
            Level::Warning => "warning",
            Level::Red => "red",
        }
    }
}

/// What came of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Verdicts {
    /// The worst of all.
    pub level: Level,
    /// What of the encoders is not the same.
    pub build: Vec<String>,
    /// Clips that were compared.
    pub clips: Vec<String>,
    /// One for each preset of each pipeline, and one for what belongs to no preset.
    pub verdicts: Vec<Verdict>,
}

/// What came of one preset in one pipeline.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Verdict {
    /// The pipeline.
    pub pipeline: String,
    /// The preset, or `package` for what belongs to none.
    pub subject: String,
    /// The worst of its findings.
    pub level: Level,
    /// What is not as it was.
    pub findings: Vec<Finding>,
    /// What was changed that may be the cause.
    pub causes: Vec<String>,
    /// Bytes and quality of its rungs.
    pub rungs: Vec<RungChange>,
}

/// Something that is not as it was.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// The stream or object; empty for the whole.
    pub of: String,
    /// What.
    pub what: String,
    /// Clips in which it is so; empty for all together.
    pub clips: Vec<String>,
}

/// Name of what belongs to no preset.
pub const PACKAGE: &str = "package";

/// How the comparison is to be made.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Whether more processor time is red, not only a warning.
    pub cpu_is_red: bool,
}

/// Compares what is with what was.
pub fn compare(before: &Baseline, now: &Baseline, options: Options) -> Verdicts {
    let pipelines: BTreeSet<&String> = before.results.keys().chain(now.results.keys()).collect();
    let build = cause::build_changes(&before.build, &now.build);
    let mut verdicts = Vec::new();
    for pipeline in pipelines {
        verdicts.extend(Comparison { before, now, pipeline, build: &build }.verdicts());
    }
    verdicts.extend(processor_time(before, now, options));
    let level = verdicts.iter().map(|verdict| verdict.level).max().unwrap_or_default();
    Verdicts { level, build, clips: now.clips.keys().cloned().collect(), verdicts }
}

/// Processor time of everything together, in yardsticks.
fn processor_time(before: &Baseline, now: &Baseline, options: Options) -> Option<Verdict> {
    let percent = (now.cpu? as f64 / before.cpu?.max(1) as f64 - 1.0) * 100.0;
    let limit = before.limits.cpu;
    let level = match percent > limit {
        true if options.cpu_is_red => Level::Red,
        true => Level::Warning,
        false => Level::Green,
    };
    let what = format!("{percent:+.0} % for encoding, limit {limit} %");
    Some(Verdict {
        pipeline: "all pipelines".to_owned(),
        subject: "processor time".to_owned(),
        level,
        findings: vec![Finding { level, of: String::new(), what, clips: Vec::new() }],
        causes: Vec::new(),
        rungs: Vec::new(),
    })
}

/// The comparison of one pipeline.
struct Comparison<'a> {
    before: &'a Baseline,
    now: &'a Baseline,
    pipeline: &'a str,
    build: &'a [String],
}

/// A finding of one clip, and whose it is.
struct Raw {
    subject: String,
    level: Level,
    of: String,
    what: String,
    clip: Option<String>,
}

impl Comparison<'_> {
    fn verdicts(&self) -> Vec<Verdict> {
        let mut raw = Vec::new();
        let (was, is) =
            (self.before.results.get(self.pipeline), self.now.results.get(self.pipeline));
        match (was, is) {
            (Some(was), Some(is)) => self.compare_clips(was, is, &mut raw),
            (Some(_), None) => raw.push(about_all(Level::Red, "it is gone")),
            (None, _) => raw.push(about_all(
                Level::Warning,
                "it is new, and in no baseline yet: take it in with --update",
            )),
        }
        let rungs = quality::rungs(self.before, self.now, self.pipeline);
        for rung in &rungs {
            rung.judge(&self.before.limits, &mut raw);
        }
        self.judged(raw, rungs)
    }

    fn compare_clips(
        &self,
        was: &BTreeMap<String, Package>,
        is: &BTreeMap<String, Package>,
        raw: &mut Vec<Raw>,
    ) {
        for (clip, was) in was {
            let level = Level::Red;
            let (old, new) = (self.before.clips.get(clip), self.now.clips.get(clip));
            match is.get(clip) {
                None => raw.push(about_all(level, &format!("clip {clip} was not encoded"))),
                Some(_) if old != new => {
                    let what = format!(
                        "clip {clip} is another than in the baseline: write that anew with --update"
                    );
                    raw.push(about_all(level, &what));
                }
                Some(is) => structure::compare(clip, was, is, &self.before.limits, raw),
            }
        }
    }

    /// Findings put together by whose they are.
    fn judged(&self, raw: Vec<Raw>, rungs: Vec<RungChange>) -> Vec<Verdict> {
        let mut subjects: BTreeSet<String> = rungs.iter().map(|rung| rung.preset.clone()).collect();
        subjects.extend(raw.iter().map(|raw| raw.subject.clone()));
        subjects.insert(PACKAGE.to_owned());
        let packages = self.now.results.get(self.pipeline).into_iter().flat_map(BTreeMap::values);
        let streams = packages.flat_map(|package| package.streams.values());
        subjects.extend(streams.map(|stream| stream.preset.clone()));
        let verdict = |subject: String| {
            let findings = merged(raw.iter().filter(|raw| raw.subject == subject));
            let level = findings.iter().map(|finding| finding.level).max().unwrap_or_default();
            Verdict {
                pipeline: self.pipeline.to_owned(),
                causes: self.causes(&subject, level),
                rungs: rungs.iter().filter(|rung| rung.preset == subject).cloned().collect(),
                level,
                findings,
                subject,
            }
        };
        subjects.into_iter().map(verdict).collect()
    }

    fn causes(&self, subject: &str, level: Level) -> Vec<String> {
        let changes = cause::Changes { before: self.before, now: self.now, build: self.build };
        changes.causes(self.pipeline, subject, level)
    }
}

fn about_all(level: Level, what: &str) -> Raw {
    let (subject, what) = (PACKAGE.to_owned(), what.to_owned());
    Raw { subject, level, of: String::new(), what, clip: None }
}

/// What is the same in several clips, once; the worst first.
fn merged<'a>(raw: impl Iterator<Item = &'a Raw>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for one in raw {
        let same = |known: &&mut Finding| {
            (known.level, &known.of, &known.what) == (one.level, &one.of, &one.what)
        };
        match findings.iter_mut().find(same) {
            Some(known) => known.clips.extend(one.clip.clone()),
            None => findings.push(Finding {
                level: one.level,
                of: one.of.clone(),
                what: one.what.clone(),
                clips: one.clip.iter().cloned().collect(),
            }),
        }
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    findings
}
