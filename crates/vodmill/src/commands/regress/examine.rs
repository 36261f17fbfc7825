//! What is in the packages that were made.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, anyhow};
use vodmill_av::Libav;
use vodmill_keys::KeyRing;
use vodmill_model::pipeline::ProofLevel;
use vodmill_model::receipt::{FileFact, HlsFact, Holds, OutputFact, PlaylistFact};
use vodmill_model::transcode::{InspectedStream, Inspection, Media, StreamKind};
use vodmill_model::{AssetDocument, Pipeline, Preset, Receipt, Transcode as _};
use vodmill_pipeline::{Joined, Made, Stop};
use vodmill_regress::baseline::{Bytes, Package, Pictures, Stream};
use vodmill_regress::playlists;

use super::encode::{Encoded, Job, go_on};
use super::measure;

/// Packages by pipeline and clip.
pub type Results = BTreeMap<String, BTreeMap<String, Package>>;

/// Examines and measures everything, several at a time.
pub fn all(encoded: &Encoded, stop: &Stop) -> anyhow::Result<Results> {
    let (results, next) = (Mutex::new(Results::new()), AtomicUsize::new(0));
    let failure = Mutex::new(None);
    let threads = encoded.settings.workers.max(1);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(job) = encoded.jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match go_on(stop).and_then(|()| package(encoded, job)) {
                        Ok(package) => {
                            let mut results = results.lock().unwrap_or_else(|it| it.into_inner());
                            let of_pipeline = results.entry(job.pipeline.clone()).or_default();
                            of_pipeline.insert(job.clip.clone(), package);
                        }
                        Err(error) => {
                            *failure.lock().unwrap_or_else(|it| it.into_inner()) = Some(error)
                        }
                    }
                }
            });
        }
    });
    match failure.into_inner().unwrap_or_else(|it| it.into_inner()) {
        Some(error) => Err(error),
        None => Ok(results.into_inner().unwrap_or_else(|it| it.into_inner())),
    }
}

fn package(encoded: &Encoded, job: &Job) -> anyhow::Result<Package> {
    if let Some(why) = job.failure() {
        return Ok(Package { findings: vec![why], ..Package::default() });
    }
    let about = || format!("examine clip {} of pipeline {}", job.clip, job.pipeline);
    let made = encoded.worker.made(&job.id).with_context(about)?;
    let made = made.ok_or_else(|| anyhow!("its renditions are gone")).with_context(about)?;
    let pipeline = encoded.settings.catalogue.pipelines.get(&job.pipeline);
    let pipeline = pipeline.ok_or_else(|| anyhow!("its pipeline is gone")).with_context(about)?;
    let asset = encoded.published.join(&made.asset);
    let keys = vodmill_pipeline::keys_of(&*encoded.worker.keys(), &asset).with_context(about)?;
    let examiner = Examiner { encoded, made, pipeline, keys, asset: &asset, original: &job.path };
    examiner.package().with_context(about)
}

struct Examiner<'a> {
    encoded: &'a Encoded,
    made: Made,
    pipeline: &'a Pipeline,
    keys: KeyRing,
    asset: &'a Path,
    original: &'a Path,
}

