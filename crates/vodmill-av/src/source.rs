//! Opening an original, safely, and reading its packets.

mod finder;
mod mp4;
mod sniff;

use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::Once;

use ffmpeg_next::ffi;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::format::stream::Disposition;
use ffmpeg_next::packet::Mut as _;
use ffmpeg_next::{Dictionary, Error, Packet, media};
use vodmill_model::outcome::{MediaError, Reason};
use vodmill_model::units::Ratio;

use crate::error;

pub(crate) use finder::{PacketFinder, is_shown, time_of, units_of};
pub(crate) use mp4::container_is_cut;

/// Containers that hold media themselves. Playlists and lists of files are not among them.
const CONTAINERS: &str = "mov,mp4,matroska,webm,mpegts,mpeg,avi,flv,ogg,wav,w64,aiff,caf,mp3,aac,\
    flac,ac3,eac3,dts,amr,wv,tta,ape,mxf,mxf_opatom,asf,gif,dv,nut,gxf,wtv,rm,ivf,mpegvideo,swf";

/// Errors in a row after which a container is given up.
const MAX_ERRORS_IN_A_ROW: u32 = 256;

/// Makes libav speak of errors only, and its errors speak for themselves.
pub(crate) fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // It can only fail where devices are built in.
        let _ = ffmpeg_next::init();
        // SAFETY: sets a number in libav.
        unsafe { ffi::av_log_set_level(ffi::AV_LOG_ERROR) };
    });
}

/// Versions of libav's libraries, of how they were configured, and so of x264.
pub(crate) fn build() -> String {
    prepare();
    // SAFETY: these functions only return constants.
    let versions = unsafe {
        [
            ("libavcodec", ffi::avcodec_version()),
            ("libavformat", ffi::avformat_version()),
            ("libavfilter", ffi::avfilter_version()),
            ("libswscale", ffi::swscale_version()),
            ("libswresample", ffi::swresample_version()),
        ]
    };
    let mut text = String::from("FFmpeg ");
    // SAFETY: a constant string that ends in a zero byte.
    text.push_str(&unsafe { CStr::from_ptr(ffi::av_version_info()) }.to_string_lossy());
    for (name, version) in versions {
        let (major, minor, micro) = (version >> 16, version >> 8 & 0xff, version & 0xff);
        text.push_str(&format!("; {name} {major}.{minor}.{micro}"));
    }
    if let Some(version) = crate::encode::x264_version() {
        text.push_str(&format!("; x264 {version}"));
    }
    text
}

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

/// An original that libav has opened, with the parameters of its streams known.
pub(crate) struct Source {
    input: Input,
    path: PathBuf,
}

impl Source {
    /// Opens `path` as media and as nothing else.
    pub(crate) fn open(path: &Path) -> Result<Source, MediaError> {
        Source::open_within(path, i64::MAX as u64)
    }

