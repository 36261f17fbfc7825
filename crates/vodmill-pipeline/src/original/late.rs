//! Originals that were put away, and may be written to still: by a program that had the file open,
//! unseen, when its copy paused for longer than an inbox waits. What grew is taken back into its
//! inbox, where it is an original of its own once it is complete.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use vodmill_clock::Clock;

use super::FileOriginal;
use super::away::take_back;
use super::names::candidates;
use super::open::Facts;

/// How long each file is looked at after it was put away.
pub(crate) const WATCH: Duration = Duration::from_secs(600);

/// Most files that are watched at a time; of more, the latest.
const MOST: usize = 10_000;

/// Names of one file that are looked through after a restart.
const NAMES: usize = 100;

/// Files that were put away lately.
#[derive(Debug)]
pub(crate) struct LateWriters {
    watched: Mutex<Vec<PutAway>>,
    clock: Arc<dyn Clock>,
}

/// One of them.
#[derive(Debug)]
struct PutAway {
    original: FileOriginal,
    place: PathBuf,
    inode: u64,
    /// The uptime at which watching ends.
    until: Duration,
}

impl LateWriters {
    /// Nothing is watched yet.
    pub(crate) fn new(clock: Arc<dyn Clock>) -> LateWriters {
        LateWriters { watched: Mutex::default(), clock }
    }

    /// Watches an original that was moved to `place`.
    pub(crate) fn watch(&self, original: &FileOriginal, place: PathBuf) {
        let Ok(there) = fs::symlink_metadata(&place) else { return };
        let original = original.clone();
        let until = self.clock.uptime() + WATCH;
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched.push(PutAway { original, place, inode: there.ino(), until });
        if watched.len() > MOST {
            watched.remove(0);
        }
    }

    /// Watches an original that an earlier process put away in `folder`, if it is still there.
    pub(crate) fn recall(&self, original: &FileOriginal, folder: &Path) {
        let Some(mark) = &original.mark else { return };
        let name = original.path.file_name().unwrap_or_default();
        let places = candidates(name, "").take(NAMES).map(|name| folder.join(name));
        let is_it = |place: &PathBuf| {
            fs::symlink_metadata(place).is_ok_and(|there| {
                (there.dev(), there.ino()) == (mark.facts.device, mark.facts.inode)
            })
        };
        if let Some(place) =
            places.take_while(|place| fs::symlink_metadata(place).is_ok()).find(is_it)
        {
            self.watch(original, place);
        }
    }

    /// Takes back what has grown since it was put away.
    pub(crate) fn look(&self) {
        let now = self.clock.uptime();
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched.retain(|file| match file.has_changed() {
            Ok(false) => now < file.until,
            Ok(true) => {
                file.take_back();
                false
            }
            // It was carried away.
            Err(_) => false,
        });
    }
}

impl PutAway {
    fn has_changed(&self) -> io::Result<bool> {
        let now = Facts::of(&fs::symlink_metadata(&self.place)?);
        if now.inode != self.inode {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok((now.bytes, now.modified) != (self.original.bytes, self.original.modified))
    }

    fn take_back(&self) {
        let place = self.place.display();
        match take_back(&self.place, &self.original.path) {
            Ok(path) => {
                let path = path.display();
                tracing::warn!(%place, %path, "original grew after it was put away, and is taken back");
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(%place, error, "original grew after it was put away");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use vodmill_clock::ManualClock;

    use super::*;

    fn late_writers() -> (Arc<ManualClock>, LateWriters) {
        let clock = Arc::new(ManualClock::default());
        (Arc::clone(&clock), LateWriters::new(clock))
    }

    /// An inbox whose file was put away.
    fn put_away(folder: &Path) -> (FileOriginal, PathBuf) {
        let path = folder.join("film.ts");
        fs::write(&path, "half").expect("drop");
        let original = FileOriginal::at(&path).expect("look");
        let place = original.move_to(&folder.join("done").display().to_string(), None, None);
        (original, place.expect("move").expect("moved"))
    }

    #[test]
    fn what_is_written_after_it_was_put_away_is_taken_back_whole() {
        let folder = tempfile::tempdir().expect("scratch");
        let (original, place) = put_away(folder.path());
        let (clock, late) = late_writers();
        late.watch(&original, place.clone());
        clock.advance(WATCH - Duration::from_secs(1));
        late.look();
        assert!(place.exists(), "nothing came");
        let mut writer = fs::OpenOptions::new().append(true).open(&place).expect("open");
        writer.write_all(b" and the rest").expect("write");
        late.look();
        assert!(!place.exists());
        writer.write_all(b", to its end").expect("the writer goes on in the same file");
        let back = fs::read_to_string(folder.path().join("film.ts")).expect("back in the inbox");
        assert_eq!(back, "half and the rest, to its end");
    }

    #[test]
    fn it_is_watched_for_ten_minutes() {
        let folder = tempfile::tempdir().expect("scratch");
        let (original, place) = put_away(folder.path());
        let (clock, late) = late_writers();
        late.watch(&original, place.clone());
        clock.advance(WATCH);
        late.look();
        fs::write(&place, "half and the rest").expect("write");
        late.look();
        assert!(place.exists());
    }

    #[test]
    fn a_restart_forgets_nobody() {
        let folder = tempfile::tempdir().expect("scratch");
        fs::create_dir(folder.path().join("done")).expect("folder");
        fs::write(folder.path().join("done/film.ts"), "an older one").expect("write");
        let (original, place) = put_away(folder.path());
        assert!(place.ends_with("film.2.ts"));
        fs::write(&place, "half and the rest").expect("write");
        let (_, late) = late_writers();
        late.recall(&original, &folder.path().join("done"));
        late.look();
        assert!(folder.path().join("film.ts").exists() && !place.exists());
    }

    #[test]
    fn what_somebody_carried_away_or_replaced_is_left_alone() {
        let folder = tempfile::tempdir().expect("scratch");
        let (original, place) = put_away(folder.path());
        let (_, late) = late_writers();
        late.watch(&original, place.clone());
        fs::rename(&place, folder.path().join("kept.ts")).expect("carry away");
        fs::write(&place, "another").expect("write");
        late.look();
        assert!(place.exists() && !folder.path().join("film.ts").exists());
    }
}