impl Examiner<'_> {
    fn package(&self) -> anyhow::Result<Package> {
        let generation = self.asset.join(self.made.generation.as_str());
        let receipt = Receipt::read(&read(&generation.join("receipt.json"))?)?;
        let mut package = Package { findings: self.findings()?, ..Package::default() };
        for object in &receipt.objects {
            *package.objects.entry(playlists::kind_of(&object.name)).or_default() += 1;
            if object.name.ends_with(".m3u8") {
                let tags = self.tags(&generation.join(&object.name))?;
                package.playlists.insert(object.name.clone(), tags);
            }
        }
        for output in &receipt.outputs {
            match output {
                OutputFact::Hls(hls) => {
                    let multivariant = self.tags(&self.asset.join("index.m3u8"))?;
                    package.playlists.insert("index.m3u8".to_owned(), multivariant);
                    self.playlists(&generation, hls, &receipt, &mut package)?;
                }
                OutputFact::File(file) => self.file(&generation, file, &receipt, &mut package)?,
                OutputFact::Stills(_) => {}
            }
        }
        measure::add(self.original, &self.made, &mut package.streams)?;
        Ok(package)
    }

    /// What `check` finds, everything decoded before.
    fn findings(&self) -> anyhow::Result<Vec<String>> {
        let settings = &self.encoded.settings;
        let level = ProofLevel::Standard;
        let report = vodmill_pipeline::check(settings, self.asset, self.keys.clone(), level)?;
        let findings = report.findings.into_iter();
        Ok(findings.map(|one| format!("{}: {}: {}", one.object, one.code, one.detail)).collect())
    }

    fn tags(&self, playlist: &Path) -> anyhow::Result<BTreeMap<String, String>> {
        let text = String::from_utf8(read(playlist)?).context("a playlist is UTF-8")?;
        Ok(playlists::tags(&text, self.made.generation.as_str()))
    }

    fn playlists(
        &self,
        generation: &Path,
        hls: &HlsFact,
        receipt: &Receipt,
        package: &mut Package,
    ) -> anyhow::Result<()> {
        for fact in &hls.playlists {
            if !matches!(fact.holds, Holds::Video | Holds::Audio) {
                continue;
            }
            let joined = vodmill_pipeline::join(generation, &fact.name, &self.keys)?;
            let inspection = Libav.inspect(Media::Bytes(&joined.media))?;
            let mut stream = stream(&inspection, joined.stored);
            stream.preset = self.ladder_of(&fact.name);
            stream.form.extend(form_of_playlist(fact, &joined, hls.encrypted));
            if fact.holds == Holds::Video {
                add_rate(&mut stream, receipt);
            }
            add_loudness(&mut stream, &self.sounds_of(&fact.name), receipt);
            let folder = fact.name.rsplit_once('/').map_or("", |(folder, _)| folder);
            package.streams.insert(folder.to_owned(), stream);
        }
        Ok(())
    }

    /// Ids of the audio encodes that a playlist holds.
    fn sounds_of(&self, playlist: &str) -> Vec<&str> {
        let Some(hls) = self.made.plan.hls() else { return Vec::new() };
        let is_of = |prefix: &str| playlist.starts_with(&format!("{prefix}/"));
        let variants = hls.variants.iter().filter(|variant| is_of(&variant.prefix));
        let muxed = variants.filter_map(|variant| variant.muxed_audio.as_deref());
        let alone = hls.audio.iter().filter(|sound| is_of(&sound.prefix));
        muxed.chain(alone.map(|sound| sound.audio.as_str())).collect()
    }

    /// The ladder that a playlist is of.
    fn ladder_of(&self, playlist: &str) -> String {
        let variants = self.made.plan.hls().into_iter().flat_map(|hls| &hls.variants);
        let mut variants =
            variants.filter(|variant| playlist.starts_with(&format!("{}/", variant.prefix)));
        let name = variants.next().map(|variant| variant.name.as_str());
        let mut ladders = self.pipeline.ladders();
        let of_rung = name.and_then(|name| ladders.find(|ladder| self.has_rung(ladder, name)));
        of_rung.unwrap_or(&self.pipeline.ladder).clone()
    }

    fn has_rung(&self, ladder: &str, name: &str) -> bool {
        match self.encoded.settings.catalogue.presets.get(ladder) {
            Some(Preset::Ladder(ladder)) => ladder.rungs.iter().any(|rung| rung.name == name),
            _ => false,
        }
    }

    fn file(
        &self,
        generation: &Path,
        fact: &FileFact,
        receipt: &Receipt,
        package: &mut Package,
    ) -> anyhow::Result<()> {
        let path = generation.join(&fact.name);
        let inspection = Libav.inspect(Media::File(&path))?;
        let stored = fs::metadata(&path).with_context(|| format!("look at {}", path.display()))?;
        let mut stream = stream(&inspection, stored.len());
        let plan = self.made.plan.files().find(|file| file.object == fact.name);
        stream.preset = plan.map(|plan| plan.name.clone()).unwrap_or_default();
        let mut tell = |what: &str, value: String| stream.form.insert(what.to_owned(), value);
        tell("codecs", fact.codecs.join(","));
        tell("container", fact.container.as_str().to_owned());
        if let Some(size) = fact.size {
            tell("size", size.to_string());
        }
        let sounds = plan.map(|plan| plan.audio.as_slice()).unwrap_or_default();
        let encodes: Vec<&str> = sounds.iter().map(|sound| sound.audio.as_str()).collect();
        let languages = sounds.iter().map(|sound| sound.language.as_deref().unwrap_or("none"));
        tell("languages", languages.collect::<Vec<_>>().join(", "));
        if fact.size.is_some() {
            add_rate(&mut stream, receipt);
        }
        add_loudness(&mut stream, &encodes, receipt);
        let name = fact.name.strip_prefix("private/").unwrap_or(&fact.name);
        package.streams.insert(name.to_owned(), stream);
        Ok(())
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("read {}", path.display()))
}

