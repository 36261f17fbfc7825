//! The video streams to encode: those of the rungs and of the files, each distinct one once.

use std::collections::BTreeMap;

use super::colour::{self, DELIVERY};
use super::h264::Types;
use super::picture::CommonPicture;
use super::requested::Requested;
use super::sizing::{self, Fitted};
use super::{Decisions, av1, h264, hdr10, hevc, timeline, vp9};
use crate::media::VideoTrack;
use crate::plan::{FrameTypes, VideoEncode};
use crate::preset::{HdrPolicy, Speed, VideoCodec, VideoCommon, VideoTarget};
use crate::units::{Ratio, Size};

/// One output that needs pictures.
#[derive(Clone, Copy)]
struct Order<'a> {
    name: &'a str,
    /// What it is, as `rung` or `mp4`.
    kind: &'static str,
    common: &'a VideoCommon,
    target: &'a VideoTarget,
    fitted: Fitted,
}

/// What pictures are needed, before it is known how to make them.
pub(super) struct FittedOutputs<'a> {
    rungs: Vec<Order<'a>>,
    files: Vec<Order<'a>>,
}

/// The encodes, and which output takes which.
#[derive(Default)]
pub(super) struct Encodes {
    pub list: Vec<VideoEncode>,
    /// Name of a rung and id of its encode, lowest first.
    pub rungs: Vec<(String, String)>,
    /// Id of the encode by name of the file's preset.
    pub files: BTreeMap<String, String>,
    /// Outputs, and the ids of their encodes.
    users: Vec<(String, String)>,
    /// Ids of encodes that decide frame types, and the settings that they decide them for.
    deciders: Vec<(String, VideoCommon)>,
}

/// Fits the displayed picture into every box and drops rungs that would repeat a lower one.
pub(super) fn fit_outputs<'a>(
    display: Size,
    requested: &Requested<'a>,
    decisions: &mut Decisions,
) -> FittedOutputs<'a> {
    let mut rungs: Vec<Order<'a>> = Vec::new();
    for (rung, common) in requested
        .ladders
        .iter()
        .flat_map(|ladder| ladder.rungs.iter().map(|rung| (rung, &ladder.video)))
    {
        let fitted = fit(display, common, &rung.target);
        let about = format!("rung {}", rung.name);
        let same =
            |lower: &&Order<'_>| lower.common == common && lower.fitted.cropped == fitted.cropped;
        if let Some(lower) = rungs.iter().find(same) {
            let reason = format!("the source gives {} here, as in {}", fitted.cropped, lower.name);
            decisions.add(about, "falls away", reason);
            continue;
        }
        let reason = format!("{display} in a box of {}x{}", rung.target.width, rung.target.height);
        decisions.add(about, fitted.padded.to_string(), reason);
        rungs.push(Order { name: &rung.name, kind: "rung", common, target: &rung.target, fitted });
    }
    let files = requested.files.iter().filter_map(|&(name, preset)| {
        let video = preset.video.as_ref()?;
        let fitted = fit(display, &video.common, &video.target);
        let kind = preset.container.as_str();
        Some(Order { name, kind, common: &video.common, target: &video.target, fitted })
    });
    FittedOutputs { rungs, files: files.collect() }
}

fn fit(display: Size, common: &VideoCommon, target: &VideoTarget) -> Fitted {
    let mut fitted = sizing::fit(display, common, target);
    let least = match common.codec {
        VideoCodec::H264 | VideoCodec::Vp9 => 2,
        VideoCodec::Hevc => hevc::LEAST_SIDE,
        VideoCodec::Av1 => av1::LEAST_SIDE,
    };
    let Size { width, height } = &mut fitted.padded;
    (*width, *height) = ((*width).max(least), (*height).max(least));
    fitted
}

impl<'a> FittedOutputs<'a> {
    /// The sides of the largest picture that any output takes, at most `display`'s.
    pub fn largest(&self, display: Size) -> Size {
        let orders = || self.rungs.iter().chain(&self.files).map(|order| order.fitted.scaled);
        let width = orders().map(|size| size.width).max().unwrap_or(2);
        let height = orders().map(|size| size.height).max().unwrap_or(2);
        Size {
            width: width.min((display.width & !1).max(2)),
            height: height.min((display.height & !1).max(2)),
        }
    }

