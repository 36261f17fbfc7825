//! Which of the stale paths that wait go into the next batch.

use std::collections::BTreeMap;

use crate::contract::BatchLimits;

/// What is sent, and the noted paths that this covers.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    pub paths: Vec<String>,
    pub covered: Vec<String>,
}

/// The paths in their order, as far as there is room: siblings together as one wildcard while there
/// is room for those, one by one otherwise.
pub(super) fn choose(waiting: Vec<String>, mut room: BatchLimits) -> Chosen {
    let mut chosen = Chosen::default();
    for siblings in by_folder(&waiting) {
        let folder = folder_of(siblings[0]);
        // The whole site is no folder to be dropped.
        if siblings.len() > 1 && folder.len() > 1 && room.wildcards > 0 {
            room.wildcards -= 1;
            chosen.paths.push(format!("{folder}*"));
            chosen.covered.extend(siblings.into_iter().cloned());
        } else {
            let fit = siblings.len().min(room.paths);
            room.paths -= fit;
            chosen.paths.extend(siblings[..fit].iter().copied().cloned());
            chosen.covered.extend(siblings[..fit].iter().copied().cloned());
        }
    }
    chosen
}

/// Paths of the same folder together, in the order of the first of each.
fn by_folder(paths: &[String]) -> Vec<Vec<&String>> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut folders: Vec<Vec<&String>> = Vec::new();
    for path in paths {
        let place = *places.entry(folder_of(path)).or_insert(folders.len());
        if place == folders.len() {
            folders.push(Vec::new());
        }
        folders[place].push(path);
    }
    folders
}

/// The folder of a path, with its last slash.
fn folder_of(path: &str) -> &str {
    &path[..path.rfind('/').map_or(0, |at| at + 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(waiting: &[&str], paths: usize, wildcards: usize) -> (Vec<String>, usize) {
        let waiting = waiting.iter().map(|path| (*path).to_owned()).collect();
        let chosen = choose(waiting, BatchLimits { paths, wildcards });
        (chosen.paths, chosen.covered.len())
    }

    #[test]
    fn siblings_become_a_wildcard_while_there_is_room() {
        let two = ["/tv/a/index.m3u8", "/tv/b/index.m3u8", "/tv/a/asset.json", "/tv/b/asset.json"];
        assert_eq!(chosen(&two, 9, 9), (vec!["/tv/a/*".to_owned(), "/tv/b/*".to_owned()], 4));
        let (paths, covered) = chosen(&two, 9, 1);
        assert_eq!(paths, ["/tv/a/*", "/tv/b/index.m3u8", "/tv/b/asset.json"]);
        assert_eq!(covered, 4);
        let (paths, covered) = chosen(&two, 1, 0);
        assert_eq!((paths, covered), (vec!["/tv/a/index.m3u8".to_owned()], 1));
        assert_eq!(chosen(&two, 0, 0), (vec![], 0));
    }

    #[test]
    fn the_whole_site_is_never_dropped() {
        let (paths, _) = chosen(&["/a.json", "/b.json"], 9, 9);
        assert_eq!(paths, ["/a.json", "/b.json"]);
        assert_eq!(chosen(&["/tv/a/index.m3u8"], 9, 9).0, ["/tv/a/index.m3u8"], "an only child");
    }
}
