//! The objects of a generation, brought over: encrypted ones with other keys, all others as they
//! are. A few at a time, so that what is under way has bounded room.

use std::collections::HashMap;
use std::fs;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;

use vodmill_keys::ClearKeys;
use vodmill_model::Failed;
use vodmill_model::receipt::{Holds, ObjectFact, Receipt};
use vodmill_model::transcode::Progress;
use vodmill_store::Upload;

use super::Rekey;
use super::playlist::{Piece, Rewritten, rewrite};
use super::sealed;
use crate::file::{failed, make_private_dir, measure, remove_dir, sha256};
use crate::publication::object_metadata;
use crate::{Error, Result};

/// Bytes of objects that are stored together, while the next ones are made.
const BATCH: u64 = 256 << 20;

/// Objects that are made at a time. Of each, one piece is in memory: a segment, or a picture.
const MAX_THREADS: usize = 8;

/// How an object gets to the new generation.
enum Rewrite<'a> {
    /// As other text.
    Playlist(&'a Rewritten),
    /// With other keys.
    Encrypted(&'a [Piece]),
    /// As it is.
    Copied,
}

/// Makes and stores every object but the receipt, and notes in `new` what they are now. Gives the
/// bytes that were encrypted.
pub(super) fn make(
    rekey: &Rekey<'_>,
    old: &Receipt,
    new: &mut Receipt,
    old_keys: &ClearKeys,
    new_keys: &ClearKeys,
) -> Result<u64> {
    let mut playlists = HashMap::new();
    let facts = old.hls().into_iter().flat_map(|hls| &hls.playlists);
    for fact in facts.filter(|fact| fact.holds != Holds::Subtitles) {
        let text = read(rekey, old, &fact.name)?;
        let text = String::from_utf8(text)
            .map_err(|error| Failed::from_error(format!("read {}", fact.name), &error))?;
        playlists.insert(fact.name.as_str(), rewrite(&fact.name, &text, old_keys, new_keys)?);
    }
    let pieces: HashMap<&str, &[Piece]> = playlists
        .values()
        .flat_map(|playlist| &playlist.pieces)
        .map(|(object, pieces)| (object.as_str(), pieces.as_slice()))
        .collect();
    let way = |object: &ObjectFact| match playlists.get(object.name.as_str()) {
        Some(playlist) => Rewrite::Playlist(playlist),
        None => {
            pieces.get(object.name.as_str()).map_or(Rewrite::Copied, |it| Rewrite::Encrypted(it))
        }
    };
    remove_dir(&rekey.scratch)?;
    make_private_dir(&rekey.scratch)?;
    let done = AtomicU64::new(0);
    let generation = new.generation.as_str();
    let make = |batch: &[ObjectFact]| make_batch(rekey, old, generation, batch, &way, &done);
    let made = make_and_store(rekey, &new.objects, make);
    remove_dir(&rekey.scratch)?;
    let encrypted = new.objects.iter().filter(|it| pieces.contains_key(it.name.as_str()));
    let bytes = encrypted.map(|object| object.bytes).sum();
    new.objects = made?;
    Ok(bytes)
}

/// Stores one batch while the next is made: the disk has as much to do as the processor.
fn make_and_store(
    rekey: &Rekey<'_>,
    objects: &[ObjectFact],
    make: impl Fn(&[ObjectFact]) -> Result<(Vec<ObjectFact>, Vec<Upload>)>,
) -> Result<Vec<ObjectFact>> {
    thread::scope(|scope| {
        let (ready, to_store) = mpsc::sync_channel::<Vec<Upload>>(0);
        let storing =
            scope.spawn(move || to_store.iter().try_for_each(|it| rekey.store.put_files(&it)));
        let made = batches(objects).try_fold(Vec::new(), |mut made, batch| {
            let (facts, uploads) = make(batch)?;
            made.extend(facts);
            // Nobody takes it where storing has failed, and then that is what there is to say.
            ready.send(uploads).map_err(|_| Failed::new("store objects", "it has ended"))?;
            Ok::<_, Error>(made)
        });
        drop(ready);
        storing.join().unwrap_or_else(|panic| resume_unwind(panic))?;
        made
    })
}

/// Objects in runs of at most [`BATCH`] bytes, or of one.
fn batches(objects: &[ObjectFact]) -> impl Iterator<Item = &[ObjectFact]> {
    let mut rest = objects;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = rest.iter().take_while(|object| {
            bytes += object.bytes;
            bytes <= BATCH
        });
        let count = fits.count().max(1).min(rest.len());
        let (batch, after) = rest.split_at(count);
        rest = after;
        (!batch.is_empty()).then_some(batch)
    })
}