    /// The same without some rungs.
    pub fn without(&self, names: &[&str]) -> FittedOutputs<'a> {
        let rungs = self.rungs.iter().filter(|order| !names.contains(&order.name));
        FittedOutputs { rungs: rungs.copied().collect(), files: self.files.clone() }
    }

    /// The encodes, smallest first, from common pictures at `rate`.
    pub fn encodes(&self, picture: &CommonPicture<'_>, rate: Ratio) -> Encodes {
        let mut encodes = Encodes::default();
        for order in self.deciders() {
            let id = encodes.id(order, encode(order, picture, rate, &Types::Decided));
            encodes.deciders.push((id, order.common.clone()));
        }
        for order in &self.rungs {
            let id = encodes.add(order, picture, rate);
            encodes.rungs.push((order.name.to_owned(), id));
        }
        for order in &self.files {
            let id = encodes.add(order, picture, rate);
            encodes.files.insert(order.name.to_owned(), id);
        }
        encodes.list.sort_by_key(|encode| {
            (u64::from(encode.size.width) * u64::from(encode.size.height), encode.id.clone())
        });
        encodes
    }

    /// The smallest of rungs that can share frame types. No file is among them: what a ladder is made of
    /// does not hang on the files beside it.
    fn deciders(&self) -> Vec<&Order<'_>> {
        let mut deciders = Vec::new();
        for order in self.rungs.iter().filter(|order| h264::shares_types(order.common)) {
            let group = || self.rungs.iter().filter(|other| other.common == order.common);
            let smallest = group().min_by_key(|other| other.area());
            let is_smallest = smallest.is_some_and(|smallest| smallest.name == order.name);
            if is_smallest && group().count() > 1 {
                deciders.push(order);
            }
        }
        deciders
    }
}

impl Order<'_> {
    fn area(&self) -> u64 {
        let Size { width, height } = self.fitted.padded;
        u64::from(width) * u64::from(height)
    }
}

impl Encodes {
    /// The id of the encode that `order` needs: one that is there already, or a new one.
    fn add(&mut self, order: &Order<'_>, picture: &CommonPicture<'_>, rate: Ratio) -> String {
        let id = self.id_of(order, picture, rate);
        self.users.push((format!("{} {}", order.kind, order.name), id.clone()));
        id
    }

    fn id_of(&mut self, order: &Order<'_>, picture: &CommonPicture<'_>, rate: Ratio) -> String {
        let Some(types) = self.types_for(order.common) else {
            return self.id(order, encode(order, picture, rate, &Types::Own));
        };
        let decider = encode(order, picture, rate, &Types::Decided);
        match self.known(&decider) {
            Some(known) => known,
            None => self.id(order, encode(order, picture, rate, &Types::Given(types))),
        }
    }

    /// The id of an encode, which is new or there already.
    fn id(&mut self, order: &Order<'_>, encode: VideoEncode) -> String {
        if let Some(known) = self.known(&encode) {
            return known;
        }
        let side = encode.size.width.min(encode.size.height);
        let stem = match order.common.codec {
            VideoCodec::H264 => format!("v{side}"),
            VideoCodec::Hevc => format!("v{side}-hevc"),
            VideoCodec::Vp9 => format!("v{side}-vp9"),
            VideoCodec::Av1 => format!("v{side}-av1"),
        };
        let id = super::unique(&stem, |id| self.list.iter().any(|known| known.id == id));
        self.list.push(VideoEncode { id: id.clone(), ..encode });
        id
    }

    fn known(&self, encode: &VideoEncode) -> Option<String> {
        let same =
            |known: &&VideoEncode| VideoEncode { id: String::new(), ..(*known).clone() } == *encode;
        self.list.iter().find(same).map(|known| known.id.clone())
    }

    /// Where encodes of these settings have their frame types from, if they do not decide them.
    fn types_for(&self, common: &VideoCommon) -> Option<FrameTypes> {
        let (of, _) = self.deciders.iter().find(|(_, settings)| settings == common)?;
        Some(FrameTypes { of: of.clone(), waiting: h264::waiting(common.speed) })
    }

    /// The encode of a rung.
    pub fn of_rung(&mut self, name: &str) -> Option<&mut VideoEncode> {
        let (_, id) = self.rungs.iter().find(|(rung, _)| rung == name)?;
        self.list.iter_mut().find(|encode| encode.id == *id)
    }

    /// Says which output takes which encode.
    pub fn explain(&self, decisions: &mut Decisions) {
        for encode in &self.list {
            let users = self.users.iter().filter(|(_, id)| *id == encode.id);
            let users: Vec<&str> = users.map(|(name, _)| name.as_str()).collect();
            let reason = match users.as_slice() {
                [one] => format!("for {one} alone"),
                several => format!("{} need the same stream: one encode", several.join(", ")),
            };
            decisions.add(format!("encode {}", encode.id), encode.size.to_string(), reason);
        }
        self.explain_types(decisions);
    }

    fn explain_types(&self, decisions: &mut Decisions) {
        for (decider, _) in &self.deciders {
            let takes = |encode: &&VideoEncode| {
                encode.types.as_ref().is_some_and(|types| types.of == *decider)
            };
            let takers: Vec<&str> =
                self.list.iter().filter(takes).map(|encode| encode.id.as_str()).collect();
            let about = format!("frame types of {}", takers.join(", "));
            let reason = "the same pictures in other sizes: decided once, in the smallest";
            decisions.add(about, format!("those of {decider}"), reason);
        }
    }
}