    /// Opens `path`; no picture beyond `max_pixels` is decoded in finding out what is in it.
    pub(crate) fn open_within(path: &Path, max_pixels: u64) -> Result<Source, MediaError> {
        prepare();
        sniff::refuse_what_is_not_media(path)?;
        let mut input =
            open_input(path).map_err(|cause| why_not_opened(path, "open original", cause))?;
        // Before finding out more, which decodes a picture, and after: not every container tells.
        refuse_too_many_pixels(&input, max_pixels)?;
        find_streams(&mut input, max_pixels)
            .map_err(|cause| why_not_opened(path, "read streams of", cause))?;
        refuse_too_many_pixels(&input, max_pixels)?;
        Ok(Source { input, path: path.to_owned() })
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
    /// that fails is an error.
    pub(crate) fn read(&mut self, packet: &mut Packet) -> Result<Read, MediaError> {
        for _ in 0..MAX_ERRORS_IN_A_ROW {
            // SAFETY: the packet is valid; `av_read_frame` wants it blank.
            let code = unsafe {
                ffi::av_packet_unref(packet.as_mut_ptr());
                ffi::av_read_frame(self.input.as_mut_ptr(), packet.as_mut_ptr())
            };
            if code >= 0 {
                return Ok(Read::Packet);
            }
            self.refuse_a_failing_disk()?;
            match Error::from(code) {
                Error::Eof => return Ok(Read::End),
                Error::Other { errno: ffmpeg_next::error::ENOMEM } => {
                    return Err(error::libav("read", self.path.display(), Error::from(code)));
                }
                _ => {}
            }
        }
        Ok(Read::Torn)
    }

    fn refuse_a_failing_disk(&self) -> Result<(), MediaError> {
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

fn open_input(path: &Path) -> Result<Input, Error> {
    let absolute = std::path::absolute(path).map_err(|_| Error::InvalidData)?;
    // The protocol's name in front makes any file name a plain one: `-x`, `concat:x`, `%03d`.
    let url = [b"file:", absolute.as_os_str().as_bytes()].concat();
    let url = CString::new(url).map_err(|_| Error::InvalidData)?;
    let mut options = Dictionary::new();
    options.set("protocol_whitelist", "file,pipe");
    options.set("format_whitelist", CONTAINERS);
    options.set("enable_drefs", "0");
    // Program streams leave out times that can be worked out from the packets that follow.
    options.set("fflags", "+genpts");
    options.set("probesize", "20000000");
    options.set("analyzeduration", "20000000");
    let mut context = ptr::null_mut();
    // SAFETY: `url` and `options` outlive the call; on success the context is ours, on an error
    // libav has freed it. The dictionary is handed back whatever happens.
    unsafe {
        let mut dictionary = options.disown();
        let code =
            ffi::avformat_open_input(&mut context, url.as_ptr(), ptr::null(), &mut dictionary);
        drop(Dictionary::own(dictionary));
        if code < 0 { Err(Error::from(code)) } else { Ok(Input::wrap(context)) }
    }
}

fn find_streams(input: &mut Input, max_pixels: u64) -> Result<(), Error> {
    let limit = max_pixels.min(i32::MAX as u64).to_string();
    // SAFETY: the context was opened above and is borrowed mutably; there is one dictionary for
    // each stream that it has now, and each is taken back.
    unsafe {
        let mut options: Vec<_> = (0..input.nb_streams())
            .map(|_| [("max_pixels", limit.as_str())].into_iter().collect::<Dictionary<'_>>())
            .map(|dictionary| dictionary.disown())
            .collect();
        let code = ffi::avformat_find_stream_info(input.as_mut_ptr(), options.as_mut_ptr());
        options.into_iter().for_each(|dictionary| drop(Dictionary::own(dictionary)));
        if code < 0 { Err(Error::from(code)) } else { Ok(()) }
    }
}

fn refuse_too_many_pixels(input: &Input, limit: u64) -> Result<(), MediaError> {
    for stream in input.streams() {
        let parameters = stream.parameters();
        // SAFETY: parameters of an open stream.
        let (width, height) =
            unsafe { ((*parameters.as_ptr()).width, (*parameters.as_ptr()).height) };
        let pixels = u64::from(width.unsigned_abs()) * u64::from(height.unsigned_abs());
        let attached = stream.disposition().contains(Disposition::ATTACHED_PIC);
        if parameters.medium() == media::Type::Video && !attached && pixels > limit {
            let detail =
                format!("its pictures are {width}x{height}, {pixels} pixels; the limit is {limit}");
            return Err(error::rejected(Reason::TooManyPixels, detail));
        }
    }
    Ok(())
}

/// Whose fault it is that a file cannot be opened.
fn why_not_opened(path: &Path, operation: &str, cause: Error) -> MediaError {
    match cause {
        Error::Other { errno } if errno != ffmpeg_next::error::EINVAL => {
            error::libav(operation, path.display(), cause)
        }
        _ if container_is_cut(path) => error::rejected(
            Reason::Incomplete,
            format!("its container promises more than is there ({cause})"),
        ),
        _ => error::rejected(
            Reason::NotMedia,
            format!("no container that is known here can be read in it ({cause})"),
        ),
    }
}
