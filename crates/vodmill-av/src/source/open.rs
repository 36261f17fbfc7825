//! Opening a container with libav: as media and as nothing else.

use std::ffi::{CStr, CString};
use std::io::{Seek as _, SeekFrom};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::ptr;

use ffmpeg_next::codec::Parameters;
use ffmpeg_next::format::context::{Input, StreamIo};
use ffmpeg_next::{Dictionary, Error, ffi};
use vodmill_model::outcome::{MediaError, Reason};

use super::{container_is_truncated, memory_is_short, sniff};
use crate::error;
use crate::libav::prepare;
use crate::original::{Fault, Original, Served};

/// Containers that hold media themselves. Playlists and lists of files are not among them.
const CONTAINERS: &str = "mov,mp4,matroska,webm,mpegts,mpeg,avi,flv,ogg,wav,w64,aiff,au,caf,mp3,aac,\
    flac,ac3,eac3,dts,amr,wv,tta,tak,ape,mpc,mpc8,dsf,mxf,mxf_opatom,asf,gif,apng,dv,nut,gxf,wtv,rm,\
    ivf,mpegvideo,jpeg_pipe,png_pipe,webp_pipe,tiff_pipe,bmp_pipe";

/// Tracks that a file may have; real ones have some thirty.
const MOST_TRACKS: u32 = 256;

/// Bytes of one table of an index: 24 hours of 240 pictures a second take as many.
const LARGEST_TABLE: usize = 512 << 20;

/// Bytes that libav reads at a time; as many as it takes for files, so that both read alike.
const BUFFER: usize = 32 << 10;

/// Opens `path` and finds out what streams are in it; no picture beyond `max_pixels` is decoded
/// for that.
pub(super) fn open(path: &Path, max_pixels: u64) -> Result<(Input, Fault), MediaError> {
    prepare();
    let mut original = Original::open(path)?;
    let format = sniff::refuse_what_is_not_media(&mut original, path)?;
    let fault = match &original {
        Original::File(_) => Fault::default(),
        Original::Served(served) => served.fault(),
    };
    let why = |operation: &str, cause| match fault.get() {
        Some(fault) => error::failed(operation, path.display(), fault),
        None => why_not_opened(path, operation, cause),
    };
    let opened = with_bounded_tables(|| open_input(path, original, format));
    let mut input = opened.map_err(|cause| why("open original", cause))?;
    refuse_too_many_tracks(&input)?;
    let declared = sizes(&input);
    find_streams(&mut input, max_pixels).map_err(|cause| why("read streams of", cause))?;
    keep_sizes(&mut input, &declared);
    // libav may have made do without what it could not read.
    if let Some(fault) = fault.get() {
        return Err(error::failed("read streams of", path.display(), fault));
    }
    refuse_too_many_tracks(&input)?;
    refuse_protected(&input)?;
    Ok((input, fault))
}

/// Opens it as the `format` of that name, or as what libav takes it for.
fn open_input(path: &Path, original: Original, format: Option<&CStr>) -> Result<Input, Error> {
    let absolute = std::path::absolute(path).map_err(|_| Error::InvalidData)?;
    // The protocol's name in front makes any file name a plain one: `-x`, `concat:x`, `%03d`.
    let url = [b"file:", absolute.as_os_str().as_bytes()].concat();
    let url = CString::new(url).map_err(|_| Error::InvalidData)?;
    // SAFETY: looks a name up; null stands for none.
    let format =
        format.map_or(ptr::null(), |name| unsafe { ffi::av_find_input_format(name.as_ptr()) });
    match original {
        Original::File(_) => open_file(&url, format),
        Original::Served(served) => open_served(&url, served, format),
    }
}

fn options() -> Dictionary<'static> {
    let mut options = Dictionary::new();
    options.set("protocol_whitelist", "file,pipe");
    options.set("format_whitelist", CONTAINERS);
    options.set("enable_drefs", "0");
    // Program streams leave out times that can be worked out from the packets that follow.
    options.set("fflags", "+genpts");
    options.set("max_streams", &(MOST_TRACKS + 1).to_string());
    options.set("probesize", "20000000");
    options.set("analyzeduration", "20000000");
    options
}

fn open_file(url: &CStr, format: *const ffi::AVInputFormat) -> Result<Input, Error> {
    let mut context = ptr::null_mut();
    // SAFETY: `url` outlives the call; on success the context is ours, on an error libav has freed
    // it. The dictionary is handed back whatever happens.
    unsafe {
        let mut dictionary = options().disown();
        let code = ffi::avformat_open_input(&mut context, url.as_ptr(), format, &mut dictionary);
        drop(Dictionary::own(dictionary));
        if code < 0 { Err(Error::from(code)) } else { Ok(Input::wrap(context)) }
    }
}

