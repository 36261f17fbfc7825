//! The files of a generation as they come into being, hashed while they are in memory.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ring::digest::{Context, SHA256};
use vodmill_model::Failed;
use vodmill_model::receipt::ObjectFact;
use vodmill_model::transcode::{Progress, ProgressSink};

use crate::file::{failed, make_private_dir, measure, sha256};

/// Writes objects below one folder and remembers what they were. One sync of the whole file system
/// when the tree is published makes them durable.
pub(crate) struct TreeWriter<'a> {
    root: PathBuf,
    watch: &'a dyn ProgressSink,
    objects: Mutex<Vec<ObjectFact>>,
}

impl<'a> TreeWriter<'a> {
    pub(crate) fn new(root: PathBuf, watch: &'a dyn ProgressSink) -> TreeWriter<'a> {
        TreeWriter { root, watch, objects: Mutex::default() }
    }

    /// Where an object goes that somebody else writes; its folder is made.
    pub(crate) fn place(&self, name: &str) -> Result<PathBuf, Failed> {
        let path = self.root.join(name);
        make_private_dir(path.parent().unwrap_or(&self.root))?;
        Ok(path)
    }

    /// Writes an object.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Failed> {
        let path = self.place(name)?;
        fs::write(&path, bytes).map_err(failed("write", &path))?;
        let sha256 = sha256(bytes);
        self.add(ObjectFact { name: name.to_owned(), bytes: bytes.len() as u64, sha256 });
        Ok(())
    }

    /// Begins an object that is written piece by piece.
    pub(crate) fn begin(&self, name: &str) -> Result<ObjectWriter<'_>, Failed> {
        let path = self.place(name)?;
        let file = BufWriter::new(File::create(&path).map_err(failed("create", &path))?);
        let name = name.to_owned();
        Ok(ObjectWriter { tree: self, name, path, file, hash: Context::new(&SHA256), bytes: 0 })
    }

    /// Takes note of an object that was written to its [`place`](TreeWriter::place).
    pub(crate) fn adopt(&self, name: &str) -> Result<ObjectFact, Failed> {
        let (bytes, sha256) = measure(&self.root.join(name))?;
        let object = ObjectFact { name: name.to_owned(), bytes, sha256 };
        self.add(object.clone());
        Ok(object)
    }

    /// An object that is there already.
    pub(crate) fn object(&self, name: &str) -> Option<ObjectFact> {
        self.lock().iter().find(|object| object.name == name).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<ObjectFact>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, object: ObjectFact) {
        let mut objects = self.lock();
        objects.push(object);
        let done = objects.len() as u64;
        drop(objects);
        self.watch.progress(Progress { of: "package".to_owned(), done, total: None });
    }

    /// Every object so far, in the order of their names.
    pub(crate) fn objects(&self) -> Vec<ObjectFact> {
        let mut objects = self.lock().clone();
        objects.sort();
        objects
    }
}

/// An object under way, hashed as it grows: it may be larger than memory.
pub(crate) struct ObjectWriter<'a> {
    tree: &'a TreeWriter<'a>,
    name: String,
    path: PathBuf,
    file: BufWriter<File>,
    hash: Context,
    bytes: u64,
}

impl ObjectWriter<'_> {
    /// Adds a piece and says where it begins.
    pub(crate) fn add(&mut self, piece: &[u8]) -> Result<u64, Failed> {
        self.file.write_all(piece).map_err(failed("write", &self.path))?;
        self.hash.update(piece);
        let offset = self.bytes;
        self.bytes += piece.len() as u64;
        Ok(offset)
    }

    /// Makes it an object of the tree.
    pub(crate) fn finish(mut self) -> Result<(), Failed> {
        self.file.flush().map_err(failed("write", &self.path))?;
        let sha256 = hex::encode(self.hash.finish());
        self.tree.add(ObjectFact { name: self.name, bytes: self.bytes, sha256 });
        Ok(())
    }
}
