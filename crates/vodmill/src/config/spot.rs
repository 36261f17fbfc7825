//! Where a place really is, and how two of them lie to one another.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use vodmill_store::Location;

/// As many links stand in a path at most (Linux: path_resolution(7)).
const MOST_LINKS: u32 = 40;

/// A place, whatever ways lead there.
#[derive(Clone, Debug)]
pub enum Spot {
    /// Of the file system.
    Path {
        /// Without links, as far as it is there.
        path: PathBuf,
        /// What stands for it and the folders above it, as far as they are there: the same folder
        /// may be mounted in two places.
        above: Vec<Option<Identity>>,
    },
    /// In a bucket: its name and the parts of the prefix.
    Bucket(Vec<String>),
}

/// Device and inode.
type Identity = (u64, u64);

/// How one place lies to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// They are the same.
    Same,
    /// The first is within the other.
    Inside,
    /// The other is within the first.
    Around,
}

impl Spot {
    /// Where `location` is; a folder is given as an absolute path.
    ///
    /// # Errors
    /// If its links lead in a circle.
    pub fn of(location: &Location) -> io::Result<Spot> {
        match location {
            Location::Folder(path) => Spot::of_path(path),
            Location::Bucket { bucket, prefix } => {
                let parts = prefix.iter().flat_map(|prefix| prefix.as_str().split('/'));
                let parts = std::iter::once(bucket.as_str()).chain(parts);
                Ok(Spot::Bucket(parts.map(str::to_owned).collect()))
            }
        }
    }

    /// Where the file or folder at an absolute path is.
    ///
    /// # Errors
    /// As [`Spot::of`].
    pub fn of_path(path: &Path) -> io::Result<Spot> {
        let path = resolve(path)?;
        let identity = |path: &Path| {
            let facts = fs::metadata(path).ok()?;
            Some((facts.dev(), facts.ino()))
        };
        let above = path.ancestors().map(identity).collect();
        Ok(Spot::Path { path, above })
    }

    /// How it lies to another; None where they are apart.
    pub fn relation(&self, other: &Spot) -> Option<Relation> {
        match (self.is_within(other), other.is_within(self)) {
            (true, true) => Some(Relation::Same),
            (true, false) => Some(Relation::Inside),
            (false, true) => Some(Relation::Around),
            (false, false) => None,
        }
    }

    /// Whether it is the other, or in it.
    fn is_within(&self, other: &Spot) -> bool {
        match (self, other) {
            (Spot::Path { path, above }, Spot::Path { path: other, above: others }) => {
                let identity = others.first().copied().flatten();
                path.starts_with(other) || identity.is_some() && above.contains(&identity)
            }
            (Spot::Bucket(parts), Spot::Bucket(others)) => parts.starts_with(others),
            _ => false,
        }
    }
}

/// The path without links, `.` and `..`, as far as it is there; the rest stands as it is written,
/// also behind a link to what is not there yet.
fn resolve(path: &Path) -> io::Result<PathBuf> {
    let mut steps = steps(path);
    let mut found = PathBuf::new();
    let mut links = 0;
    while let Some(step) = steps.pop() {
        match Path::new(&step).components().next() {
            Some(Component::ParentDir) => drop(found.pop()),
            Some(Component::Normal(name)) => match fs::read_link(found.join(name)) {
                Ok(_) if links == MOST_LINKS => {
                    return Err(io::Error::other("its links lead in a circle"));
                }
                Ok(target) => {
                    links += 1;
                    steps.extend(self::steps(&target));
                }
                // No link, or not there.
                Err(_) => found.push(name),
            },
            Some(root) => found.push(root),
            None => {}
        }
    }
    Ok(found)
}

/// The parts of a path, the first one last.
fn steps(path: &Path) -> Vec<OsString> {
    path.components().rev().map(|part| part.as_os_str().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn relation(one: &Path, other: &Path) -> Option<Relation> {
        let spot = |path: &Path| Spot::of_path(path).expect("a spot");
        spot(one).relation(&spot(other))
    }

    #[test]
    fn folders_are_known_whatever_they_are_called() {
        let scratch = tempfile::tempdir().expect("scratch");
        let at = |name: &str| scratch.path().join(name);
        fs::create_dir_all(at("state/keys")).expect("folders");
        symlink("state", at("alias")).expect("a link");
        symlink(at("alias/keys/new"), at("dangling")).expect("a link");
        let state = at("state");
        for same in
            ["state/", "./state", "state/keys/..", "alias", "alias/../state", "new/../state"]
        {
            assert_eq!(relation(&at(same), &state), Some(Relation::Same), "{same}");
        }
        for inside in ["state/keys", "state/not/there", "alias/keys", "dangling", "dangling/deeper"]
        {
            assert_eq!(relation(&at(inside), &state), Some(Relation::Inside), "{inside}");
            assert_eq!(relation(&state, &at(inside)), Some(Relation::Around), "{inside}");
        }
        assert_eq!(relation(&at("."), &state), Some(Relation::Around));
        for apart in ["state2", "stat", "other/state", "keys"] {
            assert_eq!(relation(&at(apart), &state), None, "{apart}");
        }
    }

    #[test]
    fn a_circle_of_links_is_no_place() {
        let scratch = tempfile::tempdir().expect("scratch");
        symlink("b", scratch.path().join("a")).expect("a link");
        symlink("a", scratch.path().join("b")).expect("a link");
        assert!(Spot::of_path(&scratch.path().join("a/x")).is_err());
    }

    #[test]
    fn prefixes_are_compared_by_their_parts() {
        let spot = |text: &str| Spot::of(&Location::parse(text).expect(text)).expect(text);
        let relation = |one: &str, other: &str| spot(one).relation(&spot(other));
        assert_eq!(relation("s3://media/a/", "s3://media/a"), Some(Relation::Same));
        assert_eq!(relation("s3://media/a/b", "s3://media/a"), Some(Relation::Inside));
        assert_eq!(relation("s3://media", "s3://media/a"), Some(Relation::Around));
        assert_eq!(relation("s3://media/ab", "s3://media/a"), None);
        assert_eq!(relation("s3://media2/a", "s3://media/a"), None);
        assert_eq!(relation("s3://media/a", "/media/a"), None);
    }
}
