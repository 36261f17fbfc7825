//! How colours are coded in the source, and what converts them to BT.709.

use crate::media::VideoTrack;
use crate::units::Size;

/// bitexact and accurate_rnd: the same bytes on every machine, whatever its vector units.
const SCALER: &str = "flags=bicubic+accurate_rnd+bitexact";

/// The light of a white page in cd/m² (ITU-R BT.2408), from which the tone curve counts.
const HDR_WHITE: u32 = 203;

/// Light, in pages, that the tone curve maps to white: a fixed 1000 cd/m², because the mastering
/// data of files is wrong too often to be trusted.
const HDR_PEAK: &str = "4.926";

/// How the pictures that a scaler takes are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ColourForm {
    /// swscale's name of the matrix; none for RGB.
    pub matrix: Option<&'static str>,
    /// Whether luma uses the full range.
    pub full_range: bool,
}

/// What every output is: BT.709, limited range.
pub(super) const DELIVERY: ColourForm = ColourForm { matrix: Some("bt709"), full_range: false };

/// What a JPEG is (JFIF 1.02): BT.601 matrix, full range.
pub(super) const JPEG: ColourForm = ColourForm { matrix: Some("bt601"), full_range: true };

impl ColourForm {
    /// The form of the source; where the matrix is not said, by its height as players guess it.
    pub fn of(track: &VideoTrack) -> ColourForm {
        if is_rgb(track) {
            return ColourForm { matrix: None, full_range: true };
        }
        let guess = match () {
            () if is_hdr(track) => "bt2020",
            () if track.coded.height <= 576 => "bt601",
            () => "bt709",
        };
        let matrix = match track.colour.matrix.as_str() {
            "bt709" => "bt709",
            "smpte170m" | "bt470bg" => "bt601",
            "smpte240m" => "smpte240m",
            "fcc" => "fcc",
            "bt2020nc" | "bt2020c" => "bt2020",
            _ => guess,
        };
        let full_range = track.colour.full_range || track.pixel_format.starts_with("yuvj");
        ColourForm { matrix: Some(matrix), full_range }
    }
}

/// Transfer functions of high dynamic range.
pub(crate) fn is_hdr(track: &VideoTrack) -> bool {
    is_pq(track) || track.colour.transfer == "arib-std-b67"
}

/// Whether it is PQ (SMPTE ST 2084), whose values are light in cd/m².
pub(super) fn is_pq(track: &VideoTrack) -> bool {
    track.colour.transfer == "smpte2084"
}

/// Primaries wider than BT.709's, in a picture that is not HDR.
pub(crate) fn is_wide_gamut(track: &VideoTrack) -> bool {
    !is_hdr(track) && matches!(track.colour.primaries.as_str(), "bt2020" | "smpte431" | "smpte432")
}

/// Whether pixels are red, green and blue.
pub(crate) fn is_rgb(track: &VideoTrack) -> bool {
    let rgb = ["gbr", "rgb", "bgr", "argb", "abgr", "0rgb", "0bgr", "pal8", "x2rgb", "x2bgr"];
    track.colour.matrix == "gbr" || rgb.iter().any(|name| track.pixel_format.starts_with(name))
}

/// A scaler to `size` that also takes pictures from one form to another, with every parameter
/// spelled out: frames often lack them.
pub(super) fn scale(size: Size, from: ColourForm, to: ColourForm) -> String {
    let mut filter = format!("scale={}:{}:{SCALER}", size.width, size.height);
    if let Some(matrix) = from.matrix {
        filter.push_str(&format!(":in_color_matrix={matrix}:in_range={}", range(from.full_range)));
    }
    let matrix = to.matrix.unwrap_or("bt709");
    filter.push_str(&format!(":out_color_matrix={matrix}:out_range={}", range(to.full_range)));
    filter
}

