//! Boxes, and numbers in them.

use std::ops::Range;

/// A box in a file.
#[derive(Clone, Debug)]
pub struct Atom {
    /// Its four characters.
    pub kind: String,
    /// Where it starts, header included.
    pub start: usize,
    /// Where its content is.
    pub body: Range<usize>,
}

impl Atom {
    /// Its content.
    pub fn bytes<'a>(&self, file: &'a [u8]) -> &'a [u8] {
        &file[self.body.clone()]
    }

    /// The boxes in it.
    pub fn children(&self, file: &[u8]) -> Result<Vec<Atom>, String> {
        list(file, self.body.clone())
    }

    /// The boxes in it after `skip` bytes of fields.
    pub fn children_after(&self, file: &[u8], skip: usize) -> Result<Vec<Atom>, String> {
        let from = self.body.start + skip;
        if from > self.body.end {
            return Err(format!("{} is cut", self.kind));
        }
        list(file, from..self.body.end)
    }

    /// The box at the end of `path` in it.
    pub fn at(&self, file: &[u8], path: &[&str]) -> Result<Atom, String> {
        let mut here = self.clone();
        for kind in path {
            let children = here.children(file)?;
            here = find(&children, kind).ok_or(format!("no {kind} in {}", here.kind))?.clone();
        }
        Ok(here)
    }

    /// Its fields, to be read in order.
    pub fn fields<'a>(&self, file: &'a [u8]) -> Fields<'a> {
        Fields { rest: self.bytes(file) }
    }
}

/// The boxes that fill a range.
pub fn list(file: &[u8], range: Range<usize>) -> Result<Vec<Atom>, String> {
    let mut atoms = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let mut fields = Fields { rest: &file[at..range.end] };
        let short = fields.u32()?;
        let kind = String::from_utf8_lossy(fields.take(4)?).into_owned();
        let (size, header) = match short {
            1 => (usize::try_from(fields.u64()?).map_err(|why| why.to_string())?, 16),
            0 => (range.end - at, 8),
            size => (size as usize, 8),
        };
        if size < header || size > range.end - at {
            return Err(format!("box {kind} at {at} has the size {size}"));
        }
        atoms.push(Atom { kind, start: at, body: at + header..at + size });
        at += size;
    }
    Ok(atoms)
}

/// The first box of a kind.
pub fn find<'a>(atoms: &'a [Atom], kind: &str) -> Option<&'a Atom> {
    atoms.iter().find(|atom| atom.kind == kind)
}

/// Big-endian fields.
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The next bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or("a box is cut")?;
        self.rest = rest;
        Ok(taken)
    }

    /// What is left.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next number of `size` bytes.
    pub fn number(&mut self, size: usize) -> Result<u64, String> {
        Ok(self.take(size)?.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    /// The next 32 bits.
    pub fn u32(&mut self) -> Result<u32, String> {
        Ok(self.number(4)? as u32)
    }

    /// The next 32 bits, signed.
    pub fn i32(&mut self) -> Result<i32, String> {
        Ok(self.u32()?.cast_signed())
    }

    /// The next 64 bits.
    pub fn u64(&mut self) -> Result<u64, String> {
        self.number(8)
    }

    /// Version and flags of a full box.
    pub fn full(&mut self) -> Result<(u8, u32), String> {
        let word = self.u32()?;
        Ok(((word >> 24) as u8, word & 0x00ff_ffff))
    }
}
