//! Other keys for a published package, without encoding: its segments are decrypted and encrypted
//! anew, its playlists and receipt follow, and the pointer moves to the new generation.
//!
//! Everything is read from the destination and held against the receipt that is there, so that what
//! was proved of the old generation holds for the new one: the clear bytes are the same. Whoever
//! begins again after a crash finds the keys that were stored, takes the same generation, and makes
//! the same bytes.

mod objects;
mod playlist;
mod sealed;

use std::path::PathBuf;

use serde::Serialize;
use vodmill_clock::{Clock as _, SystemClock};
use vodmill_fault::point;
use vodmill_keys::{ClearKeys, KeySet, KeyStore};
use vodmill_model::asset::{AssetDocument, Publication};
use vodmill_model::outcome::Reason;
use vodmill_model::receipt::{RECEIPT, Receipt};
use vodmill_model::transcode::ProgressSink;
use vodmill_model::{Failed, GenerationName, MediaError, Rejected};
use vodmill_queue::Names;
use vodmill_store::{Key, Store, StoreError};

use crate::file::{passed, sha256};
use crate::generation::{self, ASSET, MULTIVARIANT};
use crate::publication::object_metadata;
use crate::stages::{CONTESTED, Pointed, date, led_to, move_pointer, text_of};
use crate::{Error, Result};

/// What to give other keys, and what with.
pub struct Rekey<'a> {
    /// The store that assets are published in.
    pub store: &'a dyn Store,
    /// Where keys are kept.
    pub keys: &'a dyn KeyStore,
    /// Where numbers of generations come from.
    pub names: &'a dyn Names,
    /// The asset's name.
    pub asset: &'a str,
    /// A folder for what is under way, at best on the file system of the store; gone afterwards.
    pub scratch: PathBuf,
    /// Told how far it is, in bytes.
    pub watch: &'a dyn ProgressSink,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rekeyed {
    /// The asset.
    pub asset: String,
    /// The generation that was published before; it is still there.
    pub before: String,
    /// The generation that is published now.
    pub generation: String,
    /// Bytes of all objects.
    pub bytes: u64,
    /// Bytes of those that were encrypted anew.
    pub encrypted_bytes: u64,
}

