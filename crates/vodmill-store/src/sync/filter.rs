//! Which names take part, by globs.

use glob::{MatchOptions, Pattern};

use super::error::{Result, SyncError};

/// What a destination keeps of its own: whose it is, and trials of the bucket.
const OWN: &str = ".vodmill";

/// `*` stays within a part of a name; `**` does not.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// A glob over names: `*.bak` is looked for in every part of a name, `a/*.ts` and `/a` only from
/// the top. What matches a folder matches all below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    pattern: Pattern,
    from_top: bool,
}

impl Glob {
    /// The glob of `text`.
    ///
    /// # Errors
    /// [`SyncError::Glob`] if it is none.
    pub fn new(text: &str) -> Result<Glob> {
        let inner = text.trim_end_matches('/');
        let bare = inner.trim_start_matches('/');
        let bad = |why: &str| SyncError::Glob { glob: text.to_owned(), why: why.to_owned() };
        if bare.is_empty() {
            return Err(bad("it is empty"));
        }
        let pattern = Pattern::new(bare).map_err(|error| bad(error.msg))?;
        Ok(Glob { pattern, from_top: inner.contains('/') })
    }

    /// Whether it matches `name` or a folder above it.
    pub fn matches(&self, name: &str) -> bool {
        let hits = |text: &str| self.pattern.matches_with(text, OPTIONS);
        match self.from_top {
            true => ends_of_parts(name).any(|end| hits(&name[..end])),
            false => name.split('/').any(hits),
        }
    }
}

/// Where each part of a name ends.
fn ends_of_parts(name: &str) -> impl Iterator<Item = usize> {
    name.match_indices('/').map(|(at, _)| at).chain([name.len()])
}

/// Which names take part: all but the excluded, and of these the included.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    exclude: Vec<Glob>,
    include: Vec<Glob>,
}

impl Filter {
    /// A filter of these globs.
    ///
    /// # Errors
    /// [`SyncError::Glob`] for the first that is none.
    pub fn new(exclude: &[String], include: &[String]) -> Result<Filter> {
        let globs = |texts: &[String]| -> Result<Vec<Glob>> {
            texts.iter().map(|text| Glob::new(text)).collect()
        };
        Ok(Filter { exclude: globs(exclude)?, include: globs(include)? })
    }

    /// Whether the file or object of this name takes part.
    pub fn allows(&self, name: &str) -> bool {
        let any = |globs: &[Glob]| globs.iter().any(|glob| glob.matches(name));
        let is_own = name.split('/').any(|part| part == OWN);
        !is_own && (!any(&self.exclude) || any(&self.include))
    }

    /// Whether nothing below the folder of this name takes part.
    pub(super) fn prunes(&self, name: &str) -> bool {
        self.include.is_empty() && !self.allows(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(glob: &str, name: &str) -> bool {
        Glob::new(glob).expect("a glob").matches(name)
    }

    #[test]
    fn what_says_whose_a_destination_is_stays_there() {
        let filter = Filter::new(&[], &["*".to_owned()]).expect("a filter");
        for name in [".vodmill", ".vodmill/owner.json", "tv/.vodmill/owner.json"] {
            assert!(!filter.allows(name) && !Filter::default().allows(name), "{name}");
        }
        assert!(filter.allows("tv/vodmill/a.ts") && filter.allows(".vodmillion"));
    }

    #[test]
    fn globs_match_parts_or_from_the_top() {
        assert!(matches("*.bak", "a/b/c.bak") && matches("*.bak", "old.bak/inner"));
        assert!(!matches("*.bak", "a/bak"));
        assert!(matches("a/*.ts", "a/1.ts") && !matches("a/*.ts", "a/b/1.ts"));
        assert!(!matches("a/*.ts", "x/a/1.ts") && matches("**/a/*.ts", "x/a/1.ts"));
        assert!(matches("/a", "a/b") && !matches("/a", "b/a"));
        assert!(matches("a/**/z", "a/b/c/z") && matches("node_modules/", "x/node_modules/y"));
        assert!(matches("ü?.mp4", "x/üß.mp4"));
    }

    #[test]
    fn includes_take_back_what_was_excluded() {
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        let filter = Filter::new(&texts(&["raw"]), &texts(&["*.jpg"])).expect("filter");
        assert!(filter.allows("a.mov") && filter.allows("raw/a.jpg") && !filter.allows("raw/a"));
        assert!(!filter.prunes("raw"), "there may be pictures in it");
        let filter = Filter::new(&texts(&["raw"]), &[]).expect("filter");
        assert!(filter.prunes("a/raw") && !filter.prunes("a"));
    }

    #[test]
    fn what_is_no_glob_is_named() {
        for bad in ["", "/", "a[", "***"] {
            let error = Glob::new(bad).expect_err("no glob").to_string();
            assert!(error.contains(&format!("{bad:?}")), "{error}");
        }
    }
}
