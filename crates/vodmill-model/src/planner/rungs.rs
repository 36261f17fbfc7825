//! The video streams to encode: those of the rungs and of the MP4s, each distinct one once.

use std::collections::BTreeMap;

use super::Decisions;
use super::colour::{self, ColourForm, DELIVERY};
use super::sizing::{self, Fitted};
use super::timeline;
use super::wanted::Wanted;
use crate::plan::VideoEncode;
use crate::preset::{Profile, Speed, VideoCommon, VideoTarget};
use crate::units::{Ratio, Size};

/// One output that needs pictures.
struct Order<'a> {
    name: &'a str,
    common: &'a VideoCommon,
    target: &'a VideoTarget,
    fitted: Fitted,
}

/// What pictures are needed, before it is known how to make them.
pub(super) struct Layout<'a> {
    rungs: Vec<Order<'a>>,
    mp4: Vec<Order<'a>>,
}

/// The encodes, and which output takes which.
#[derive(Default)]
pub(super) struct Encodes {
    pub list: Vec<VideoEncode>,
    /// Name of a rung and id of its encode, lowest first.
    pub rungs: Vec<(String, String)>,
    /// Id of the encode by name of the MP4 preset.
    pub mp4: BTreeMap<String, String>,
}

/// Fits the displayed picture into every box and drops rungs that would repeat a lower one.
pub(super) fn layout<'a>(
    display: Size,
    wanted: &Wanted<'a>,
    decisions: &mut Decisions,
) -> Layout<'a> {
    let mut rungs: Vec<Order<'a>> = Vec::new();
    for (rung, common) in wanted
        .ladder
        .iter()
        .flat_map(|ladder| ladder.rungs.iter().map(|rung| (rung, &ladder.video)))
    {
        let fitted = sizing::fit(display, common, &rung.target);
        let about = format!("rung {}", rung.name);
        if let Some(lower) = rungs.iter().find(|lower| lower.fitted.cropped == fitted.cropped) {
            let reason = format!("the source gives {} here, as in {}", fitted.cropped, lower.name);
            decisions.add(about, "falls away", reason);
            continue;
        }
        let reason = format!("{display} in a box of {}x{}", rung.target.width, rung.target.height);
        decisions.add(about, fitted.padded.to_string(), reason);
        rungs.push(Order { name: &rung.name, common, target: &rung.target, fitted });
    }
    let mp4 = wanted.mp4.iter().filter_map(|&(name, preset)| {
        let video = preset.video.as_ref()?;
        let fitted = sizing::fit(display, &video.common, &video.target);
        Some(Order { name, common: &video.common, target: &video.target, fitted })
    });
    Layout { rungs, mp4: mp4.collect() }
}

impl Layout<'_> {
    /// The sides of the largest picture that any output takes, at most `display`'s.
    pub fn largest(&self, display: Size) -> Size {
        let orders = || self.rungs.iter().chain(&self.mp4).map(|order| order.fitted.scaled);
        let width = orders().map(|size| size.width).max().unwrap_or(2);
        let height = orders().map(|size| size.height).max().unwrap_or(2);
        Size {
            width: width.min((display.width & !1).max(2)),
            height: height.min((display.height & !1).max(2)),
        }
    }

    /// The encodes, smallest first, from common pictures of `form` at `rate`.
    pub fn encodes(&self, form: ColourForm, rate: Ratio, decisions: &mut Decisions) -> Encodes {
        let mut encodes = Encodes::default();
        for order in &self.rungs {
            let id = encodes.add(order, form, rate);
            encodes.rungs.push((order.name.to_owned(), id));
        }
        for order in &self.mp4 {
            let id = encodes.add(order, form, rate);
            encodes.mp4.insert(order.name.to_owned(), id);
        }
        encodes.list.sort_by_key(|encode| {
            (u64::from(encode.size.width) * u64::from(encode.size.height), encode.id.clone())
        });
        encodes.explain(decisions);
        encodes
    }
}

impl Encodes {
    /// The id of the encode that `order` needs: one that is there already, or a new one.
    fn add(&mut self, order: &Order<'_>, form: ColourForm, rate: Ratio) -> String {
        let mut encode = encode(order, form, rate);
        let same =
            |known: &&VideoEncode| VideoEncode { id: String::new(), ..(*known).clone() } == encode;
        if let Some(known) = self.list.iter().find(same) {
            return known.id.clone();
        }
        let stem = format!("v{}", encode.size.width.min(encode.size.height));
        encode.id = super::unique(&stem, |id| self.list.iter().any(|known| known.id == id));
        self.list.push(encode.clone());
        encode.id
    }

