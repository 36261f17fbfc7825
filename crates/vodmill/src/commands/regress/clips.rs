//! Which clips are encoded, and where they lie.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};
use vodmill_regress::{Baseline, Clip};

use super::scratch::Scratch;
use crate::cli::Regress;
use crate::exit::Usage;

/// A clip as a file.
pub struct Original {
    /// Its name in baseline and reports.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// SHA-256, 64 hex digits.
    pub sha256: String,
    /// Whether the program has made it, and which it is.
    pub made: Option<Clip>,
}

/// The clips that are wanted, made where they are not there.
pub fn choose(
    arguments: &Regress,
    earlier: Option<&Baseline>,
    scratch: &Scratch,
) -> anyhow::Result<Vec<Original>> {
    let own = arguments.clips.as_deref().map_or(Ok(Vec::new()), own)?;
    check_names(arguments, earlier, &own)?;
    let made = made(arguments, earlier)?;
    if own.is_empty() && made.is_empty() {
        return Err(Usage::error(
            "no clips are left to encode: leave out --made none, or name a folder with --clips",
        ));
    }
    let mut originals = own;
    for clip in made {
        originals.push(make(clip, &scratch.clips())?);
    }
    originals.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(originals)
}

/// Made clips that were asked for, else those of the baseline, else all.
fn made(arguments: &Regress, earlier: Option<&Baseline>) -> anyhow::Result<BTreeSet<Clip>> {
    if arguments.made == ["none"] {
        return Ok(BTreeSet::new());
    }
    if arguments.made.is_empty() {
        let of_earlier =
            earlier.map(|it| it.clips.keys().filter_map(|name| Clip::named(name)).collect());
        return Ok(of_earlier.unwrap_or_else(|| Clip::ALL.into_iter().collect()));
    }
    let named = arguments.made.iter().map(|name| {
        let known = Clip::ALL.map(Clip::name).join(", ");
        Clip::named(name)
            .ok_or_else(|| Usage::error(format!("no made clip {name}; there are {known}, or none")))
    });
    named.collect()
}

/// Clips of one's own that the baseline has are given, unless only a part is asked for.
fn check_names(
    arguments: &Regress,
    earlier: Option<&Baseline>,
    own: &[Original],
) -> anyhow::Result<()> {
    if let Some(clip) = own.iter().find(|clip| Clip::named(&clip.name).is_some()) {
        return Err(Usage::error(format!(
            "{} is called as a made clip: rename it",
            clip.path.display()
        )));
    }
    if arguments.update || !arguments.made.is_empty() {
        return Ok(());
    }
    let mut names = earlier.into_iter().flat_map(|it| it.clips.keys());
    let missing = names
        .find(|name| Clip::named(name).is_none() && !own.iter().any(|clip| clip.name == **name));
    match missing {
        Some(name) => Err(Usage::error(format!(
            "clip {name} of the baseline is none of the made ones: name its folder with --clips"
        ))),
        None => Ok(()),
    }
}

/// The files of a folder.
fn own(folder: &Path) -> anyhow::Result<Vec<Original>> {
    let list = fs::read_dir(folder).with_context(|| format!("list {}", folder.display()));
    let mut originals: Vec<Original> = Vec::new();
    for entry in list.map_err(Usage::because)? {
        let path = std::path::absolute(entry.context("list clips")?.path())?;
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !path.is_file() || hidden {
            continue;
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(other) = originals.iter().find(|other| other.name == name) {
            return Err(Usage::error(format!(
                "{} and {} have the same name: rename one",
                other.path.display(),
                path.display()
            )));
        }
        let sha256 = digest_of_file(&path)?;
        originals.push(Original { name, path, sha256, made: None });
    }
    if originals.is_empty() {
        return Err(Usage::error(format!("{} has no files", folder.display())));
    }
    Ok(originals)
}

fn digest_of_file(path: &Path) -> anyhow::Result<String> {
    let mut file = fs::File::open(path).with_context(|| format!("open {}", path.display()))?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        let read = file.read(&mut buffer).with_context(|| format!("read {}", path.display()))?;
        if read == 0 {
            break;
        }
        hash.update(&buffer[..read]);
    }
    Ok(hex::encode(hash.finalize()))
}

fn make(clip: Clip, folder: &Path) -> anyhow::Result<Original> {
    let path = folder.join(format!("{}.mkv", clip.name()));
    let bytes = clip.make();
    fs::write(&path, &bytes).with_context(|| format!("write {}", path.display()))?;
    let sha256 = hex::encode(Sha256::digest(&bytes));
    Ok(Original { name: clip.name().to_owned(), path, sha256, made: Some(clip) })
}
