//! What muxers are told of a stream.

use std::ffi::CString;
use std::ptr;

use ffmpeg_next::format::context::Output;
use ffmpeg_next::format::stream::Disposition;
use ffmpeg_next::{Dictionary, Rational, StreamMut, ffi};
use vodmill_model::media::Hdr10;

use super::muxer::Input;
use super::stream_reader::frame_samples;
use crate::rendition::{Colours, Header, VideoHeader};
use crate::{hdr10, roles};

/// Adds a stream to what a muxer writes.
pub(super) fn add_stream(output: &mut Output, input: &Input<'_>) -> Result<(), ffmpeg_next::Error> {
    let mut stream = output.add_stream(ffmpeg_next::codec::Id::None)?;
    stream.set_time_base(Rational::new(1, input.clock.timescale as i32));
    if input.stream.is_video() {
        let unit = input.stream.unit;
        stream.set_avg_frame_rate(Rational::new(unit.den as i32, unit.num as i32));
    }
    if let Some(language) = &input.stream.language {
        let mut metadata = Dictionary::new();
        metadata.set("language", language);
        stream.set_metadata(metadata);
    }
    let mut disposition = roles::disposition(&input.stream.roles);
    disposition.set(Disposition::DEFAULT, input.default);
    // SAFETY: the stream was just made and belongs to the output.
    unsafe { (*stream.as_mut_ptr()).disposition = disposition.bits() };
    // SAFETY: the stream was just made and owns its parameters, which nothing else refers to yet.
    unsafe { describe(&mut *(*stream.as_mut_ptr()).codecpar, &input.stream.header)? };
    match &input.stream.header {
        Header::Video(VideoHeader { colours: Some(colours), .. }) => {
            add_hdr10(&mut stream, colours)
        }
        _ => Ok(()),
    }
}

/// Has the muxer write `mdcv` and `clli` boxes, where there is something to say.
fn add_hdr10(stream: &mut StreamMut<'_>, colours: &Colours) -> Result<(), ffmpeg_next::Error> {
    use ffi::AVPacketSideDataType as Type;
    let Hdr10 { display, light } = &colours.hdr10;
    let display = display.as_ref().map(hdr10::display_bytes);
    let light = light.as_ref().map(hdr10::light_bytes);
    for (kind, bytes) in [
        (Type::AV_PKT_DATA_MASTERING_DISPLAY_METADATA, display),
        (Type::AV_PKT_DATA_CONTENT_LIGHT_LEVEL, light),
    ] {
        let Some(bytes) = bytes else { continue };
        // SAFETY: the stream is valid and gives room for as many bytes as asked for, or none.
        unsafe {
            let room = ffi::av_stream_new_side_data(stream.as_mut_ptr(), kind, bytes.len());
            if room.is_null() {
                return Err(ffmpeg_next::Error::Other { errno: ffi::ENOMEM });
            }
            ptr::copy_nonoverlapping(bytes.as_ptr(), room, bytes.len());
        }
    }
    Ok(())
}

/// Fills in what muxers and decoders want to know of a stream.
pub(crate) fn describe(
    par: &mut ffi::AVCodecParameters,
    header: &Header,
) -> Result<(), ffmpeg_next::Error> {
    let (codec, extradata) = match header {
        Header::Video(video) => {
            par.codec_type = ffi::AVMediaType::AVMEDIA_TYPE_VIDEO;
            par.width = video.size.width as i32;
            par.height = video.size.height as i32;
            if let Some(colours) = &video.colours {
                set_colours(par, colours);
            }
            (&video.codec, &video.extradata)
        }
        Header::Audio(audio) => {
            par.codec_type = ffi::AVMediaType::AVMEDIA_TYPE_AUDIO;
            par.sample_rate = audio.sample_rate as i32;
            par.initial_padding = audio.initial_padding as i32;
            par.bit_rate = i64::try_from(audio.bit_rate).unwrap_or(0);
            // The TS muxer spaces its clock references by it.
            par.frame_size = frame_samples(&audio.codec) as i32;
            // SAFETY: the layout in zeroed parameters is unset, so nothing leaks.
            unsafe { ffi::av_channel_layout_default(&mut par.ch_layout, audio.channels as i32) };
            (&audio.codec, &audio.extradata)
        }
    };
    par.codec_id = codec_id(codec)?;
    par.codec_tag = if codec == "hevc" { u32::from_le_bytes(*b"hvc1") } else { 0 };
    set_extradata(par, extradata)
}

/// Muxers write them into `colr`.
fn set_colours(par: &mut ffi::AVCodecParameters, colours: &Colours) {
    par.color_range = ffi::AVColorRange::AVCOL_RANGE_MPEG;
    // SAFETY: the numbers come from the same libav's enums, through a file that was checked.
    unsafe {
        ptr::addr_of_mut!(par.color_primaries).cast::<u32>().write(colours.primaries);
        ptr::addr_of_mut!(par.color_trc).cast::<u32>().write(colours.transfer);
        ptr::addr_of_mut!(par.color_space).cast::<u32>().write(colours.matrix);
    }
}

fn codec_id(name: &str) -> Result<ffi::AVCodecID, ffmpeg_next::Error> {
    let name = CString::new(name).map_err(|_| ffmpeg_next::Error::InvalidData)?;
    // SAFETY: the descriptor, if there is one, is static.
    unsafe { ffi::avcodec_descriptor_get_by_name(name.as_ptr()).as_ref() }
        .map(|descriptor| descriptor.id)
        .ok_or(ffmpeg_next::Error::EncoderNotFound)
}

fn set_extradata(par: &mut ffi::AVCodecParameters, bytes: &[u8]) -> Result<(), ffmpeg_next::Error> {
    let room = bytes.len() + ffi::AV_INPUT_BUFFER_PADDING_SIZE as usize;
    // SAFETY: libav frees the zeroed, padded allocation with the parameters; the copy fits in it.
    unsafe {
        let data = ffi::av_mallocz(room).cast::<u8>();
        if data.is_null() {
            return Err(ffmpeg_next::Error::Other { errno: ffi::ENOMEM });
        }
        ptr::copy_nonoverlapping(bytes.as_ptr(), data, bytes.len());
        par.extradata = data;
    }
    par.extradata_size = bytes.len() as i32;
    Ok(())
}
