//! Inboxes that are folders. Each is watched by a thread of its own: a network file system that
//! hangs, or ten thousand files at once, keep nobody else waiting.

use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use vodmill_pipeline::original::{Facts, FileOriginal, OpenFiles, OpenOriginal, Original, Writers};
use vodmill_pipeline::{Stop, StopLevel, Worker};

use super::InboxRoute;
use super::completeness;
use super::scan::Scanner;
use super::settle::{Ending, Patience, Quiet, Settler};

/// From one look to the next; longer where a look takes long.
const INTERVAL: Duration = Duration::from_secs(1);

/// Files for which it is looked once who writes to them.
const BATCH: usize = 64;

/// Top-level boxes of an MP4 that are looked through for a fragment.
const BOXES: usize = 64;

/// The inbox of one pipeline, in a folder.
pub(super) struct FolderInbox {
    folder: PathBuf,
    /// Where it led to when it was opened: nothing on the way may become a link to elsewhere.
    real: PathBuf,
    /// Folders within inboxes that are there for a reason.
    own: Vec<PathBuf>,
    route: InboxRoute,
    scanner: Scanner,
    patience: Patience,
    settler: Settler,
    /// The last scan failed, and was reported.
    troubled: bool,
}

impl FolderInbox {
    pub(super) fn open(
        folder: PathBuf,
        route: InboxRoute,
        patience: Patience,
    ) -> io::Result<FolderInbox> {
        Ok(FolderInbox {
            real: folder.canonicalize()?,
            folder,
            own: Vec::new(),
            route,
            scanner: Scanner::default(),
            patience,
            settler: Settler::new(patience),
            troubled: false,
        })
    }

    /// Says which folders are no strays.
    pub(super) fn knows(&mut self, own: &[PathBuf]) {
        own.clone_into(&mut self.own);
    }

    /// Submits what is dropped, until `stop` asks to leave.
    pub(super) fn watch(&mut self, worker: &Worker, stop: &Stop) {
        let clock = stop.clock();
        while stop.level() == StopLevel::Running {
            let looked = clock.uptime();
            self.look(worker, looked, stop);
            let took = clock.uptime().saturating_sub(looked);
            stop.pause(INTERVAL.max(took * 4));
        }
    }

    fn look(&mut self, worker: &Worker, now: Duration, stop: &Stop) {
        let leaving = || stop.level() != StopLevel::Running;
        let listing = match self.list(leaving) {
            Ok(listing) => listing,
            Err(error) => {
                // A network file system comes and goes: once is enough to say.
                if !std::mem::replace(&mut self.troubled, true) {
                    let path = self.folder.display();
                    tracing::error!(%path, %error, "inbox not readable");
                }
                return;
            }
        };
        self.troubled = false;
        if leaving() {
            return;
        }
        for batch in self.settler.scan(listing, now).chunks(BATCH) {
            let files = OpenFiles::look().unwrap_or_default();
            for file in batch {
                if leaving() {
                    return;
                }
                self.consider(worker, file, &files, stop);
            }
        }
    }

    fn list(&mut self, leaving: impl Fn() -> bool) -> io::Result<Vec<(PathBuf, Facts)>> {
        if self.folder.canonicalize()? != self.real {
            return Err(io::Error::other("a link took the place of a folder on its path"));
        }
        self.scanner.list(&self.folder, &self.own, leaving)
    }

    /// Takes a file that has settled, if nothing tells against it. What cannot be read now is looked
    /// at again.
    fn consider(&mut self, worker: &Worker, file: &Quiet, files: &OpenFiles, stop: &Stop) {
        let Ok(open) = OpenOriginal::at(&file.path) else { return };
        let ending = ending(&open).unwrap_or(Ending::Cut);
        let writers = files.writers(&open.file).unwrap_or(Writers::OutOfSight);
        match self.patience.with(file, ending, &writers) {
            _ if open.facts != file.facts => {}
            Some(needed) if file.quiet >= needed => self.submit(worker, file, stop),
            Some(needed) => self.settler.wait(&file.path, needed),
            None => self.say_open(file, &writers),
        }
    }

    fn submit(&mut self, worker: &Worker, file: &Quiet, stop: &Stop) {
        let original = FileOriginal::at(&file.path);
        // Written to between the two: the next scan sees it.
        if original.as_ref().is_ok_and(|original| !original.has(&file.facts)) {
            return;
        }
        let original = original.map(Original::File).map_err(Into::into);
        if self.route.submit(worker, original, stop) {
            self.settler.taken(&file.path);
        }
    }

    /// Says why a file is not taken, to the one who waits for it.
    fn say_open(&mut self, file: &Quiet, writers: &Writers) {
        let Writers::Somebody(program) = writers else { return };
        if file.quiet >= self.patience.remarkable() && self.settler.says(&file.path) {
            let path = file.path.display();
            tracing::warn!(%path, program, "not taken: open for writing");
        }
    }
}

