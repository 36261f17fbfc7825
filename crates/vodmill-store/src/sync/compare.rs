//! What is to be done with each name, from what is known without reading a file.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use super::error::{Result, SyncError};
use super::manifest::{Manifest, Record};
use super::walk::{LocalFile, Tree};
use crate::Headers;

/// An object at the destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remote {
    pub bytes: u64,
    /// Without quotes.
    pub etag: String,
}

/// The objects at the destination by name, the prefix cut off.
pub(super) type Listing = HashMap<String, Remote>;

/// Why a file is uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// There is no such object.
    New,
    /// The object has another size.
    Size,
    /// The object has other bytes, or it cannot be told whether it has.
    Content,
    /// The object is to have other headers.
    Headers,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::New => "new",
            Reason::Size => "another size",
            Reason::Content => "other content",
            Reason::Headers => "other headers",
        })
    }
}

/// What to do with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Read it, and upload it unless the object has its bytes and headers.
    Check {
        /// The object.
        object: Remote,
        /// Whether it is remembered that it has the right ones.
        headers_are_known: bool,
    },
    /// Upload it.
    Send(Reason),
}

/// Compares a file with what is there and what is remembered; nothing where nothing is to be done.
/// `every` trusts no stamp.
pub(super) fn compare(
    file: &LocalFile,
    remote: Option<&Remote>,
    record: Option<&Record>,
    headers: &Headers,
    every: bool,
) -> Option<Step> {
    let Some(remote) = remote else { return Some(Step::Send(Reason::New)) };
    if remote.bytes != file.bytes() {
        return Some(Step::Send(Reason::Size));
    }
    // The object may have been replaced since.
    let record = record.filter(|record| record.etag == remote.etag);
    if record.is_some_and(|record| !record.headers.is(headers)) {
        return Some(Step::Send(Reason::Headers));
    }
    let unmoved = record.is_some_and(|record| record.stamp == Some(file.stamp));
    let check = || Step::Check { object: remote.clone(), headers_are_known: record.is_some() };
    (every || !unmoved).then(check)
}

/// A file that is to be looked into.
#[derive(Debug)]
pub(super) struct Job<'a> {
    pub file: &'a LocalFile,
    pub step: Step,
    pub headers: Headers,
}

/// The jobs, in the order of names.
pub(super) fn jobs<'a>(
    tree: &'a Tree,
    listing: &Listing,
    manifest: &Manifest,
    headers: impl Fn(&str) -> Headers,
    every: bool,
) -> Vec<Job<'a>> {
    let job = |file: &'a LocalFile| {
        let record = manifest.get(&file.name);
        let headers = headers(&file.name);
        let step = compare(file, listing.get(&file.name), record, &headers, every)?;
        Some(Job { file, step, headers })
    };
    tree.files.iter().filter_map(job).collect()
}

/// How much may be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// A number of objects.
    Count(usize),
    /// A percentage of the objects at the destination.
    Percent(u8),
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Limit, String> {
        let limit = match text.strip_suffix('%') {
            Some(percent) => percent.parse().ok().filter(|&it| it <= 100).map(Limit::Percent),
            None => text.parse().ok().map(Limit::Count),
        };
        limit.ok_or_else(|| format!("{text:?} is neither a number nor a percentage such as 25%"))
    }
}

/// Where another process may be trying the bucket out.
const TRIALS: &str = ".vodmill/";

/// Objects shown of those that would be deleted.
const HEAD: usize = 10;

/// The objects that have no file, in the order of names. What is not `allows`ed is not looked
/// at; what lies at or below a link is not known to be gone; an object that ends in `/` is a folder
/// that some console has made.
///
/// # Errors
/// [`SyncError::TooManyDeletes`]
pub(super) fn deletes(
    tree: &Tree,
    listing: &Listing,
    allows: &dyn Fn(&str) -> bool,
    limit: Limit,
) -> Result<Vec<String>> {
    let has_file = |name: &str| tree.contains(name) || tree.skips(name);
    let is_ours = |name: &str| !name.ends_with('/') && !name.starts_with(TRIALS);
    let is_extra = |name: &&String| is_ours(name) && allows(name) && !has_file(name);
    let mut extra: Vec<String> = listing.keys().filter(is_extra).cloned().collect();
    extra.sort_unstable();
    let allowed = match limit {
        Limit::Count(count) => count,
        Limit::Percent(percent) => listing.len() * usize::from(percent) / 100,
    };
    if extra.len() > allowed {
        let (count, objects) = (extra.len(), listing.len());
        extra.truncate(HEAD);
        return Err(SyncError::TooManyDeletes { count, limit: allowed, objects, head: extra });
    }
    Ok(extra)
}

