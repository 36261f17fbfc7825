//! The size of pictures as their own headers have it, without decoding them.

use std::ptr::addr_of;

use ffmpeg_next::codec::{Context, Parameters};
use ffmpeg_next::{Packet, ffi};

use super::pictures::Field;

/// Reads packets and sees whether the size in the headers of key packets changes.
pub(super) struct SizeWatch {
    parser: *mut ffi::AVCodecParserContext,
    codec: Context,
    size: Option<(i32, i32)>,
    /// Whether it has changed.
    pub changed: bool,
}

impl SizeWatch {
    /// None where libav has no parser for the codec.
    pub(super) fn new(parameters: Parameters) -> Option<SizeWatch> {
        let codec = Context::from_parameters(parameters).ok()?;
        // SAFETY: the context is valid; a parser is ours until closed in `drop`.
        let parser = unsafe {
            let parser = ffi::av_parser_init((*codec.as_ptr()).codec_id as i32);
            if parser.is_null() {
                return None;
            }
            (*parser).flags |= ffi::PARSER_FLAG_COMPLETE_FRAMES;
            parser
        };
        Some(SizeWatch { parser, codec, size: None, changed: false })
    }

    /// Parameter sets that come beside a packet, where a file has several descriptions.
    pub(super) fn new_extradata(&mut self, data: &[u8]) {
        // SAFETY: extradata is libav's memory, padded with zeros; the parser is replaced, as it
        // reads extradata only once.
        unsafe {
            let context = self.codec.as_mut_ptr();
            let padded = data.len() + ffi::AV_INPUT_BUFFER_PADDING_SIZE as usize;
            let memory = ffi::av_mallocz(padded).cast::<u8>();
            let parser = ffi::av_parser_init((*context).codec_id as i32);
            if memory.is_null() || parser.is_null() {
                ffi::av_free(memory.cast());
                ffi::av_parser_close(parser);
                return;
            }
            memory.copy_from_nonoverlapping(data.as_ptr(), data.len());
            ffi::av_free((*context).extradata.cast());
            (*context).extradata = memory;
            (*context).extradata_size = data.len() as i32;
            (*parser).flags |= ffi::PARSER_FLAG_COMPLETE_FRAMES;
            ffi::av_parser_close(std::mem::replace(&mut self.parser, parser));
        }
    }

    /// Takes a whole packet and says which field it begins with; of key packets it notes the size.
    pub(super) fn look(&mut self, packet: &Packet) -> Field {
        let Some(data) = packet.data() else { return Field::None };
        let Ok(length) = i32::try_from(data.len()) else { return Field::None };
        let (mut out, mut out_size) = (std::ptr::null_mut(), 0);
        // SAFETY: parser and context are valid, and packets of libav are padded as parsers need.
        let (size, structure) = unsafe {
            ffi::av_parser_parse2(
                self.parser,
                self.codec.as_mut_ptr(),
                &mut out,
                &mut out_size,
                data.as_ptr(),
                length,
                ffi::AV_NOPTS_VALUE,
                ffi::AV_NOPTS_VALUE,
                -1,
            );
            let structure = addr_of!((*self.parser).picture_structure).cast::<u32>().read();
            (((*self.parser).width, (*self.parser).height), structure)
        };
        if packet.is_key() && size.0 > 0 && size.1 > 0 {
            self.changed |= self.size.is_some_and(|known| known != size);
            self.size = Some(size);
        }
        match structure {
            _ if structure == ffi::AVPictureStructure::AV_PICTURE_STRUCTURE_TOP_FIELD as u32 => {
                Field::Top
            }
            _ if structure == ffi::AVPictureStructure::AV_PICTURE_STRUCTURE_BOTTOM_FIELD as u32 => {
                Field::Bottom
            }
            _ => Field::None,
        }
    }
}

impl Drop for SizeWatch {
    fn drop(&mut self) {
        // SAFETY: made by `av_parser_init`, closed once.
        unsafe { ffi::av_parser_close(self.parser) };
    }
}
