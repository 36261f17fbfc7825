//! Renditions, stills and sheets of the fake.

use std::fs;

use serde::Serialize;
use vodmill_model::analysis::{Analysis, AnalysisPlan, Probe, Sample, Trial};
use vodmill_model::outcome::MediaError;
use vodmill_model::plan::{AudioEncode, VideoEncode, digest_of};
use vodmill_model::quality::Score;
use vodmill_model::transcode::{
    AudioDone, AudioOrder, JpegOrder, Progress, ProgressSink, StillOrder, StreamKind, VideoDone,
    VideoOrder,
};
use vodmill_model::{Failed, Ratio, Size};

use super::What;
use super::stream::{Header, Packet, Stream};

/// Samples of an AAC frame.
const FRAME: u32 = 1024;

/// Bytes for each step of CRF below 40, and a point less for each; ten less for a smaller size.
pub(super) fn analysis(
    plan: &AnalysisPlan,
    watch: &dyn ProgressSink,
) -> Result<Analysis, MediaError> {
    let mut samples = Vec::new();
    for chunk in &plan.samples {
        let trial = |probe: &Probe| {
            let size = probe.encode.size;
            let steps = 40 - u64::try_from(probe.crf.0 / 10).unwrap_or_default();
            let bytes = 4 * u64::from(size.width) * steps;
            let less = if size == plan.size { 0 } else { 10 };
            let score = Score::from_thousandths(1000 * (80 + steps as u32 - less));
            let scores = (0..chunk.frames / 5).map(|_| score).collect();
            Trial { crf: probe.crf, size, bytes, scores }
        };
        let (first_frame, frames) = (chunk.first_frame, chunk.frames);
        let trials = plan.probes.iter().map(trial).collect();
        samples.push(Sample { first_frame, frames, fault: None, trials });
        watch.progress(Progress { of: "analyse".to_owned(), done: frames, total: None });
    }
    Ok(Analysis { samples })
}

pub(super) fn video(
    title: &str,
    order: &VideoOrder,
    fault: Option<What>,
    watch: &dyn ProgressSink,
) -> Result<VideoDone, MediaError> {
    let frames = order.chunk.frames;
    for (encode, path) in &order.encodes {
        let mut stream = video_stream(title, order, encode);
        if fault == Some(What::ShortFile) {
            stream.packets.pop();
        }
        stream.write(path)?;
        let (of, total) = (encode.id.clone(), Some(frames));
        watch.progress(Progress { of, done: frames, total });
    }
    order.stills.iter().try_for_each(|still| write_still(title, still))?;
    let counted = if fault == Some(What::ShortCount) { frames - 1 } else { frames };
    let decoded = if fault == Some(What::LostPicture) { frames - 1 } else { frames };
    Ok(VideoDone {
        frames: counted,
        source_frames: frames,
        decoded_frames: Some(decoded),
        ..VideoDone::default()
    })
}

fn video_stream(title: &str, order: &VideoOrder, encode: &VideoEncode) -> Stream {
    let header = Header {
        title: title.to_owned(),
        kind: StreamKind::Video,
        size: Some(encode.size),
        sample_rate: 0,
        channels: 0,
        unit: order.rate.inverse(),
    };
    let first = order.chunk.first_frame;
    let packet = |number: u64| {
        let key = (number - first).is_multiple_of(encode.gop.0.into());
        Packet { number, key, digest: digest(title, encode, number) }
    };
    Stream { header, packets: (first..first + order.chunk.frames).map(packet).collect() }
}

pub(super) fn audio(
    title: &str,
    order: &AudioOrder,
    watch: &dyn ProgressSink,
) -> Result<AudioDone, MediaError> {
    let encode = &order.encode;
    audio_stream(title, encode).write(&order.path)?;
    let (of, done) = (encode.id.clone(), encode.samples);
    watch.progress(Progress { of, done, total: Some(done) });
    Ok(AudioDone { samples: done, ..AudioDone::default() })
}

fn audio_stream(title: &str, encode: &AudioEncode) -> Stream {
    let header = Header {
        title: title.to_owned(),
        kind: StreamKind::Audio,
        size: None,
        sample_rate: encode.sample_rate,
        channels: encode.channels,
        unit: Ratio::new(FRAME, encode.sample_rate),
    };
    let packet = |number| Packet { number, key: true, digest: digest(title, encode, number) };
    let packets = (0..encode.samples.div_ceil(FRAME.into())).map(packet).collect();
    Stream { header, packets }
}

/// Stands for encoded bytes: depends on what they would depend on.
fn digest(title: &str, settings: &impl Serialize, number: u64) -> String {
    digest_of(&(title, settings, number))[..16].to_owned()
}

fn write_still(title: &str, still: &StillOrder) -> Result<(), Failed> {
    let Size { width, height } = still.size;
    let chroma = 2 * width.div_ceil(2) * height.div_ceil(2);
    let shade = digest(title, &still.filter, still.frame).bytes().fold(0, u8::wrapping_add);
    let picture = vec![shade; (width * height + chroma) as usize];
    fs::write(&still.path, picture).map_err(|error| Failed::from_error("write still", &error))
}

/// What begins and ends like a JPEG, with a shade for each still.
pub(super) fn jpeg(order: &JpegOrder) -> Result<(), MediaError> {
    let fault = |error: std::io::Error| Failed::from_error("write JPEG", &error);
    let mut bytes = vec![0xff, 0xd8];
    for still in &order.stills {
        bytes.extend(fs::read(still).map_err(fault)?.first());
    }
    bytes.extend([0xff, 0xd9]);
    Ok(fs::write(&order.path, bytes).map_err(fault)?)
}
