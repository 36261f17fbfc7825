//! A folder and a prefix of the server's bucket for one test.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use vodmill_delivery::content_type;
use vodmill_store::Headers;
use vodmill_store::s3::{Bucket, Condition, ObjectInfo, ObjectSettings, PutOptions};
use vodmill_store::sync::{Event, Filter, Report, Sync, SyncError};

use super::tap::{Tap, Then};
use crate::server::{address, bucket, settings_for, unique};

type Result<T> = std::result::Result<T, SyncError>;

pub struct Place {
    pub bucket: Bucket,
    pub prefix: String,
    pub manifest: PathBuf,
    home: PathBuf,
    events: RefCell<Vec<String>>,
    _keep: Option<TempDir>,
}

/// A place, reached through a tap.
pub struct At<'a> {
    place: &'a Place,
    bucket: Bucket,
}

impl At<'_> {
    pub fn sync(&self) -> Report {
        self.with(|_| ()).expect("a report")
    }

    pub fn with(&self, set: impl FnOnce(&mut Sync<'_>)) -> Result<Report> {
        self.place.run(&self.bucket, None, set)
    }
}

impl Place {
    pub fn new() -> Place {
        let home = tempfile::tempdir().expect("scratch");
        let path = home.path().to_path_buf();
        let prefix = format!("{}/", unique("sync"));
        let place = Place::of(path, bucket(), prefix);
        // The first object makes the bucket; one that ends in `/` counts for nothing.
        place.put("", "");
        Place { _keep: Some(home), ..place }
    }

    fn of(home: PathBuf, bucket: Bucket, prefix: String) -> Place {
        fs::create_dir_all(home.join("tree")).expect("folder");
        let (manifest, events) = (home.join("manifest"), RefCell::default());
        Place { bucket, prefix, manifest, home, events, _keep: None }
    }

    /// What another process needs to open the same place through a tap.
    pub fn describe(&self, tap: &Tap) -> String {
        let settings = serde_json::to_string(&settings_for(&tap.endpoint)).expect("JSON");
        let home = self.home.to_str().expect("UTF-8");
        [home, self.bucket.name(), &self.prefix, &settings].join("|")
    }

    pub fn open(text: &str) -> Place {
        let mut parts = text.splitn(4, '|');
        let mut part = || parts.next().expect("a part");
        let (home, bucket, prefix) = (PathBuf::from(part()), part(), part().to_owned());
        let settings = serde_json::from_str(part()).expect("settings");
        Place::of(home, Bucket::open(bucket, &settings), prefix)
    }

    pub fn tap(
        &self,
        decide: impl Fn(&str, &str) -> Then + Send + std::marker::Sync + 'static,
    ) -> Tap {
        Tap::new(address(), decide)
    }

    pub fn at(&self, tap: &Tap) -> At<'_> {
        let settings = settings_for(&tap.endpoint);
        At { place: self, bucket: Bucket::open(self.bucket.name(), &settings) }
    }

    pub fn sync(&self) -> Report {
        self.with(|_| ()).expect("a report")
    }

    /// Until no file is too young to be known by its stamp, which only time can do.
    pub fn settle(&self) {
        self.sync();
        std::thread::sleep(Duration::from_millis(2100));
        self.sync();
    }

    pub fn with(&self, set: impl FnOnce(&mut Sync<'_>)) -> Result<Report> {
        self.run(&self.bucket, None, set)
    }

    /// With a cache policy for every file.
    pub fn sync_kept(&self, cache: &str) -> Report {
        self.run(&self.bucket, Some(cache), |_| ()).expect("a report")
    }

    fn run(
        &self,
        bucket: &Bucket,
        cache: Option<&str>,
        set: impl FnOnce(&mut Sync<'_>),
    ) -> Result<Report> {
        let (filter, kept) = (Filter::default(), ObjectSettings::default());
        let dir = self.home.join("tree");
        let mut sync = Sync {
            dir: &dir,
            bucket,
            prefix: &self.prefix,
            manifest: &self.manifest,
            filter: &filter,
            leave_out: &|_| false,
            headers: &|_, name| headers(name, cache),
            phase: &phase,
            settings: &kept,
            delete: None,
            checksum: false,
            dry_run: false,
            jobs: 4,
        };
        set(&mut sync);
        self.events.borrow_mut().clear();
        sync.run(&mut |event| self.events.borrow_mut().push(words(&event)))
    }

    /// What the last sync said of this kind.
    pub fn events(&self, kind: &str) -> Vec<String> {
        let cut = |event: &String| Some(event.strip_prefix(kind)?.trim_start().to_owned());
        self.events.borrow().iter().filter_map(cut).collect()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.join("tree").join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        self.write_bytes(name, text.as_bytes());
    }

    pub fn write_bytes(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folder");
        fs::write(path, bytes).expect("file");
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).expect("removed");
    }

    pub fn set_time(&self, name: &str, time: SystemTime) {
        let file = fs::File::options().write(true).open(self.path(name)).expect("open");
        file.set_modified(time).expect("time");
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Stores an object as another program would.
    pub fn put(&self, name: &str, text: &'static str) {
        let (options, always) = (PutOptions::default(), Condition::None);
        self.bucket.put(&self.key(name), text, &options, &always).expect("put");
    }

    pub fn has(&self, name: &str) -> bool {
        self.bucket.head(&self.key(name)).expect("an answer").is_some()
    }

    pub fn head(&self, name: &str) -> ObjectInfo {
        self.bucket.head(&self.key(name)).expect("an answer").expect("an object")
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        self.bucket.get(&self.key(name)).expect("an object").0
    }
}

fn headers(name: &str, cache_control: Option<&str>) -> Headers {
    let content_type = Some(content_type(name).to_owned());
    Headers { content_type, cache_control: cache_control.map(str::to_owned) }
}

fn phase(name: &str, _: Option<&Path>) -> u8 {
    match name {
        _ if name.ends_with("asset.json") => 2,
        _ if name.ends_with(".m3u8") => 1,
        _ => 0,
    }
}

fn words(event: &Event<'_>) -> String {
    match event {
        Event::Uploaded { name, reason, .. } => format!("upload {name} {reason}"),
        Event::Same { name, .. } => format!("same {name}"),
        Event::Deleted { name } => format!("delete {name}"),
        other => format!("{other:?}"),
    }
}