fn add_rate(stream: &mut Stream, receipt: &Receipt) {
    if let Some(rate) = receipt.frame_rate {
        stream.form.insert("frame rate".to_owned(), rate.to_string());
    }
}

/// What was done to the loudness of its sounds, where a preset asks for one.
fn add_loudness(stream: &mut Stream, encodes: &[&str], receipt: &Receipt) {
    let levels = receipt.loudness.iter().filter(|sound| encodes.contains(&sound.encode.as_str()));
    let told = levels.map(|sound| format!("{} by {} dB", sound.levels.target, sound.levels.gain));
    let told: Vec<String> = told.collect();
    if !told.is_empty() {
        stream.form.insert("loudness".to_owned(), told.join("; "));
    }
}

/// What media are, whatever they are in.
fn stream(inspection: &Inspection, stored: u64) -> Stream {
    let of_kind = |kind| inspection.streams.iter().filter(move |stream| stream.kind == kind);
    let sum = |kind| of_kind(kind).map(|stream| stream.form.bytes).sum::<u64>();
    let (pictures, sound) = (sum(StreamKind::Video), sum(StreamKind::Audio));
    let packaging = stored.saturating_sub(pictures + sound);
    let mut stream = Stream { bytes: Bytes { pictures, sound, packaging }, ..Stream::default() };
    if let Some(video) = of_kind(StreamKind::Video).next() {
        stream.pictures = Some(Pictures {
            frames: video.packets,
            b: video.form.reordered,
            gop: video.form.longest_gop,
        });
        stream.form.extend(colours(video));
    }
    let sounds: Vec<String> = of_kind(StreamKind::Audio).map(sound_in_words).collect();
    if !sounds.is_empty() {
        stream.form.insert("sound".to_owned(), sounds.join("; "));
    }
    stream
}

fn colours(video: &InspectedStream) -> Vec<(String, String)> {
    let mut told = Vec::new();
    if let Some(format) = &video.form.pixel_format {
        told.push(("pixel format".to_owned(), format.clone()));
    }
    if let Some(colour) = &video.form.colour {
        let range = if colour.full_range { "full" } else { "limited" };
        let names = format!("{}/{}/{}", colour.matrix, colour.primaries, colour.transfer);
        told.push(("colours".to_owned(), names));
        told.push(("colour range".to_owned(), range.to_owned()));
    }
    told
}

fn sound_in_words(sound: &InspectedStream) -> String {
    format!("{} {} Hz {} channels", sound.codec, sound.sample_rate, sound.channels)
}

fn form_of_playlist(
    fact: &PlaylistFact,
    joined: &Joined,
    encrypted: bool,
) -> Vec<(String, String)> {
    let mut told = vec![
        ("codecs", fact.codecs.join(",")),
        ("encryption", if encrypted { "AES-128" } else { "none" }.to_owned()),
        ("segments", durations(&joined.durations)),
    ];
    if let Some(size) = fact.size {
        told.push(("size", size.to_string()));
    }
    if let Some(range) = fact.range {
        told.push(("range of light", format!("{range:?}")));
    }
    if encrypted {
        let from: Vec<String> = joined.keys.iter().map(ToString::to_string).collect();
        told.push(("keys from segment", from.join(", ")));
    }
    told.into_iter().map(|(what, value)| (what.to_owned(), value)).collect()
}

/// Durations in seconds, those that are equal together: `10 of 6 s, 1 of 5.5 s`.
fn durations(micros: &[u64]) -> String {
    let runs = micros.chunk_by(|one, other| one == other);
    let told = runs.map(|run| format!("{} of {} s", run.len(), run[0] as f64 / 1e6));
    told.collect::<Vec<_>>().join(", ")
}

impl Encoded {
    /// Milliseconds of processor time that encoding took, of all jobs together: what several share is
    /// counted once.
    pub fn cpu_ms(&self) -> u64 {
        let descriptions = self.jobs.iter().filter_map(|job| {
            let asset = job.outcome.asset.as_deref()?;
            let path = self.published.join(asset).join("asset.json");
            AssetDocument::read(&fs::read(path).ok()?).ok()
        });
        descriptions.filter_map(|it| it.publication.encode_cpu_ms).sum()
    }
}
