//! Names under which other programs write what they will rename when it is complete.

use std::collections::HashSet;

/// Ends of such names: of browsers, download managers, file transfer, torrents, synchronisers,
/// editors and copies of object stores. Compared without regard to case.
const ENDS: [&str; 49] = [
    "~",
    ".!bt",
    ".!fd",
    ".!qb",
    ".!sync",
    ".!ut",
    ".antifrag",
    ".aria2",
    ".aspera-ckpt",
    ".aspx",
    ".bc!",
    ".bts",
    ".cpgz",
    ".crdownload",
    ".crswap",
    ".dctmp",
    ".download",
    ".dtapart",
    ".fdmdownload",
    ".filepart",
    ".gstmp",
    ".icloud",
    ".incomplete",
    ".inprogress",
    ".jc!",
    ".lftp-pget-status",
    ".met",
    ".opdownload",
    ".part",
    ".part.minio",
    ".partial",
    ".partially",
    ".pure-ftpd-upload",
    ".st",
    ".swo",
    ".swp",
    ".swx",
    ".tdl",
    ".td",
    ".td.cfg",
    ".temp",
    ".tmp",
    ".unconfirmed",
    ".upload",
    ".uploading",
    ".ut!",
    ".writing",
    ".xltd",
    ".ytdl",
];

/// What such names begin with: hidden files (rsync, sftp servers, NFS and FUSE among them), owners'
/// marks of office programs, editors and Syncthing.
const STARTS: [&str; 4] = [".", "~$", "~syncthing~", "#"];

/// Ends of the names of files that lie beside one that is still being fetched under its own name.
const BESIDE: [&str; 9] = [
    ".aria2",
    ".crdownload",
    ".filepart",
    ".lftp-pget-status",
    ".part",
    ".partial",
    ".st",
    ".td.cfg",
    ".ytdl",
];

/// Whether a name says that its file is not complete.
pub fn is_unfinished(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    let begins = STARTS.iter().any(|start| name.starts_with(start.as_bytes()));
    begins || ENDS.iter().any(|end| name.ends_with(end.as_bytes())) || is_numbered(&name)
}

/// Whether another of the folder's names says so of `name`.
pub fn is_fetched(name: &[u8], names: &HashSet<Vec<u8>>) -> bool {
    BESIDE.iter().any(|end| names.contains(&[name, end.as_bytes()].concat()))
}

/// Names with a changing part: `film.mp4.part-Frag7`, `film.mp4.sb-1a2b-x` (macOS),
/// `film.mp4.6eF5b5da` (clients of S3), `film.temp.mp4` (while tracks are put together).
fn is_numbered(name: &[u8]) -> bool {
    let parts: Vec<&[u8]> = name.rsplit(|&byte| byte == b'.').collect();
    let (Some(last), Some(before)) = (parts.first(), parts.get(1)) else { return false };
    let is_random = last.len() == 8 && last.iter().all(u8::is_ascii_hexdigit);
    let is_extension =
        (2..=4).contains(&before.len()) && before.iter().all(u8::is_ascii_alphanumeric);
    let has_stem = parts.len() > 2;
    last.starts_with(b"part-frag")
        || last.starts_with(b"sb-")
        || (has_stem && is_random && is_extension)
        || (has_stem && [b"temp".as_slice(), b"tmp"].contains(before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_what_others_are_writing_are_known() {
        for name in [
            "film.mp4.part",
            "film.mp4.filepart",
            "film.ts.!qB",
            "film.mkv.opdownload",
            "a.partial",
            "a.mp4.PART",
            "Unconfirmed 81.crdownload",
            "a.ts.aria2",
            "a.mp4.crswap",
            "a.mov.bc!",
            "a.avi.!ut",
            "a.f137.mp4.ytdl",
            "a.mp4.part-Frag12",
            "a.temp.mp4",
            ".a.mp4.Xq3Zp1",
            ".fuse_hidden0001",
            ".nfs00a1",
            ".~lock.a.mp4#",
            "~$a.mp4",
            ".syncthing.a.mp4.tmp",
            "~syncthing~a.mp4.tmp",
            "a.mp4.sb-1b2c-Xq",
            "a.mov.icloud",
            "a.mp4.6eF5b5da",
            "a.mp4~",
            "a.swp",
            "#a.mp4#",
            ".in.a.mp4.",
            "a.mp4.part.minio",
            "a.mp4.9f2c.partial",
            "a.TMP",
        ] {
            assert!(is_unfinished(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn names_of_originals_are_theirs() {
        for name in [
            "film.mp4",
            "part.mp4",
            "film.part1.mp4",
            "a~b.mp4",
            "temp.mp4",
            "20261128",
            "a.20261128",
            "show.s01e02.mkv",
            "video.deadbeef",
            "template.mov",
            "a.partial.mov",
            "no extension",
            "$a.ts",
            "clip.mp4.mov",
            "st.ts",
            "best.ts",
            "a b.m2t",
            "film.tmpl.mp4",
        ] {
            assert!(!is_unfinished(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn a_file_beside_tells_of_one_that_is_being_fetched() {
        let names = HashSet::from([b"a.ts.aria2".to_vec(), b"b.mp4.part".to_vec()]);
        assert!(is_fetched(b"a.ts", &names) && is_fetched(b"b.mp4", &names));
        assert!(!is_fetched(b"c.mp4", &names));
    }
}
