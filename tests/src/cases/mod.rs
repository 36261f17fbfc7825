//! Inputs, odd and broken ones above all, made by the ffmpeg program and kept in the target
//! directory: a rerun takes them from there.

mod damage;
mod recipes;

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

pub use recipes::{NAMES, Recipe, all};

/// The file of a recipe, made now if it is not there yet. Any number of tests may ask at once.
pub fn case(name: &str) -> PathBuf {
    let cache = cache();
    let wanted = cache.join(name);
    if wanted.exists() {
        return wanted;
    }
    let recipe = recipes::find(name).unwrap_or_else(|| panic!("no recipe makes {name}"));
    // Made aside and linked: whoever is first wins, nobody sees half a file, and a file that a
    // test works on is never replaced.
    let aside = tempfile::tempdir_in(&cache).expect("a directory in the cache of cases");
    let made = aside.path().join("made").with_extension(extension(name));
    recipe(&made).unwrap_or_else(|why| panic!("{name}: {why}"));
    match fs::hard_link(&made, &wanted) {
        Err(why) if why.kind() != ErrorKind::AlreadyExists => panic!("{name}: {why}"),
        _ => {}
    }
    wanted
}

/// As [`case`], with `name` in an existing `directory`: a copy that may be moved and deleted.
pub fn copy_of(case_name: &str, directory: &Path, name: &str) -> PathBuf {
    let to = directory.join(name);
    fs::copy(case(case_name), &to).expect("copying a case");
    to
}

fn extension(name: &str) -> &str {
    Path::new(name).extension().and_then(|extension| extension.to_str()).unwrap_or("bin")
}

/// A directory named by what the recipes say, so that a changed recipe is made anew.
fn cache() -> PathBuf {
    let recipes = concat!(include_str!("recipes.rs"), include_str!("damage.rs"));
    let digest = Sha256::digest(recipes.as_bytes());
    let name: String = digest[..6].iter().map(|byte| format!("{byte:02x}")).collect();
    let directory = target().join("cases").join(name);
    fs::create_dir_all(&directory).expect("making the cache of cases");
    directory
}

/// Where this test binary was built: `<target>/<profile>/deps/<binary>`.
pub fn target() -> PathBuf {
    let binary = env::current_exe().expect("a test knows its own binary");
    let profile = binary.ancestors().nth(2).expect("a test binary is in target/<profile>/deps");
    profile.parent().expect("a profile is in the target directory").to_owned()
}
