//! Reading finished media back: packet by packet, or decoded whole.

mod decode;
mod stream_account;

use std::io::Cursor;
use std::path::Path;
use std::ptr;

use ffmpeg_next::format::context::{Input, StreamIo};
use ffmpeg_next::{Dictionary, Error, Packet, ffi, format};
use vodmill_model::outcome::MediaError;
use vodmill_model::transcode::{Inspection, Media};

use crate::error;
use stream_account::StreamAccount;

pub(crate) use decode::decode;

/// The containers that vodmill publishes, and no protocol but the one for plain files.
const CONTAINERS: &str = "mpegts,mov,mp4,matroska,webm,mp3";

/// Demuxes `media` and counts what is in it.
pub(crate) fn inspect(media: Media<'_>) -> Result<Inspection, MediaError> {
    let mut input = open(media)?;
    let mut accounts: Vec<StreamAccount> = Vec::new();
    loop {
        // A fresh one each time: reading into one that is not blank would leak what it holds.
        let mut packet = Packet::empty();
        match packet.read(&mut input) {
            Ok(()) => {}
            Err(Error::Eof) => break,
            Err(cause) => return Err(error::libav("inspect", name(media), cause)),
        }
        while accounts.len() <= packet.stream() {
            accounts.push(StreamAccount::default());
        }
        accounts[packet.stream()].add(&packet);
    }
    let streams = input
        .streams()
        .filter_map(|stream| {
            let account = accounts.get_mut(stream.index()).map(std::mem::take).unwrap_or_default();
            account.finish(&stream)
        })
        .collect();
    Ok(Inspection { streams })
}

fn open(media: Media<'_>) -> Result<Input, MediaError> {
    let opened = match media {
        Media::Bytes(bytes) => open_bytes(bytes),
        Media::File(path) => open_file(path),
    };
    opened.map_err(|cause| error::libav("open", name(media), cause))
}

fn name(media: Media<'_>) -> String {
    match media {
        Media::Bytes(bytes) => format!("{} bytes of media", bytes.len()),
        Media::File(path) => path.display().to_string(),
    }
}

fn options() -> Dictionary<'static> {
    let mut options = Dictionary::new();
    options.set("format_whitelist", CONTAINERS);
    options.set("protocol_whitelist", "file");
    // All of a stream's parameters stand in its first key frame.
    options.set("probesize", "4000000");
    options
}

fn open_bytes(bytes: &[u8]) -> Result<Input, Error> {
    // The reader lives in libav's context and may outlast any borrow, so it has a copy.
    let mut io = StreamIo::from_read_seek_with_capacity(Cursor::new(bytes.to_vec()), 1 << 18)?;
    // SAFETY: the context is new, and null is checked for; `io` outlives it: until it is wrapped
    // together with it, or libav has freed the context, but never `pb`, on an error. The
    // dictionary is handed back.
    unsafe {
        let mut context = ffi::avformat_alloc_context();
        if context.is_null() {
            return Err(Error::Other { errno: ffmpeg_next::error::ENOMEM });
        }
        (*context).pb = io.as_mut_ptr();
        (*context).flags |= ffi::AVFMT_FLAG_CUSTOM_IO;
        let mut dictionary = options().disown();
        let code =
            ffi::avformat_open_input(&mut context, ptr::null(), demuxer(bytes), &mut dictionary);
        drop(Dictionary::own(dictionary));
        if code < 0 {
            return Err(Error::from(code));
        }
        let mut input = Input::wrap_with_custom_io(context, io);
        match ffi::avformat_find_stream_info(input.as_mut_ptr(), ptr::null_mut()) {
            code if code < 0 => Err(Error::from(code)),
            _ => Ok(input),
        }
    }
}

/// Named, not guessed: ten packets of a transport stream, as its last segment may have, are too
/// few for libav to tell it by.
fn demuxer(bytes: &[u8]) -> *const ffi::AVInputFormat {
    let name = if bytes.first() == Some(&0x47) { c"mpegts" } else { c"mov" };
    // SAFETY: a constant string; what is found is a constant of libav.
    unsafe { ffi::av_find_input_format(name.as_ptr()) }
}

fn open_file(path: &Path) -> Result<Input, Error> {
    let text = path.to_str().ok_or(Error::Other { errno: ffi::EINVAL })?;
    format::input_with_dictionary(&format!("file:{text}"), options())
}
