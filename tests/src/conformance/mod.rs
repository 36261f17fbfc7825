//! The rules of a published package, applied to its files alone.
//!
//! Everything is read by this crate's own readers; ffprobe gives a second opinion. One file for
//! each group of rules.

mod codecs;
mod decoding;
mod encryption;
mod files;
mod iframes;
mod jpeg;
mod manifest;
mod package;
mod pictures;
mod playlists;
mod rates;
mod stills;
mod subtitles;
mod timing;
mod vtt;

use std::fmt;
use std::path::Path;

pub use encryption::decrypt;
pub use package::{Kind, Package, Piece, Rendition};
pub use vtt::{Cue, cues};

/// A rule that a package breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule, as `extinf`.
    pub rule: &'static str,
    /// Which object breaks it, relative to the asset's directory.
    pub object: String,
    /// What was found.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}] {}", self.object, self.rule, self.detail)
    }
}

/// Violations found so far.
#[derive(Debug, Default)]
pub struct Report(Vec<Violation>);

impl Report {
    fn add(&mut self, rule: &'static str, object: &str, detail: impl Into<String>) {
        self.0.push(Violation { rule, object: object.to_owned(), detail: detail.into() });
    }

    /// Adds a violation unless `holds`.
    fn must(&mut self, holds: bool, rule: &'static str, object: &str, detail: impl Into<String>) {
        if !holds {
            self.add(rule, object, detail);
        }
    }

    /// The value, or a violation.
    fn try_or<T>(&mut self, it: Result<T, String>, rule: &'static str, object: &str) -> Option<T> {
        it.map_err(|why| self.add(rule, object, why)).ok()
    }
}

/// Every rule that the package in `asset` breaks; `keys` holds raw keys by the last part of their
/// URIs.
pub fn check_package(asset: &Path, keys: Option<&Path>) -> Vec<Violation> {
    let mut report = Report::default();
    if let Some(package) = Package::load(asset, keys, &mut report) {
        for rule in [
            manifest::check,
            playlists::check,
            timing::check,
            pictures::check,
            rates::check,
            codecs::check,
            encryption::check,
            iframes::check,
            subtitles::check,
            files::check,
            stills::check,
            decoding::check,
        ] {
            rule(&package, &mut report);
        }
    }
    report.0
}

/// As [`check_package`], panicking with the whole list.
pub fn assert_package(asset: &Path, keys: Option<&Path>) {
    let violations = check_package(asset, keys);
    let list: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert!(violations.is_empty(), "{}:\n  {}", asset.display(), list.join("\n  "));
}