/// As [`open_file`], the bytes coming from a connection. The name is the same, since libav guesses
/// by it too.
fn open_served(
    url: &CStr,
    mut served: Served,
    format: *const ffi::AVInputFormat,
) -> Result<Input, Error> {
    // A seek only moves a number.
    served.seek(SeekFrom::Start(0)).map_err(|_| Error::InvalidData)?;
    let mut io = StreamIo::from_read_seek_with_capacity(served, BUFFER)?;
    // SAFETY: the context is new, and null is checked for; `io` outlives it: until it is wrapped
    // together with it, or libav has freed the context, but never `pb`, on an error. `url` outlives
    // the call, and the dictionary is handed back.
    unsafe {
        let mut context = ffi::avformat_alloc_context();
        if context.is_null() {
            return Err(Error::Other { errno: ffmpeg_next::error::ENOMEM });
        }
        (*context).pb = io.as_mut_ptr();
        (*context).flags |= ffi::AVFMT_FLAG_CUSTOM_IO;
        let mut dictionary = options().disown();
        let code = ffi::avformat_open_input(&mut context, url.as_ptr(), format, &mut dictionary);
        drop(Dictionary::own(dictionary));
        if code < 0 { Err(Error::from(code)) } else { Ok(Input::wrap_with_custom_io(context, io)) }
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

/// Width and height of each stream, zeros where unknown.
fn sizes(input: &Input) -> Vec<(i32, i32)> {
    // SAFETY: parameters of an open stream.
    let size = |parameters: Parameters| unsafe {
        ((*parameters.as_ptr()).width, (*parameters.as_ptr()).height)
    };
    input.streams().map(|stream| size(stream.parameters())).collect()
}

/// A decoder that may not decode so many pixels forgets what the container says of them.
fn keep_sizes(input: &mut Input, declared: &[(i32, i32)]) {
    for (mut stream, (width, height)) in input.streams_mut().zip(declared) {
        // SAFETY: the stream is valid and owns its parameters; nothing else refers to them.
        unsafe {
            let parameters = (*stream.as_mut_ptr()).codecpar;
            if ((*parameters).width, (*parameters).height) == (0, 0) {
                ((*parameters).width, (*parameters).height) = (*width, *height);
            }
        }
    }
}

/// A header may claim tables of any length. What libav cannot allocate, it does without or gives up.
fn with_bounded_tables<T>(open: impl FnOnce() -> T) -> T {
    // SAFETY: sets a number in libav, which every thread reads anew. Pictures may be larger than the
    // largest table.
    unsafe { ffi::av_max_alloc(LARGEST_TABLE) };
    let opened = open();
    // SAFETY: as above; libav's own value.
    unsafe { ffi::av_max_alloc(i32::MAX as usize) };
    opened
}

fn refuse_too_many_tracks(input: &Input) -> Result<(), MediaError> {
    if input.nb_streams() <= MOST_TRACKS {
        return Ok(());
    }
    let detail = format!("it has more than {MOST_TRACKS} tracks");
    Err(error::rejected(Reason::BeyondLimits, detail))
}

/// ASF says that it is protected in its header, and nowhere else.
fn refuse_protected(input: &Input) -> Result<(), MediaError> {
    let tags = input.metadata();
    match ["ASF_Protection_Type", "encryption"].iter().any(|name| tags.get(name).is_some()) {
        true => Err(error::rejected(Reason::Encrypted, "its header says that it is protected")),
        false => Ok(()),
    }
}

/// Whose fault it is that an original cannot be opened.
fn why_not_opened(path: &Path, operation: &str, cause: Error) -> MediaError {
    match cause {
        // Memory for what real files have is there: the header claims what none has.
        Error::Other { errno: ffmpeg_next::error::ENOMEM } if !memory_is_short() => {
            let detail = format!(
                "it claims more than {MOST_TRACKS} tracks, or tables that fit into no memory"
            );
            return error::rejected(Reason::BeyondLimits, detail);
        }
        Error::Other { errno } if errno != ffmpeg_next::error::EINVAL => {
            return error::libav(operation, path.display(), cause);
        }
        _ => {}
    }
    match sniff::photograph_at(path) {
        Err(failed) => return failed,
        Ok(Some(kind)) => {
            let detail = format!("it is a photograph ({kind}), which this build cannot open");
            return error::rejected(Reason::Photograph, detail);
        }
        Ok(None) => {}
    }
    match container_is_truncated(path) {
        Err(failed) => failed,
        Ok(true) => error::rejected(
            Reason::Incomplete,
            format!("its container promises more than is there ({cause})"),
        ),
        Ok(false) => error::rejected(
            Reason::NotMedia,
            format!("no container that is known here can be read in it ({cause})"),
        ),
    }
}
