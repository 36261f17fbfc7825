//! What was uploaded, remembered between syncs: which file, as the file system describes it, became
//! which object, as the store describes it. Losing it costs time only.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use md5::{Digest as _, Md5};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use super::error::{Result, SyncError};
use super::walk::Stamp;
use crate::Headers;
use crate::s3::etag_of_whole;

/// What a file must be older than, when it is read, for its stamp to tell the next change: file
/// systems count time in steps, FAT's as long as this.
const SETTLED: Duration = Duration::from_secs(2);

/// A name for the manifest of the folder `dir` and the destination `to` at `endpoint`, of letters
/// and digits.
pub fn manifest_name(dir: &Path, to: &str, endpoint: Option<&str>) -> String {
    let endpoint = endpoint.unwrap_or_default();
    let parts = [dir.as_os_str().as_encoded_bytes(), to.as_bytes(), endpoint.as_bytes()];
    etag_of_whole(&Md5::digest(parts.join(&0)).into())
}

/// One file and its object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// The file's name below the folder.
    #[serde(rename = "n")]
    pub name: String,
    /// The object's ETag, without quotes.
    #[serde(rename = "e")]
    pub etag: String,
    /// The file's stamp while it was read; none when it was too young to be told from a later edit.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub stamp: Option<Stamp>,
    /// What readers of the object are told.
    #[serde(rename = "h")]
    pub headers: Told,
}

/// [`Headers`] in few bytes: `Content-Type` and `Cache-Control`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Told(Option<String>, Option<String>);

impl Told {
    pub fn is(&self, headers: &Headers) -> bool {
        self.0 == headers.content_type && self.1 == headers.cache_control
    }
}

impl From<&Headers> for Told {
    fn from(it: &Headers) -> Told {
        Told(it.content_type.clone(), it.cache_control.clone())
    }
}

/// The stamp, if a change after `since` would show in it.
pub(super) fn settled(stamp: Stamp, since: SystemTime) -> Option<Stamp> {
    let since = since.duration_since(UNIX_EPOCH).ok()?.checked_sub(SETTLED)?;
    let since = i64::try_from(since.as_nanos()).ok()?;
    (stamp.ctime < since && stamp.mtime < since).then_some(stamp)
}

/// The first line.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    manifest: u32,
    of: String,
}

/// The manifest of one folder and one destination: lines of JSON, a later one for the same name in
/// place of an earlier. Held by one process.
#[derive(Debug)]
pub(super) struct Manifest {
    path: PathBuf,
    head: Head,
    records: HashMap<String, Record>,
    journal: Option<BufWriter<File>>,
    changed: bool,
    _lock: File,
}

impl Manifest {
    /// Reads the manifest of `of` at `path`; one of something else, or none, is an empty one.
    pub fn open(path: &Path, of: String) -> Result<Manifest> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(SyncError::local("create", folder))?;
        }
        let lock = lock(path)?;
        let head = Head { manifest: 1, of };
        let records = match File::open(path) {
            Ok(file) => read(file, &head).map_err(SyncError::local("read", path))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(SyncError::local("open", path)(error)),
        };
        let path = path.to_path_buf();
        let (changed, records) = (records.is_none(), records.unwrap_or_default());
        Ok(Manifest { path, head, records, journal: None, changed, _lock: lock })
    }

    pub fn get(&self, name: &str) -> Option<&Record> {
        self.records.get(name)
    }

    /// All names, in no order.
    #[cfg(test)]
    fn names(&self) -> impl Iterator<Item = &str> {
        self.records.keys().map(String::as_str)
    }

    /// Remembers at once what `record` says, so that a sync that was killed goes on where it was.
    pub fn add(&mut self, record: Record) -> Result<()> {
        if self.records.get(&record.name) == Some(&record) {
            return Ok(());
        }
        let written = self.append(&record);
        written.map_err(SyncError::local("write", &self.path))?;
        self.records.insert(record.name.clone(), record);
        self.changed = true;
        Ok(())
    }

    fn append(&mut self, record: &Record) -> io::Result<()> {
        let journal = match &mut self.journal {
            Some(journal) => journal,
            None => self.journal.insert(begin(&self.path, &self.head)?),
        };
        line(journal, record)?;
        journal.flush()
    }

    /// Forgets what `keep` does not hold, and writes a manifest without history if anything changed.
    pub fn finish(mut self, keep: impl Fn(&str) -> bool) -> Result<()> {
        let before = self.records.len();
        self.records.retain(|name, _| keep(name));
        if self.changed || self.records.len() != before {
            self.rewrite().map_err(SyncError::local("write", &self.path))?;
        }
        Ok(())
    }

    /// Unsynced: a torn manifest is one that knows less.
    fn rewrite(&self) -> io::Result<()> {
        let part = beside(&self.path, ".part");
        let mut out = BufWriter::new(File::create(&part)?);
        line(&mut out, &self.head)?;
        for record in self.records.values() {
            line(&mut out, record)?;
        }
        out.into_inner().map_err(io::IntoInnerError::into_error)?;
        fs::rename(&part, &self.path)
    }
}

