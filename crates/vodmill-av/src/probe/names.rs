//! libav's names of things, read from a stream's parameters.

use std::ffi::{CStr, c_char};
use std::ptr::addr_of;

use ffmpeg_next::codec::{Context, Parameters};
use ffmpeg_next::{Error, ffi, media};
use vodmill_model::media::{Colour, FieldOrder};

/// The name of the codec; where libav has none, the four letters that the container uses.
pub(super) fn codec(parameters: &Parameters) -> String {
    // SAFETY: valid parameters; the name is a constant string.
    unsafe {
        let parameters = &*parameters.as_ptr();
        if parameters.codec_id == ffi::AVCodecID::AV_CODEC_ID_NONE {
            let letters = parameters.codec_tag.to_le_bytes();
            let printable = letters.iter().all(u8::is_ascii_graphic);
            return match printable {
                true => letters.iter().map(|&byte| char::from(byte)).collect(),
                false => "unknown".to_owned(),
            };
        }
        text(ffi::avcodec_get_name(parameters.codec_id))
    }
}

/// Whether this build has a decoder for it, and the decoder takes what the container says of it.
pub(super) fn has_decoder(parameters: &Parameters) -> bool {
    let Ok(mut context) = Context::from_parameters(parameters.clone()) else { return false };
    // SAFETY: the context was just made and is not open yet.
    unsafe { (*context.as_mut_ptr()).thread_count = 1 };
    let decoder = context.decoder();
    let opened = match parameters.medium() {
        media::Type::Video => decoder.video().map(drop),
        media::Type::Audio => decoder.audio().map(drop),
        media::Type::Subtitle => decoder.subtitle().map(drop),
        _ => Err(Error::DecoderNotFound),
    };
    // Memory is not the input's fault.
    matches!(opened, Ok(()) | Err(Error::Other { errno: ffmpeg_next::error::ENOMEM }))
}

/// Whether a subtitle codec holds text.
pub(super) fn is_text(parameters: &Parameters) -> bool {
    // SAFETY: valid parameters; the descriptor is null or a constant.
    unsafe {
        let descriptor = ffi::avcodec_descriptor_get((*parameters.as_ptr()).codec_id);
        !descriptor.is_null() && (*descriptor).props & ffi::AV_CODEC_PROP_TEXT_SUB != 0
    }
}

/// What a pixel format is.
pub(crate) struct PixelFormat {
    pub name: String,
    pub bit_depth: u8,
    pub rgb: bool,
}

/// The pixel format; none where it is not known.
pub(crate) fn pixel_format(parameters: &Parameters) -> Option<PixelFormat> {
    // SAFETY: valid parameters; the format comes from the libav that the bindings were made for,
    // and -1, for unknown, is a value of the enum. The descriptor is null or a constant.
    unsafe {
        let format = std::mem::transmute::<i32, ffi::AVPixelFormat>((*parameters.as_ptr()).format);
        let descriptor = ffi::av_pix_fmt_desc_get(format).as_ref()?;
        Some(PixelFormat {
            name: text(descriptor.name),
            bit_depth: u8::try_from(descriptor.comp[0].depth).unwrap_or(0),
            rgb: descriptor.flags & ffi::AV_PIX_FMT_FLAG_RGB as u64 != 0,
        })
    }
}

/// The description of colours.
pub(crate) fn colour(parameters: &Parameters, format: Option<&PixelFormat>) -> Colour {
    let rgb = format.is_some_and(|format| format.rgb);
    // SAFETY: valid parameters; names are null or constants.
    let (matrix, primaries, transfer, range) = unsafe {
        let parameters = &*parameters.as_ptr();
        (
            text(ffi::av_color_space_name(parameters.color_space)),
            text(ffi::av_color_primaries_name(parameters.color_primaries)),
            text(ffi::av_color_transfer_name(parameters.color_trc)),
            addr_of!(parameters.color_range).cast::<i32>().read(),
        )
    };
    let full = ffi::AVColorRange::AVCOL_RANGE_JPEG as i32;
    let limited = ffi::AVColorRange::AVCOL_RANGE_MPEG as i32;
    let by_name = format.is_some_and(|format| format.name.starts_with("yuvj"));
    Colour {
        matrix: if rgb && matrix == "unknown" { "gbr".to_owned() } else { matrix },
        primaries,
        transfer,
        full_range: range == full || by_name || (rgb && range != limited),
    }
}

/// The order of fields that the container or codec declares.
pub(super) fn field_order(parameters: &Parameters) -> FieldOrder {
    // SAFETY: valid parameters; the enum is read as the C integer that it is.
    let order = unsafe { addr_of!((*parameters.as_ptr()).field_order).cast::<i32>().read() } as u32;
    use ffi::AVFieldOrder as Order;
    // The first letter, whatever libav's comments say: fields that lie line by line in one picture
    // are TB in files of QuickTime (9, TN2162), Matroska and libav's own where the top one is first.
    if order == Order::AV_FIELD_TT as u32 || order == Order::AV_FIELD_TB as u32 {
        FieldOrder::TopFirst
    } else if order == Order::AV_FIELD_BB as u32 || order == Order::AV_FIELD_BT as u32 {
        FieldOrder::BottomFirst
    } else {
        FieldOrder::Progressive
    }
}

/// The channels of a track and the name of their layout, empty where unknown.
pub(super) fn channels(parameters: &Parameters) -> (u32, String) {
    let mut name = [0_u8; 256];
    // SAFETY: valid parameters; the name is written within the buffer and ends in a zero byte.
    unsafe {
        let layout = addr_of!((*parameters.as_ptr()).ch_layout);
        let channels = u32::try_from((*layout).nb_channels).unwrap_or(0);
        if (*layout).order == ffi::AVChannelOrder::AV_CHANNEL_ORDER_UNSPEC || channels == 0 {
            return (channels, String::new());
        }
        let written = ffi::av_channel_layout_describe(layout, name.as_mut_ptr().cast(), name.len());
        match written {
            1.. => (channels, text(name.as_ptr().cast())),
            _ => (channels, String::new()),
        }
    }
}

/// # Safety
/// `name` is null or a string that ends in a zero byte.
unsafe fn text(name: *const c_char) -> String {
    if name.is_null() {
        return "unknown".to_owned();
    }
    // SAFETY: not null, and the caller's promise.
    unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned()
}
