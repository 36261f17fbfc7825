//! Boxes of MP4, put into files that FFmpeg made: it writes few of those that are tried here.

/// A box.
pub fn boxed(kind: &str, content: &[u8]) -> Vec<u8> {
    let size = u32::try_from(content.len() + 8).unwrap();
    [&size.to_be_bytes(), kind.as_bytes(), content].concat()
}

/// A box with a version and flags of zero.
pub fn full(kind: &str, content: &[u8]) -> Vec<u8> {
    boxed(kind, &[&[0; 4], content].concat())
}

/// Puts `added` at the end of the first box at `path`. The index has to be the last box of the file,
/// so that no sample moves.
pub fn append(file: &mut Vec<u8>, path: &[&str], added: &[u8]) {
    let mut heads = Vec::new();
    let (mut at, mut end) = (0, file.len());
    for kind in path {
        let found = find(file, at, end, kind);
        heads.push(found);
        end = found + size(file, found);
        // A sample description counts its entries first.
        at = found + if *kind == "stsd" { 16 } else { 8 };
    }
    for head in heads {
        let grown = u32::try_from(size(file, head) + added.len()).unwrap();
        file[head..head + 4].copy_from_slice(&grown.to_be_bytes());
    }
    file.splice(end..end, added.iter().copied());
}

/// The first box of `kind` within a stretch.
pub fn find(file: &[u8], mut at: usize, end: usize, kind: &str) -> usize {
    while at < end {
        if &file[at + 4..at + 8] == kind.as_bytes() {
            return at;
        }
        at += size(file, at);
    }
    panic!("there is no {kind}");
}

pub fn size(file: &[u8], at: usize) -> usize {
    u32::from_be_bytes(*file[at..].first_chunk().unwrap()) as usize
}
