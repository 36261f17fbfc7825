//! The sample table of a progressive track.

use super::boxes::Atom;

/// One sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Where it is in the file.
    pub offset: u64,
    /// Its bytes.
    pub size: u64,
    /// Decode time.
    pub dts: i64,
    /// Presentation time, before edits.
    pub pts: i64,
    /// Whether it is in the table of sync samples, or there is none.
    pub sync: bool,
}

/// Reads the table of samples in `stbl`, and the time at which the last one ends.
pub fn read(file: &[u8], stbl: &Atom) -> Result<(Vec<Sample>, i64), String> {
    let sizes = sizes(file, stbl)?;
    let offsets = offsets(file, stbl, &sizes)?;
    let deltas = runs(file, &stbl.at(file, &["stts"])?)?;
    let shifts = stbl.at(file, &["ctts"]).ok().map(|ctts| runs(file, &ctts)).transpose()?;
    let sync = stbl.at(file, &["stss"]).ok().map(|stss| numbers(file, &stss, 4)).transpose()?;
    let counts = [deltas.len(), shifts.as_ref().map_or(sizes.len(), Vec::len), offsets.len()];
    if counts.iter().any(|count| *count != sizes.len()) {
        return Err(format!("{} samples by stsz, but {counts:?} by stts, ctts, stsc", sizes.len()));
    }
    let mut dts = 0;
    let mut samples = Vec::with_capacity(sizes.len());
    for (index, size) in sizes.into_iter().enumerate() {
        let shift = shifts.as_ref().map_or(0, |shifts| shifts[index]);
        let number = index as u64 + 1;
        samples.push(Sample {
            offset: offsets[index],
            size,
            dts,
            pts: dts + i64::from(shift),
            sync: sync.as_ref().is_none_or(|sync| sync.binary_search(&number).is_ok()),
        });
        dts += i64::from(deltas[index]);
    }
    Ok((samples, dts))
}

fn sizes(file: &[u8], stbl: &Atom) -> Result<Vec<u64>, String> {
    let stsz = stbl.at(file, &["stsz"])?;
    let mut fields = stsz.fields(file);
    fields.full()?;
    let (uniform, count) = (u64::from(fields.u32()?), fields.u32()?);
    (0..count).map(|_| if uniform > 0 { Ok(uniform) } else { fields.number(4) }).collect()
}

/// A table of (count, value), spelled out.
fn runs(file: &[u8], atom: &Atom) -> Result<Vec<i32>, String> {
    let mut fields = atom.fields(file);
    fields.full()?;
    let mut values = Vec::new();
    for _ in 0..fields.u32()? {
        let (count, value) = (fields.u32()?, fields.i32()?);
        values.extend(std::iter::repeat_n(value, count as usize));
    }
    Ok(values)
}

fn numbers(file: &[u8], atom: &Atom, size: usize) -> Result<Vec<u64>, String> {
    let mut fields = atom.fields(file);
    fields.full()?;
    let count = fields.u32()?;
    (0..count).map(|_| fields.number(size)).collect()
}

/// Where each sample is: chunks from stco or co64, samples of a chunk from stsc.
fn offsets(file: &[u8], stbl: &Atom, sizes: &[u64]) -> Result<Vec<u64>, String> {
    let chunks = match stbl.at(file, &["stco"]) {
        Ok(stco) => numbers(file, &stco, 4)?,
        Err(_) => numbers(file, &stbl.at(file, &["co64"])?, 8)?,
    };
    let per_chunk = per_chunk(file, stbl, chunks.len())?;
    let mut offsets = Vec::with_capacity(sizes.len());
    for (mut offset, count) in chunks.into_iter().zip(per_chunk) {
        for _ in 0..count {
            let size = sizes.get(offsets.len()).ok_or("stsc has more samples than stsz")?;
            offsets.push(offset);
            offset += size;
        }
    }
    Ok(offsets)
}

fn per_chunk(file: &[u8], stbl: &Atom, chunks: usize) -> Result<Vec<u32>, String> {
    let stsc = stbl.at(file, &["stsc"])?;
    let mut fields = stsc.fields(file);
    fields.full()?;
    let mut counts = Vec::with_capacity(chunks);
    let mut count = 0;
    for _ in 0..fields.u32()? {
        let first = fields.u32()? as usize;
        counts.resize(first - 1, count);
        count = fields.u32()?;
        fields.u32()?; // sample_description_index
    }
    counts.resize(chunks, count);
    Ok(counts)
}