/// A scaler to `size` for even pictures of 8 bits and 4:2:0 in the form of delivery: zimg, which
/// takes half the time of swscale. The curve is swscale's bicubic one, and every machine gives the
/// same bytes, because zimg counts such pictures in whole numbers. It believes what frames say of
/// themselves, so that is set first: of fields it would scale each by itself.
pub(super) fn scale_plain(size: Size) -> String {
    format!(
        "setparams=field_mode=prog:range=limited:color_primaries=bt709:color_trc=bt709:\
         colorspace=bt709,\
         zscale=w={}:h={}:filter=bicubic:param_a=0:param_b=0.6:dither=none",
        size.width, size.height
    )
}

fn range(full: bool) -> &'static str {
    if full { "pc" } else { "tv" }
}

/// The chain at `size` that keeps high dynamic range: BT.2020 and limited range, the transfer as it
/// is. That is the only form in which players know it.
pub(super) fn keep_hdr(track: &VideoTrack, size: Size) -> String {
    let wide = ColourForm { matrix: Some("bt2020"), full_range: false };
    let scale = scale(size, ColourForm::of(track), wide);
    let transfer = &track.colour.transfer;
    match zimg_primaries(track, "bt2020") {
        "bt2020" => scale,
        primaries => format!(
            "{scale},format=yuv420p10le,\
             zscale=min=2020_ncl:rin=limited:pin={primaries}:tin={transfer}:\
             p=bt2020:t={transfer}:m=2020_ncl:r=limited"
        ),
    }
}

/// The chain from HDR or wide gamut to BT.709, at `size`; none where there is nothing to map.
pub(super) fn to_bt709(track: &VideoTrack, size: Size) -> Option<String> {
    if is_hdr(track) {
        Some(tone_map(track, size))
    } else if is_wide_gamut(track) {
        Some(narrow_gamut(track, size))
    } else {
        None
    }
}

/// Scaled down first: what follows is in floating point. The curve (mobius) leaves light below a
/// third of white as it is: others darken skin and shade.
fn tone_map(track: &VideoTrack, size: Size) -> String {
    let wide = ColourForm { matrix: Some("bt2020"), full_range: false };
    let scale = scale(size, ColourForm::of(track), wide);
    let primaries = zimg_primaries(track, "bt2020");
    let transfer = &track.colour.transfer;
    format!(
        "{scale},format=yuv420p10le,\
         zscale=min=2020_ncl:rin=limited:pin={primaries}:tin={transfer}:\
         p={primaries}:t=linear:npl={HDR_WHITE},\
         format=gbrpf32le,zscale=pin={primaries}:tin=linear:p=bt709:t=linear,\
         tonemap=tonemap=mobius:desat=0:peak={HDR_PEAK},\
         zscale=pin=bt709:tin=linear:p=bt709:t=bt709:m=bt709:r=limited,format=yuv420p"
    )
}

fn narrow_gamut(track: &VideoTrack, size: Size) -> String {
    let form = ColourForm::of(track);
    let (matrix, zimg) = match form.matrix {
        Some("bt2020") => ("bt2020", "2020_ncl"),
        _ => ("bt709", "709"),
    };
    let scale = scale(size, form, ColourForm { matrix: Some(matrix), full_range: false });
    let primaries = zimg_primaries(track, "bt2020");
    format!(
        "{scale},format=yuv420p10le,\
         zscale=min={zimg}:rin=limited:pin={primaries}:tin=709:p=bt709:t=709:m=709:r=limited,\
         format=yuv420p"
    )
}

fn zimg_primaries(track: &VideoTrack, otherwise: &'static str) -> &'static str {
    match track.colour.primaries.as_str() {
        "bt709" => "bt709",
        "smpte431" => "smpte431",
        "smpte432" => "smpte432",
        _ => otherwise,
    }
}

/// What becomes of high dynamic range in the outputs of a pipeline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HdrHandling {
    /// All are BT.709.
    #[default]
    ToneMapped,
    /// All keep it, as HEVC.
    Kept,
    /// Some keep it, as HEVC; others are BT.709.
    Both,
}