    fn explain(&self, decisions: &mut Decisions) {
        for encode in &self.list {
            let rungs = self.rungs.iter().filter(|(_, id)| *id == encode.id);
            let mp4 = self.mp4.iter().filter(|(_, id)| **id == encode.id);
            let users: Vec<String> = rungs
                .map(|(name, _)| format!("rung {name}"))
                .chain(mp4.map(|(name, _)| format!("mp4 {name}")))
                .collect();
            let reason = match users.as_slice() {
                [one] => format!("for {one} alone"),
                several => format!("{} need the same stream: one encode", several.join(", ")),
            };
            decisions.add(format!("encode {}", encode.id), encode.size.to_string(), reason);
        }
    }
}

fn encode(order: &Order<'_>, form: ColourForm, rate: Ratio) -> VideoEncode {
    let gop = timeline::gop(order.common.gop_seconds, rate);
    VideoEncode {
        id: String::new(),
        size: order.fitted.padded,
        filter: filter(order.fitted, form),
        encoder: "libx264".to_owned(),
        options: options(order, gop.0),
        gop,
    }
}

fn filter(fitted: Fitted, form: ColourForm) -> String {
    let Fitted { scaled, cropped, padded } = fitted;
    let mut chain = vec![colour::scale(scaled, form, DELIVERY)];
    if cropped != scaled {
        let (x, y) = middle(scaled, cropped);
        chain.push(format!("crop={}:{}:{x}:{y}", cropped.width, cropped.height));
    }
    if padded != cropped {
        let (x, y) = middle(padded, cropped);
        chain.push(format!("pad={}:{}:{x}:{y}:black", padded.width, padded.height));
    }
    chain.push("setsar=1".to_owned());
    chain.push(
        "setparams=field_mode=prog:range=limited:color_primaries=bt709:color_trc=bt709:\
         colorspace=bt709"
            .to_owned(),
    );
    chain.push("format=yuv420p".to_owned());
    chain.join(",")
}

/// Where `inner` begins in the middle of `outer`, on even pixels because of 4:2:0 chroma.
fn middle(outer: Size, inner: Size) -> (u32, u32) {
    ((outer.width - inner.width) / 4 * 2, (outer.height - inner.height) / 4 * 2)
}

/// The most frames that x264 looks ahead, as its preset `faster` does. The frames of all rungs are in
/// memory at once: with the 40 of `medium` a child with a 1080p ladder took 774 MiB.
const LOOKAHEAD: u32 = 20;

/// Every option of x264 that is not its preset's. Key frames stand only where they are forced:
/// scene cuts begin no group.
fn options(order: &Order<'_>, gop: u32) -> BTreeMap<String, String> {
    let Order { common, target, .. } = order;
    let buffer = target.max_bitrate.0 * u64::from(target.buffer_seconds);
    let mut options = vec![
        ("preset", speed(common.speed).to_owned()),
        ("profile", profile(common.profile).to_owned()),
        ("maxrate", target.max_bitrate.0.to_string()),
        ("bufsize", buffer.to_string()),
        ("g", gop.to_string()),
        ("keyint_min", gop.to_string()),
        ("sc_threshold", "0".to_owned()),
        ("forced-idr", "1".to_owned()),
        ("threads", common.threads.to_string()),
        ("color_range", "tv".to_owned()),
        ("colorspace", "bt709".to_owned()),
        ("color_primaries", "bt709".to_owned()),
        ("color_trc", "bt709".to_owned()),
    ];
    if common.speed >= Speed::Fast {
        options.push(("rc-lookahead", LOOKAHEAD.to_string()));
    }
    match (target.bitrate, target.crf) {
        (Some(bitrate), _) => options.push(("b", bitrate.0.to_string())),
        (None, crf) => options.push(("crf", crf.unwrap_or(23).to_string())),
    }
    options.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn speed(speed: Speed) -> &'static str {
    match speed {
        Speed::Ultrafast => "ultrafast",
        Speed::Superfast => "superfast",
        Speed::Veryfast => "veryfast",
        Speed::Faster => "faster",
        Speed::Fast => "fast",
        Speed::Medium => "medium",
        Speed::Slow => "slow",
        Speed::Slower => "slower",
        Speed::Veryslow => "veryslow",
    }
}

fn profile(profile: Profile) -> &'static str {
    match profile {
        Profile::Baseline => "baseline",
        Profile::Main => "main",
        Profile::High => "high",
    }
}
