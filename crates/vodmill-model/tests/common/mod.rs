//! What the tests share: the committed presets and pipelines, and the fixtures.
#![allow(dead_code, clippy::unwrap_used, reason = "each test file takes a part of it")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use vodmill_model::pipeline::Encryption;
use vodmill_model::plan::Build;
use vodmill_model::{Catalogue, JobSpec, MediaInfo, Pipeline, Plan, PlanInput, Rejected, plan};

pub fn manifest_path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// The catalogue as it is shipped, with the local server where it is unless said.
pub fn catalogue() -> Catalogue {
    let mut pipelines: BTreeMap<String, Pipeline> = folder(&manifest_path("../../pipelines"));
    for encryption in pipelines.values_mut().filter_map(|pipeline| pipeline.encryption.as_mut()) {
        encryption.key_uri = Encryption::key_uri_at(([127, 0, 0, 1], 8480).into());
    }
    Catalogue { pipelines, presets: folder(&manifest_path("../../presets")) }
}

/// The same with the pipeline that keeps high dynamic range beside SDR, `hdr`, and one that makes
/// HEVC of everything, `hevc`.
pub fn catalogue_with_hdr() -> Catalogue {
    let mut catalogue = catalogue();
    let text = std::fs::read_to_string(manifest_path("../../docs/examples/pipelines/hdr.toml"));
    let hdr: Pipeline = toml::from_str(&text.unwrap()).unwrap();
    let hevc = Pipeline {
        ladder: "hls-hdr".to_owned(),
        hdr_ladder: String::new(),
        mp4: vec!["tv-hdr".to_owned()],
        ..hdr.clone()
    };
    catalogue.pipelines.insert("hdr".to_owned(), hdr);
    catalogue.pipelines.insert("hevc".to_owned(), hevc);
    catalogue
}

/// The catalogue with the pipeline that makes AV1 beside H.264, `av1`.
pub fn catalogue_with_av1() -> Catalogue {
    let mut catalogue = catalogue();
    let text = std::fs::read_to_string(manifest_path("../../docs/examples/pipelines/av1.toml"));
    catalogue.pipelines.insert("av1".to_owned(), toml::from_str(&text.unwrap()).unwrap());
    catalogue
}

fn folder<T: DeserializeOwned>(folder: &Path) -> BTreeMap<String, T> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            (name, toml::from_str(&text).unwrap_or_else(|error| panic!("{path:?}: {error}")))
        })
        .collect()
}

pub fn fixture_names() -> Vec<String> {
    let files = std::fs::read_dir(manifest_path("tests/fixtures")).unwrap();
    let name = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let mut names: Vec<String> = files.map(|entry| name(entry.unwrap().path())).collect();
    names.sort();
    names
}

pub fn fixture(name: &str) -> MediaInfo {
    let path = manifest_path(&format!("tests/fixtures/{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

pub fn build() -> Build {
    let encoders = ["libmp3lame", "libopus", "libsvtav1", "libvpx-vp9"].map(|name| (name, "0"));
    Build {
        vodmill: "0".to_owned(),
        libav: "0".to_owned(),
        encoders: encoders.map(|(name, version)| (name.to_owned(), version.to_owned())).into(),
    }
}

pub fn plan_of(media: &MediaInfo, catalogue: &Catalogue, pipeline: &str) -> Result<Plan, Rejected> {
    let build = build();
    let template = catalogue.pipeline(pipeline).unwrap();
    let spec = JobSpec::of_pipeline(pipeline, template, &catalogue.presets)?;
    plan(&PlanInput { media, spec: &spec, analysis: None, build: &build })
}
