//! Baselines, verdicts and reports; clips.

mod baseline;
mod clips;
mod make;
mod reports;
mod verdicts;