fn encode(
    order: &Order<'_>,
    picture: &CommonPicture<'_>,
    rate: Ratio,
    types: &Types,
) -> VideoEncode {
    let gop = timeline::gop(order.common.gop_seconds, rate);
    let kept = picture.hdr().filter(|_| order.common.hdr == HdrPolicy::Keep);
    let hdr10 = kept.map(hdr10::passed_on).unwrap_or_default();
    let (encoder, mut options) = match order.common.codec {
        VideoCodec::H264 => ("libx264", h264::options(order.common, order.target, gop.0, types)),
        VideoCodec::Hevc => {
            let pictures = hevc::Pictures { gop: gop.0, deep: kept.is_some(), hdr10: &hdr10 };
            ("libx265", hevc::options(order.common, order.target, &pictures))
        }
        VideoCodec::Vp9 => {
            let width = order.fitted.padded.width;
            ("libvpx-vp9", vp9::options(order.common, order.target, gop.0, width))
        }
        VideoCodec::Av1 => ("libsvtav1", av1::options(order.common, order.target, gop.0)),
    };
    options.extend(tags(kept).map(|(name, value)| (name.to_owned(), value.to_owned())));
    VideoEncode {
        id: String::new(),
        size: order.fitted.padded,
        filter: filter(order.fitted, picture, kept),
        encoder: encoder.to_owned(),
        options,
        gop,
        types: match types {
            Types::Given(types) => Some(types.clone()),
            Types::Own | Types::Decided => None,
        },
        hdr10,
    }
}

/// How the encoder says that pictures are coded; `kept` is the track whose range they keep.
fn tags(kept: Option<&VideoTrack>) -> [(&'static str, &str); 4] {
    let (primaries, transfer, matrix) = match kept {
        Some(track) => ("bt2020", track.colour.transfer.as_str(), "bt2020nc"),
        None => ("bt709", "bt709", "bt709"),
    };
    [
        ("color_range", "tv"),
        ("colorspace", matrix),
        ("color_primaries", primaries),
        ("color_trc", transfer),
    ]
}

fn filter(fitted: Fitted, picture: &CommonPicture<'_>, kept: Option<&VideoTrack>) -> String {
    let Fitted { scaled, cropped, padded } = fitted;
    let mut chain = vec![match kept {
        Some(track) => colour::keep_hdr(track, scaled),
        None => picture.standard(scaled, DELIVERY),
    }];
    if cropped != scaled {
        let (x, y) = middle(scaled, cropped);
        chain.push(format!("crop={}:{}:{x}:{y}", cropped.width, cropped.height));
    }
    if padded != cropped {
        let (x, y) = middle(padded, cropped);
        chain.push(format!("pad={}:{}:{x}:{y}:black", padded.width, padded.height));
    }
    chain.push("setsar=1".to_owned());
    let [_, (_, matrix), (_, primaries), (_, transfer)] = tags(kept);
    chain.push(format!(
        "setparams=field_mode=prog:range=limited:color_primaries={primaries}:\
         color_trc={transfer}:colorspace={matrix}"
    ));
    chain.push(if kept.is_some() { "format=yuv420p10le" } else { "format=yuv420p" }.to_owned());
    chain.join(",")
}

/// Where `inner` begins in the middle of `outer`, on even pixels because of 4:2:0 chroma.
fn middle(outer: Size, inner: Size) -> (u32, u32) {
    ((outer.width - inner.width) / 4 * 2, (outer.height - inner.height) / 4 * 2)
}

/// The most frames that an encoder looks ahead, as x264's preset `faster` does. The frames of all
/// rungs are in memory at once: with the 40 of `medium` a child with a 1080p ladder took 774 MiB.
pub(super) const LOOKAHEAD: u32 = 20;

/// The bits that pictures may take.
pub(super) fn rates(target: &VideoTarget) -> Vec<(&'static str, String)> {
    let buffer = target.max_bitrate.0 * u64::from(target.buffer_seconds);
    let aim = match (target.bitrate, target.crf) {
        (Some(bitrate), _) => ("b", bitrate.0.to_string()),
        (None, crf) => ("crf", crf.unwrap_or(23).to_string()),
    };
    vec![("maxrate", target.max_bitrate.0.to_string()), ("bufsize", buffer.to_string()), aim]
}

pub(super) fn speed(speed: Speed) -> &'static str {
    match speed {
        Speed::Ultrafast => "ultrafast",
        Speed::Superfast => "superfast",
        Speed::Veryfast => "veryfast",
        Speed::Faster => "faster",
        Speed::Fast => "fast",
        // Nobody has said who watches.
        Speed::Auto | Speed::Medium => "medium",
        Speed::Slow => "slow",
        Speed::Slower => "slower",
        Speed::Veryslow => "veryslow",
    }
}
