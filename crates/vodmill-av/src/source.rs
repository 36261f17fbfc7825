//! Opening an original, safely, and reading its packets.

mod finder;
mod open;
mod programmes;
mod sniff;
mod truncation;

use std::path::{Path, PathBuf};

use ffmpeg_next::ffi;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::packet::Mut as _;
use ffmpeg_next::{Error, Packet};
use vodmill_model::outcome::MediaError;
use vodmill_model::units::Ratio;

use crate::error;
use crate::original::Fault;

pub(crate) use finder::{PacketFinder, is_shown, time_of, units_of};
pub(crate) use sniff::photograph_at;
pub(crate) use truncation::container_is_truncated;
pub use truncation::is_truncated;

/// The first look at a file, before libav sees it: whether the container promises more bytes than
/// there are.
///
/// # Errors
/// `Rejected` for what is no media, and for what makes a player open other files.
pub fn look(bytes: &[u8]) -> Result<bool, MediaError> {
    sniff::refuse_by_head(&bytes[..bytes.len().min(4096)])?;
    Ok(is_truncated(&mut std::io::Cursor::new(bytes)).unwrap_or(false))
}

/// An allocation that succeeds where memory is not short.
const ENOUGH: usize = 64 << 20;

/// Errors in a row after which a container is given up.
const MAX_ERRORS_IN_A_ROW: u32 = 256;

/// What reading a packet came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// A packet.
    Packet,
    /// The orderly end.
    End,
    /// The container makes no sense from here on.
    Torn,
}

/// What the sample tables of an MP4 say.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Samples {
    /// Samples lie beyond the end of the file.
    pub some_are_beyond: bool,
    /// Samples were counted that libav does not know where to find; or an edit list leaves them out.
    pub some_are_left_out: bool,
}

/// An original that libav has opened, with the parameters of its streams known.
pub(crate) struct Source {
    input: Input,
    path: PathBuf,
    fault: Fault,
    /// Errors that were stepped over.
    errors: u64,
}

impl Source {
    /// Opens `path` as media and as nothing else.
    pub(crate) fn open(path: &Path) -> Result<Source, MediaError> {
        Source::open_within(path, i64::MAX as u64)
    }

    /// Opens `path`; no picture beyond `max_pixels` is decoded in finding out what is in it.
    pub(crate) fn open_within(path: &Path, max_pixels: u64) -> Result<Source, MediaError> {
        let (input, fault) = open::open(path, max_pixels)?;
        Ok(Source { input, path: path.to_owned(), fault, errors: 0 })
    }

    /// libav's view of the file.
    pub(crate) fn input(&self) -> &Input {
        &self.input
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Seconds per unit of a stream's timestamps.
    pub(crate) fn time_base(&self, index: usize) -> Option<Ratio> {
        let base = self.input.stream(index)?.time_base();
        let (num, den) =
            (u32::try_from(base.numerator()).ok()?, u32::try_from(base.denominator()).ok()?);
        (num > 0 && den > 0).then(|| Ratio::new(num, den))
    }

    /// Whether the container may restart its clock in mid-stream, as broadcast ones do.
    pub(crate) fn clock_may_jump(&self) -> bool {
        // SAFETY: an opened input has a format, a constant of libav.
        let flags = unsafe { (*(*self.input.as_ptr()).iformat).flags };
        flags & ffi::AVFMT_TS_DISCONT != 0
    }

    /// Lets the demuxer skip every other stream.
    pub(crate) fn only(&mut self, track: u32) {
        for mut stream in self.input.streams_mut() {
            // SAFETY: the stream belongs to the input, which is borrowed mutably.
            unsafe {
                let stream = stream.as_mut_ptr();
                if (*stream).index as u32 != track {
                    (*stream).discard = ffi::AVDiscard::AVDISCARD_ALL;
                }
            }
        }
    }

    /// Moves to the last key frame of `track` that is not after `pts`, as far as the container
    /// can tell.
    pub(crate) fn seek(&mut self, track: u32, pts: i64) -> Result<(), Error> {
        // SAFETY: the context is open, the stream's number is checked by libav.
        let code = unsafe {
            ffi::av_seek_frame(
                self.input.as_mut_ptr(),
                track as i32,
                pts,
                ffi::AVSEEK_FLAG_BACKWARD,
            )
        };
        if code < 0 { Err(Error::from(code)) } else { Ok(()) }
    }

    /// Reads the next packet of any stream. Damage within the container is stepped over; a disk
    /// or a server that fails is an error.
    pub(crate) fn read(&mut self, packet: &mut Packet) -> Result<Read, MediaError> {
        for _ in 0..MAX_ERRORS_IN_A_ROW {
            // SAFETY: the packet is valid; `av_read_frame` wants it blank.
            let code = unsafe {
                ffi::av_packet_unref(packet.as_mut_ptr());
                ffi::av_read_frame(self.input.as_mut_ptr(), packet.as_mut_ptr())
            };
            // Before the packet is looked at: it may hold as much as could be read.
            self.refuse_a_failing_disk()?;
            if code >= 0 {
                return Ok(Read::Packet);
            }
            match Error::from(code) {
                Error::Eof => return Ok(Read::End),
                // Also what libav says of a packet that claims to have two gigabytes.
                Error::Other { errno: ffmpeg_next::error::ENOMEM } if memory_is_short() => {
                    return Err(error::libav("read", self.path.display(), Error::from(code)));
                }
                _ => self.errors += 1,
            }
        }
        Ok(Read::Torn)
    }

    /// What the sample tables of an MP4 say against `bytes`, the size of the file. Reading ends
    /// without a word where they make no sense.
    pub(crate) fn samples(&self, bytes: u64) -> Samples {
        if !self.input.format().name().starts_with("mov,") {
            return Samples::default();
        }
        let mut all = Samples::default();
        for stream in self.input.streams() {
            // SAFETY: the stream belongs to the open input; entries are asked for one by one, within
            // their number, and copied.
            unsafe {
                let stream = stream.as_ptr().cast_mut();
                let count = ffi::avformat_index_get_entries_count(stream);
                all.some_are_left_out |= i64::from(count) < (*stream).nb_frames;
                all.some_are_beyond |= (0..count).any(|number| {
                    let entry = ffi::avformat_index_get_entry(stream, number);
                    !entry.is_null() && {
                        let end = (*entry).pos.saturating_add((*entry).size().into());
                        u64::try_from(end).is_ok_and(|end| end > bytes)
                    }
                });
            }
        }
        all
    }

    /// Errors within the container that reading stepped over.
    pub(crate) fn errors(&self) -> u64 {
        self.errors
    }

    fn refuse_a_failing_disk(&self) -> Result<(), MediaError> {
        if let Some(fault) = self.fault.get() {
            return Err(error::failed("read", self.path.display(), fault));
        }
        // SAFETY: `pb` is null or the open file of this context.
        let code = unsafe {
            let pb = (*self.input.as_ptr()).pb;
            if pb.is_null() { 0 } else { (*pb).error }
        };
        match Error::from(code) {
            _ if code >= 0 => Ok(()),
            Error::Eof => Ok(()),
            cause => Err(error::libav("read", self.path.display(), cause)),
        }
    }
}

fn memory_is_short() -> bool {
    Vec::<u8>::new().try_reserve_exact(ENOUGH).is_err()
}