/// What a container says of its end. Only MP4 and QuickTime have their length in their index, and
/// of these not what is written in fragments.
fn ending(open: &OpenOriginal) -> io::Result<Ending> {
    let mut file = &open.file;
    if !completeness::is_whole(&mut file, open.facts.bytes)? {
        return Ok(Ending::Cut);
    }
    let mut at = 0;
    for _ in 0..BOXES {
        let mut header = [0; 8];
        if open.file.read_exact_at(&mut header, at).is_err() {
            break;
        }
        let [a, b, c, d, name @ ..] = header;
        match &name {
            b"moof" | b"styp" => return Ok(Ending::Open),
            b"ftyp" | b"moov" | b"free" | b"skip" | b"wide" | b"pnot" | b"mdat" | b"uuid" => {}
            _ if at == 0 => return Ok(Ending::Open),
            _ => {}
        }
        match u32::from_be_bytes([a, b, c, d]) {
            // Of 64 bits, or to the end: media, behind which no fragments are looked for.
            0 | 1 => break,
            bytes => at += u64::from(bytes.max(8)),
        }
    }
    Ok(Ending::Whole)
}

/// Warns of files that lie where nothing is to be dropped.
pub(super) struct Strays {
    folder: PathBuf,
    own: Vec<PathBuf>,
    scanner: Scanner,
    warned: std::collections::HashSet<PathBuf>,
}

/// Most strays that are warned of.
const STRAYS: usize = 1000;

impl Strays {
    pub(super) fn new(folder: PathBuf, own: Vec<PathBuf>) -> Strays {
        Strays { folder, own, scanner: Scanner::default(), warned: Default::default() }
    }

    /// Warns once of each file that lies beside the inboxes: its owner waits for it.
    pub(super) fn watch(&mut self, stop: &Stop) {
        while stop.level() == StopLevel::Running && !self.own.contains(&self.folder) {
            let leaving = || stop.level() != StopLevel::Running;
            // Often it is not there, since pipelines can have their inboxes anywhere.
            let listed = self.scanner.list(&self.folder, &self.own, leaving);
            for (path, _) in listed.unwrap_or_default() {
                self.warn(&path);
            }
            stop.pause(INTERVAL);
        }
    }

    fn warn(&mut self, path: &Path) {
        if self.warned.len() < STRAYS && self.warned.insert(path.to_owned()) {
            tracing::warn!(path = %path.display(), "dropped beside the inboxes");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(name: &[u8; 4], content: usize) -> Vec<u8> {
        let size = u32::try_from(8 + content).expect("small").to_be_bytes();
        [&size[..], name, &vec![0; content]].concat()
    }

    fn ending_of(bytes: &[u8]) -> Ending {
        let folder = tempfile::tempdir().expect("scratch");
        let path = folder.path().join("a");
        std::fs::write(&path, bytes).expect("write");
        ending(&OpenOriginal::at(&path).expect("open")).expect("read")
    }

    /// An account that may move the folder could else have others' files published.
    #[test]
    fn an_inbox_that_becomes_a_link_is_not_read() {
        let home = tempfile::tempdir().expect("scratch");
        let at = |name: &str| home.path().join(name);
        for folder in ["above", "above/inbox", "theirs", "theirs/inbox"] {
            std::fs::create_dir(at(folder)).expect("folder");
        }
        for folder in ["above", "theirs"] {
            std::fs::write(at(folder).join("inbox/film.ts"), "media").expect("write");
        }
        let route = InboxRoute {
            pipeline: String::new(),
            destination: String::new(),
            objects: Default::default(),
            disposal: vodmill_pipeline::Disposal::Leave,
        };
        let patience = Patience { settle: Duration::ZERO };
        let mut inbox = FolderInbox::open(at("above/inbox"), route, patience).expect("open");
        assert_eq!(inbox.list(|| false).expect("list").len(), 1);
        std::fs::rename(at("above"), at("moved")).expect("rename");
        std::os::unix::fs::symlink(at("theirs"), at("above")).expect("link");
        assert!(inbox.list(|| false).is_err());
    }

    #[test]
    fn only_what_has_its_length_in_an_index_ends_by_itself() {
        let (ftyp, moov, mdat) = (boxed(b"ftyp", 16), boxed(b"moov", 50), boxed(b"mdat", 100));
        let plain = [&ftyp[..], &moov, &mdat].concat();
        assert_eq!(ending_of(&plain), Ending::Whole);
        assert_eq!(ending_of(&plain[..plain.len() - 1]), Ending::Cut);
        let fragmented = [&ftyp[..], &moov, &boxed(b"moof", 20), &mdat].concat();
        assert_eq!(ending_of(&fragmented), Ending::Open);
        for head in [b"\x47\x40\x11\x10\x00\x42\xf0\x25", b"ID3\x04\0\0\0\0", b"FLV\x01\x05\0\0\0"]
        {
            assert_eq!(ending_of(&[&head[..], &[0; 400]].concat()), Ending::Open, "{head:?}");
        }
        assert_eq!(ending_of(b""), Ending::Cut);
    }
}