#[cfg(test)]
mod tests {
    use super::super::filter::Filter;
    use super::super::manifest::Told;
    use super::super::walk::{Skipped, Stamp, Why};
    use super::*;

    fn file(name: &str, bytes: u64, mtime: i64) -> LocalFile {
        let stamp = Stamp { bytes, mtime, ctime: 0, inode: 1 };
        LocalFile { name: name.to_owned(), stamp }
    }

    fn remote(bytes: u64, etag: &str) -> Remote {
        Remote { bytes, etag: etag.to_owned() }
    }

    fn video() -> Headers {
        Headers { content_type: Some("video/mp2t".to_owned()), cache_control: None }
    }

    fn record(of: &LocalFile, etag: &str, headers: &Headers) -> Record {
        let (name, etag) = (of.name.clone(), etag.to_owned());
        Record { name, etag, stamp: Some(of.stamp), headers: Told::from(headers) }
    }

    #[test]
    fn only_what_did_not_move_on_either_side_is_kept() {
        let old = file("a", 3, 1);
        let known = record(&old, "e", &video());
        let step = |file: &LocalFile, remote: Option<&Remote>, record: Option<&Record>| {
            compare(file, remote, record, &video(), false)
        };
        let there = remote(3, "e");
        let check = |etag: &str| {
            Some(Step::Check { object: remote(3, etag), headers_are_known: etag == "e" })
        };
        let send = |reason| Some(Step::Send(reason));
        assert_eq!(step(&old, Some(&there), Some(&known)), None);
        assert_eq!(compare(&old, Some(&there), Some(&known), &video(), true), check("e"));
        assert_eq!(step(&file("a", 3, 2), Some(&there), Some(&known)), check("e"));
        assert_eq!(step(&old, Some(&remote(3, "f")), Some(&known)), check("f"));
        let unknown = Step::Check { object: there.clone(), headers_are_known: false };
        assert_eq!(step(&old, Some(&there), None), Some(unknown));
        assert_eq!(step(&old, None, Some(&known)), send(Reason::New));
        assert_eq!(step(&old, Some(&remote(4, "e")), Some(&known)), send(Reason::Size));
        let young = Record { stamp: None, ..known };
        assert_eq!(step(&old, Some(&there), Some(&young)), check("e"));
    }

    #[test]
    fn other_headers_are_told_where_ours_are_known() {
        let old = file("a", 3, 1);
        let there = remote(3, "e");
        let told = record(&old, "e", &Headers::default());
        let step = compare(&old, Some(&there), Some(&told), &video(), false);
        assert_eq!(step, Some(Step::Send(Reason::Headers)));
    }

    #[test]
    fn deletes_have_a_limit_and_spare_what_was_left_out() {
        let link = Skipped { name: "link".to_owned(), why: Why::Link };
        let tree = Tree { files: vec![file("a", 1, 1)], skipped: vec![link], left_out: 0 };
        let names = ["a", "b", "link-no", "link/z", "x.bak", "folder/"];
        let listing: Listing =
            names.iter().map(|&name| (name.to_owned(), remote(1, "e"))).collect();
        let filter = Filter::new(&["*.bak".to_owned()], &[]).expect("filter");
        let run = |limit| deletes(&tree, &listing, &|name| filter.allows(name), limit);
        assert_eq!(run(Limit::Count(2)).expect("within"), ["b", "link-no"]);
        assert_eq!(run(Limit::Percent(34)).expect("within"), ["b", "link-no"]);
        let error = run(Limit::Percent(33)).expect_err("1 of 6 may be");
        assert!(error.to_string().starts_with("2 of 6 objects"), "{error}");
        assert!(error.to_string().ends_with("\n  b\n  link-no"), "{error}");
    }

    #[test]
    fn limits_are_numbers_or_percentages() {
        assert_eq!("12".parse(), Ok(Limit::Count(12)));
        assert_eq!("0%".parse(), Ok(Limit::Percent(0)));
        for bad in ["", "%", "101%", "-1", "many"] {
            assert!(bad.parse::<Limit>().is_err(), "{bad:?}");
        }
    }
}