/// Makes objects side by side.
fn make_batch<'a>(
    rekey: &Rekey<'_>,
    old: &Receipt,
    generation: &str,
    batch: &[ObjectFact],
    way: &(impl Fn(&ObjectFact) -> Rewrite<'a> + Sync),
    done: &AtomicU64,
) -> Result<(Vec<ObjectFact>, Vec<Upload>)> {
    let (next, made) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let total = old.objects.iter().map(|object| object.bytes).sum();
    let work = || -> Result<()> {
        while let Some(object) = batch.get(next.fetch_add(1, Ordering::Relaxed)) {
            let upload = make_one(rekey, old, generation, object, &way(object))?;
            made.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(upload);
            let done = done.fetch_add(object.bytes, Ordering::Relaxed) + object.bytes;
            rekey.watch.progress(Progress { of: "rekey".to_owned(), done, total: Some(total) });
        }
        Ok(())
    };
    let cores = thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..cores.min(batch.len())).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })?;
    let mut made = made.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    made.sort_by(|(a, _): &(ObjectFact, Upload), (b, _)| a.cmp(b));
    Ok(made.into_iter().unzip())
}

fn make_one(
    rekey: &Rekey<'_>,
    old: &Receipt,
    generation: &str,
    object: &ObjectFact,
    way: &Rewrite<'_>,
) -> Result<(ObjectFact, Upload)> {
    let name = &object.name;
    let file = rekey.scratch.join(sha256(name.as_bytes()));
    let fact = match way {
        Rewrite::Copied => {
            fetch(rekey, old, object, &file)?;
            object.clone()
        }
        Rewrite::Playlist(playlist) => written(&file, name, playlist.text.as_bytes())?,
        Rewrite::Encrypted(pieces) => {
            fetch(rekey, old, object, &file)?;
            sealed::anew(name, &file, pieces)?;
            let (bytes, sha256) = measure(&file)?;
            ObjectFact { name: name.clone(), bytes, sha256 }
        }
    };
    let key = rekey.key(generation, name)?;
    let (headers, bulk) = (object_metadata::of_object(name), object_metadata::is_bulk(name));
    let upload = Upload { key, file, bytes: fact.bytes, headers, bulk };
    Ok((fact, upload))
}

/// An object of the old generation as a file, if it is the one that its receipt lists. However large
/// it is: it is not in memory.
fn fetch(rekey: &Rekey<'_>, old: &Receipt, object: &ObjectFact, file: &Path) -> Result<()> {
    rekey.store.get_file(&rekey.key(old.generation.as_str(), &object.name)?, file)?;
    let (bytes, sha256) = measure(file)?;
    same(object, bytes, &sha256)
}

/// The text of a playlist of the old generation, if it is the one that its receipt lists.
fn read(rekey: &Rekey<'_>, old: &Receipt, name: &str) -> Result<Vec<u8>> {
    let listed = old.objects.iter().find(|object| object.name == name);
    let listed = listed
        .ok_or_else(|| Failed::new(format!("read {name}"), "the receipt does not list it"))?;
    let bytes = rekey.store.get(&rekey.key(old.generation.as_str(), name)?)?;
    same(listed, bytes.len() as u64, &sha256(&bytes))?;
    Ok(bytes)
}

fn same(object: &ObjectFact, bytes: u64, sha256: &str) -> Result<()> {
    match object.bytes == bytes && object.sha256 == sha256 {
        true => Ok(()),
        false => {
            let stage = format!("read {}", object.name);
            Err(Failed::new(stage, "it is damaged: its digest is not the receipt's").into())
        }
    }
}

fn written(file: &Path, name: &str, bytes: &[u8]) -> Result<ObjectFact> {
    fs::write(file, bytes).map_err(failed("write", file))?;
    Ok(ObjectFact { name: name.to_owned(), bytes: bytes.len() as u64, sha256: sha256(bytes) })
}