/// Opens the file for lines at its end, and writes the first where it does not begin with it.
fn begin(path: &Path, head: &Head) -> io::Result<BufWriter<File>> {
    let is_ours = match File::open(path) {
        Ok(file) => read_head(&mut BufReader::new(file))?.as_ref() == Some(head),
        Err(_) => false,
    };
    let mut options = File::options();
    let file = options.create(true).append(true).open(path)?;
    if !is_ours {
        file.set_len(0)?;
    }
    let mut out = BufWriter::new(file);
    match is_ours {
        // A line that a crash cut off must not spoil the next.
        true => out.write_all(b"\n")?,
        false => line(&mut out, head)?,
    }
    Ok(out)
}

fn line(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

fn read_head(lines: &mut impl io::BufRead) -> io::Result<Option<Head>> {
    let mut first = Vec::new();
    lines.read_until(b'\n', &mut first)?;
    Ok(serde_json::from_slice(&first).ok())
}

/// The records, or none if it is another's manifest. Lines that are no record were torn.
fn read(file: File, head: &Head) -> io::Result<Option<HashMap<String, Record>>> {
    let mut lines = BufReader::with_capacity(1 << 18, file);
    if read_head(&mut lines)?.as_ref() != Some(head) {
        return Ok(None);
    }
    let mut records = HashMap::new();
    let mut text = Vec::new();
    while lines.read_until(b'\n', &mut text)? > 0 {
        if let Ok(record) = serde_json::from_slice::<Record>(&text) {
            records.insert(record.name.clone(), record);
        }
        text.clear();
    }
    Ok(Some(records))
}

/// The manifest is replaced by renaming, so the lock is on a file of its own.
fn lock(path: &Path) -> Result<File> {
    let beside = beside(path, ".lock");
    let open = File::options().create(true).truncate(false).write(true).open(&beside);
    let file = open.map_err(SyncError::local("open", &beside))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(SyncError::Busy(path.to_path_buf())),
        Err(error) => Err(SyncError::local("lock", &beside)(error.into())),
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str, etag: &str) -> Record {
        let stamp = Stamp { bytes: 3, mtime: 1, ctime: -2, inode: 4 };
        let headers = Told(Some("video/mp2t".to_owned()), None);
        let (name, etag) = (name.to_owned(), etag.to_owned());
        Record { name, etag, stamp: Some(stamp), headers }
    }

    fn open(path: &Path) -> Manifest {
        Manifest::open(path, "a to b".to_owned()).expect("manifest")
    }

    #[test]
    fn what_was_added_is_there_after_a_kill_and_after_an_end() {
        let dir = tempfile::tempdir().expect("scratch");
        let path = dir.path().join("cache/m");
        let mut manifest = open(&path);
        for (name, etag) in [("a", "1"), ("b", "1"), ("a", "2")] {
            manifest.add(record(name, etag)).expect("add");
        }
        drop(manifest); // As a kill leaves it.
        let manifest = open(&path);
        assert_eq!(manifest.get("a"), Some(&record("a", "2")));
        manifest.finish(|name| name == "a").expect("finish");
        let manifest = open(&path);
        assert_eq!(manifest.names().collect::<Vec<_>>(), ["a"]);
        assert_eq!(fs::read_to_string(&path).expect("text").lines().count(), 2, "no history");
    }

    #[test]
    fn a_torn_line_costs_one_record() {
        let dir = tempfile::tempdir().expect("scratch");
        let path = dir.path().join("m");
        let mut manifest = open(&path);
        manifest.add(record("a", "1")).expect("add");
        manifest.add(record("b", "1")).expect("add");
        drop(manifest);
        let text = fs::read_to_string(&path).expect("text");
        fs::write(&path, &text[..text.len() - 5]).expect("torn");
        let mut manifest = open(&path);
        assert!(manifest.get("a").is_some() && manifest.get("b").is_none());
        manifest.add(record("c", "1")).expect("add");
        drop(manifest);
        let manifest = open(&path);
        assert!(manifest.get("a").is_some() && manifest.get("c").is_some());
    }

    #[test]
    fn anothers_manifest_is_an_empty_one() {
        let dir = tempfile::tempdir().expect("scratch");
        let path = dir.path().join("m");
        let mut manifest = open(&path);
        manifest.add(record("a", "1")).expect("add");
        drop(manifest);
        let mut other = Manifest::open(&path, "a to c".to_owned()).expect("manifest");
        assert_eq!(other.names().count(), 0);
        other.add(record("z", "1")).expect("add");
        drop(other);
        assert_eq!(open(&path).names().count(), 0);
        fs::write(&path, b"\xff\0garbage").expect("garbage");
        assert_eq!(open(&path).names().count(), 0);
    }

    #[test]
    fn two_at_a_time_are_refused() {
        let dir = tempfile::tempdir().expect("scratch");
        let path = dir.path().join("m");
        let first = open(&path);
        let second = Manifest::open(&path, "a to b".to_owned());
        assert!(matches!(second, Err(SyncError::Busy(_))));
        drop(first);
        open(&path);
    }

    #[test]
    fn a_young_files_stamp_is_not_trusted() {
        let now = SystemTime::now();
        let nanoseconds = |ago: u64| {
            let then = now - Duration::from_secs(ago);
            then.duration_since(UNIX_EPOCH).expect("after 1970").as_nanos() as i64
        };
        let stamp = |ago| Stamp { bytes: 1, mtime: 0, ctime: nanoseconds(ago), inode: 1 };
        assert_eq!(settled(stamp(1), now), None);
        assert_eq!(settled(stamp(3), now), Some(stamp(3)));
    }
}
