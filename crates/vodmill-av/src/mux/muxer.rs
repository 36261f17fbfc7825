//! A muxer of libav: packets in, bytes into memory or a file.

use std::ffi::CString;
use std::io::{self, Write};
use std::path::Path;
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};

use ffmpeg_next::format::context::{Output, StreamIo};
use ffmpeg_next::packet::{Flags, Mut as _};
use ffmpeg_next::{Rational, ffi, format};
use vodmill_model::outcome::MediaError;

use super::clock::Clock;
use super::parameters::add_stream;
use super::stream_reader::{Packet, Stream};
use crate::error;

/// Where a muxer in memory leaves its bytes.
#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A stream and the container's times of it.
pub(super) struct Input<'a> {
    pub stream: &'a Stream,
    pub clock: Clock,
    /// Whether players take it where the viewer has not chosen; some muxers decide it themselves.
    pub default: bool,
}

/// Options of a muxer, of libav's generic part and of its own.
pub(super) type Options<'a> = &'a [(&'a str, &'a str)];

pub(super) struct Muxer {
    output: Output,
    buffer: Buffer,
    clocks: Vec<Clock>,
    name: &'static str,
}

impl Muxer {
    /// A muxer whose bytes are taken with [`Muxer::take`].
    pub(super) fn in_memory(
        name: &'static str,
        inputs: &[Input<'_>],
        options: Options<'_>,
    ) -> Result<Muxer, MediaError> {
        let buffer = Buffer::default();
        let output = StreamIo::from_write(buffer.clone())
            .and_then(|io| format::output_to_stream(io, None, Some(name)))
            .map_err(|cause| error::libav("open muxer", name, cause))?;
        Muxer { output, buffer, clocks: Vec::new(), name }.begin(inputs, options)
    }

    /// A muxer that writes the file `path`.
    pub(super) fn to_file(
        name: &'static str,
        path: &Path,
        inputs: &[Input<'_>],
        options: Options<'_>,
    ) -> Result<Muxer, MediaError> {
        let text = path
            .to_str()
            .ok_or_else(|| error::failed("create", path.display(), "the path is not UTF-8"))?;
        // With its protocol named, nothing in a path is taken for another one.
        let output = format::output_as(&format!("file:{text}"), name)
            .map_err(|cause| error::libav("create", path.display(), cause))?;
        let muxer = Muxer { output, buffer: Buffer::default(), clocks: Vec::new(), name };
        muxer.begin(inputs, options)
    }

    fn begin(mut self, inputs: &[Input<'_>], options: Options<'_>) -> Result<Muxer, MediaError> {
        for input in inputs {
            add_stream(&mut self.output, input)
                .map_err(|cause| error::libav("add stream to", self.name, cause))?;
            self.clocks.push(input.clock);
        }
        let unknown = self
            .output
            .write_header_with(options.iter().copied().collect())
            .map(|left| left.iter().next().map(|(option, _)| option.to_owned()))
            .map_err(|cause| error::libav("begin", self.name, cause))?;
        if let Some(option) = unknown {
            return Err(error::failed("begin", self.name, format!("unknown option {option}")));
        }
        self.check_timescales()?;
        Ok(self)
    }

    /// A muxer may choose its own units; ours must be what it writes.
    fn check_timescales(&self) -> Result<(), MediaError> {
        for (stream, clock) in self.output.streams().zip(&self.clocks) {
            if stream.time_base() != Rational::new(1, clock.timescale as i32) {
                let cause = format!("units of {} for 1/{}", stream.time_base(), clock.timescale);
                return Err(error::failed("begin", self.name, cause));
            }
        }
        Ok(())
    }

    /// Writes a packet of stream `index`; packets must come in the order of the file.
    pub(super) fn write(&mut self, index: usize, packet: &Packet) -> Result<(), MediaError> {
        let (clock, meta) = (self.clocks[index], packet.meta);
        let (pts, dts) = (clock.at(meta.pts), clock.at(meta.dts));
        let mut out = ffmpeg_next::Packet::copy(&packet.data);
        out.set_stream(index);
        out.set_pts(Some(pts));
        out.set_dts(Some(dts));
        out.set_duration(clock.length(meta.dts, meta.duration));
        if meta.key {
            out.set_flags(Flags::KEY);
        }
        if packet.skip > 0 || packet.discard > 0 {
            trim(&mut out, packet.skip, packet.discard)
                .map_err(|cause| error::libav("write to", self.name, cause))?;
        }
        out.write(&mut self.output)
            .map(|_| ())
            .map_err(|cause| error::libav("write to", self.name, cause))
    }

    /// Ends the segment: nothing is held back by the muxer after this.
    pub(super) fn flush(&mut self) -> Result<(), MediaError> {
        // SAFETY: the context is alive and its header is written; a null packet means flush.
        let result = unsafe { ffi::av_write_frame(self.output.as_mut_ptr(), ptr::null_mut()) };
        check(result).map_err(|cause| error::libav("flush", self.name, cause))
    }

    /// Takes the bytes written so far.
    pub(super) fn take(&mut self) -> Vec<u8> {
        // SAFETY: the context and its AVIOContext live as long as `self.output`.
        unsafe { ffi::avio_flush((*self.output.as_mut_ptr()).pb) };
        std::mem::take(&mut *self.buffer.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sets an option of the muxer itself while it runs.
    pub(super) fn set(&mut self, option: &str, value: &str) -> Result<(), MediaError> {
        let mut set = || {
            let option = CString::new(option).map_err(|_| ffmpeg_next::Error::InvalidData)?;
            let value = CString::new(value).map_err(|_| ffmpeg_next::Error::InvalidData)?;
            // SAFETY: priv_data of an opened muxer is an object with AVOptions; libav copies the
            // strings.
            check(unsafe {
                let private = (*self.output.as_mut_ptr()).priv_data;
                ffi::av_opt_set(private, option.as_ptr(), value.as_ptr(), 0)
            })
        };
        set().map_err(|cause| error::libav("set option of", self.name, cause))
    }

    /// Writes what comes after the last packet.
    pub(super) fn finish(mut self) -> Result<(), MediaError> {
        self.output.write_trailer().map_err(|cause| error::libav("finish", self.name, cause))
    }
}

fn check(result: i32) -> Result<(), ffmpeg_next::Error> {
    if result < 0 { Err(ffmpeg_next::Error::from(result)) } else { Ok(()) }
}

/// Says that samples at the beginning and at the end of a packet are not to be heard.
fn trim(
    packet: &mut ffmpeg_next::Packet,
    skip: u32,
    discard: u32,
) -> Result<(), ffmpeg_next::Error> {
    // Both numbers, and why (libavcodec/packet.h).
    const BYTES: usize = 4 + 4 + 1 + 1;
    let kind = ffi::AVPacketSideDataType::AV_PKT_DATA_SKIP_SAMPLES;
    // SAFETY: the packet is valid; the room has as many bytes as asked for, or is null.
    unsafe {
        let room = ffi::av_packet_new_side_data(packet.as_mut_ptr(), kind, BYTES);
        if room.is_null() {
            return Err(ffmpeg_next::Error::Other { errno: ffi::ENOMEM });
        }
        ptr::write_bytes(room, 0, BYTES);
        ptr::copy_nonoverlapping(skip.to_le_bytes().as_ptr(), room, 4);
        ptr::copy_nonoverlapping(discard.to_le_bytes().as_ptr(), room.add(4), 4);
    }
    Ok(())
}