impl Rekey<'_> {
    /// Does it.
    ///
    /// # Errors
    /// A refusal if there is no such package or it is not encrypted; a failure if its keys are not
    /// there, if it is damaged, or if a store fails. The old generation stays published then.
    pub fn run(&self) -> Result<Rekeyed> {
        let old = self.published()?;
        let old_set = self.keys_of(old.receipt.generation.as_str())?;
        let old_keys = ClearKeys::from(&old_set);
        let generation = self.new_generation(&old.document.asset().generation)?;
        let fresh = KeySet::generate(old_keys.ring().len());
        let mut fresh = fresh.map_err(|error| Failed::from_error("make keys", &error))?;
        fresh.terms.max_age = old_set.terms.max_age;
        let stored = self.keys.put(self.asset, generation.as_str(), fresh)?;
        passed(point!("rekey.keyed"))?;
        let new_keys = ClearKeys::from(&stored);
        let mut receipt = Receipt { generation: generation.clone(), ..old.receipt.clone() };
        let encrypted_bytes =
            objects::make(self, &old.receipt, &mut receipt, &old_keys, &new_keys)?;
        passed(point!("rekey.stored"))?;
        self.publish(&old, &generation, receipt)?;
        Ok(Rekeyed {
            asset: self.asset.to_owned(),
            before: old.receipt.generation.to_string(),
            generation: generation.to_string(),
            bytes: old.receipt.objects.iter().map(|object| object.bytes).sum(),
            encrypted_bytes,
        })
    }

    /// The package that the pointer leads to, if its receipt is the one that the pointer names.
    fn published(&self) -> Result<Published> {
        let (description, multivariant) = (self.pointer(ASSET)?, self.pointer(MULTIVARIANT)?);
        let description = description.ok_or_else(|| self.refused("it is not published"))?;
        let stage = || format!("read {}/{ASSET}", self.asset);
        let document = AssetDocument::read(&description)
            .map_err(|error| Failed::from_error(stage(), &error))?;
        let generation = document.asset().generation.as_str();
        let bytes = self.store.get(&self.key(generation, RECEIPT)?)?;
        let receipt = Receipt::read(&bytes)
            .map_err(|error| Failed::from_error(format!("read {RECEIPT}"), &error))?;
        let named = document.receipt.as_ref().map(|receipt| &receipt.sha256);
        if named != Some(&sha256(&bytes)) {
            let what = format!("its {RECEIPT} is not the one that {ASSET} names");
            return Err(Failed::new(format!("read {}", self.asset), what).into());
        }
        if !receipt.is_encrypted() {
            return Err(self.refused("it is not encrypted"));
        }
        let multivariant = self.playlist_of(&receipt, multivariant)?;
        Ok(Published { document, multivariant, receipt })
    }

    /// The multivariant playlist of a package as it was published with it. What lies there may be of
    /// the same version under other keys: the pointer has two objects.
    fn playlist_of(&self, receipt: &Receipt, there: Option<Vec<u8>>) -> Result<Option<String>> {
        let Some(hls) = receipt.hls() else { return Ok(None) };
        let stage = || format!("read {}/{MULTIVARIANT}", self.asset);
        let there = there.ok_or_else(|| Failed::new(stage(), "it is not there"))?;
        let text = String::from_utf8(there).map_err(|error| Failed::from_error(stage(), &error))?;
        let led_to = led_to(&text).unwrap_or_default();
        let text = moved(&text, led_to, receipt.generation.as_str());
        match sha256(text.as_bytes()) == hls.multivariant {
            true => Ok(Some(text)),
            false => Err(Failed::new(stage(), "it is not the one of the receipt").into()),
        }
    }

    fn pointer(&self, name: &str) -> Result<Option<Vec<u8>>> {
        match self.store.get(&Key::new(format!("{}/{name}", self.asset))?) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(StoreError::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn keys_of(&self, generation: &str) -> Result<KeySet> {
        let keys = self.keys.of_generation(self.asset, generation)?;
        let missing = || {
            let stage = format!("find the keys of {} {generation}", self.asset);
            Error::from(Failed::new(stage, "the key store does not have them"))
        };
        keys.ok_or_else(missing)
    }

    /// The same for the same generation before it, so that a second attempt goes on with the first. It
    /// is the same version: one that a job has begun already comes after it, whenever that ends.
    fn new_generation(&self, before: &GenerationName) -> Result<GenerationName> {
        let cause = format!("rekey {before}");
        // Noted, so that generations of this asset are known to grow old.
        self.names.next_generation(self.asset, &cause)?;
        let stage = || format!("number a generation of {}", self.asset);
        let odd = || Failed::new(stage(), format!("{before} has no number that can rise"));
        let number = before.number().rekeyed().ok_or_else(odd)?;
        let mark = sha256(format!("{} {cause}", self.asset).as_bytes());
        let name = GenerationName::new(number, &mark);
        Ok(name.map_err(|error| Failed::from_error(stage(), &error))?)
    }

    /// Describes the new generation, in the version that is written now, and points at it.
    fn publish(&self, old: &Published, after: &GenerationName, mut receipt: Receipt) -> Result<()> {
        let before = old.receipt.generation.as_str();
        let multivariant =
            old.multivariant.as_ref().map(|text| moved(text, before, after.as_str()));
        if let (Some(hls), Some(text)) = (receipt.hls_mut(), &multivariant) {
            hls.multivariant = sha256(text.as_bytes());
        }
        let mut document = self.described(&old.document, after)?;
        receipt.description = document.digest();
        let json = generation::json(&receipt)?;
        let key = self.key(after.as_str(), RECEIPT)?;
        self.store.put(&key, &json, &object_metadata::of_object(RECEIPT))?;
        passed(point!("rekey.described"))?;
        document.receipt = Some(receipt.reference(&sha256(&json)));
        if let Some(text) = &multivariant {
            self.point(after, MULTIVARIANT, text.as_bytes())?;
        }
        passed(point!("rekey.playlist"))?;
        document.publication.published_at = Some(date(SystemClock.now()));
        self.point(after, ASSET, &text_of(&document)?)?;
        Ok(passed(point!("rekey.pointed"))?)
    }

    /// The description of the new generation. What it took to make is what the old one took.
    fn described(&self, old: &AssetDocument, after: &GenerationName) -> Result<AssetDocument> {
        let unknown = || {
            let why = "it has an output of a kind that a newer vodmill makes: rekey it with that";
            Failed::new(format!("describe {} {after}", self.asset), why)
        };
        let asset = old.asset().as_generation(after).ok_or_else(unknown)?;
        let mut document = AssetDocument::new(asset);
        document.publication = Publication { published_at: None, ..old.publication.clone() };
        Ok(document)
    }

    /// Replaces one object of the pointer.
    ///
    /// # Errors
    /// Where a later version was published meanwhile: it has keys of its own, and stays.
    fn point(&self, generation: &GenerationName, name: &str, bytes: &[u8]) -> Result<()> {
        match move_pointer(self.store, self.asset, generation, name, bytes)? {
            Pointed::Moved => Ok(()),
            Pointed::Contested => {
                Err(Failed::new(format!("publish {} {generation}", self.asset), CONTESTED).into())
            }
            Pointed::Overtaken => {
                let why = "a later version was published meanwhile, with keys of its own: to give \
                           it others, do this again";
                Err(Failed::new(format!("publish {} {generation}", self.asset), why).into())
            }
        }
    }

    /// The key of an object of a generation.
    fn key(&self, generation: &str, name: &str) -> Result<Key> {
        Ok(Key::new(format!("{}/{generation}/{name}", self.asset))?)
    }

    fn refused(&self, why: &str) -> Error {
        let refusal = Rejected::new(Reason::NotAPackage, format!("{}: {why}", self.asset));
        MediaError::from(refusal).into()
    }
}

/// A package as it is published.
struct Published {
    document: AssetDocument,
    multivariant: Option<String>,
    receipt: Receipt,
}

/// A multivariant playlist whose URIs lead to another generation: lines, and quoted attributes.
fn moved(text: &str, before: &str, after: &str) -> String {
    let line = |line: &str| match line.strip_prefix(&format!("{before}/")) {
        Some(rest) => format!("{after}/{rest}"),
        None => line.replace(&format!("URI=\"{before}/"), &format!("URI=\"{after}/")),
    };
    text.split_inclusive('\n').map(line).collect()
}
