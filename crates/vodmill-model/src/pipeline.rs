//! Pipelines: from an inbox to a destination. One TOML file each, in `pipelines/`.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::audience::Audience;
use crate::audio_map::AudioInput;
use crate::notify::{Invalidation, Notify};
use crate::preset::QualityTarget;

/// A file in `pipelines/`. Its name is the file's name without `.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Pipeline {
    /// What it is for, in a sentence.
    pub description: String,
    /// Where originals are dropped into: a folder, or `s3://BUCKET/PREFIX`;
    /// `inbox/<name of the pipeline>` when empty.
    pub inbox: String,
    /// Where originals go after publication; `done` beside the inbox's files when empty.
    pub done: String,
    /// Where refused originals go, each with its reason; `rejected` in the inbox when empty.
    pub rejected: String,
    /// Storage class of published originals in a bucket, as `GLACIER_IR`; the bucket's when empty.
    pub done_class: String,
    /// URL of the SQS queue that the inbox's bucket sends its events to; without one, the bucket is
    /// listed every `list_seconds`.
    pub events: String,
    /// Where packages are published: a folder, or `s3://BUCKET/PREFIX`.
    pub destination: String,
    /// How published objects are kept in a bucket.
    pub objects: ObjectOptions,
    /// What becomes of published media in a bucket as it grows old; without this table it stays as it
    /// is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<Lifecycle>,
    /// Where viewers fetch what is published; without this table, vodmill does not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// Name of the ladder preset for HLS; empty for no HLS.
    pub ladder: String,
    /// What pictures of `ladder` are to look like, in place of what the preset says: `"fixed"`, or a
    /// VMAF score from 70 to 99.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<QualityTarget>,
    /// Name of a second ladder, which keeps high dynamic range: where the original has it, its rungs
    /// stand beside those of `ladder` in one multivariant playlist; empty for none.
    pub hdr_ladder: String,
    /// Names of further ladders, each in another codec: their rungs stand beside those of `ladder` in one
    /// multivariant playlist, and players take the one that costs them the fewest bytes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub more_ladders: Vec<String>,
    /// Names of MP4 presets.
    pub mp4: Vec<String>,
    /// Names of presets of files for download, of any container.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// HLS packaging.
    pub hls: HlsSettings,
    /// AES-128 encryption of HLS segments; without this table they are clear.
    pub encryption: Option<Encryption>,
    /// Poster and storyboard; without this table there are none.
    pub thumbnails: Option<Thumbnails>,
    /// How deeply a package is proved before it is published.
    pub proof: ProofLevel,
    /// What is accepted.
    pub input: InputPolicy,
    /// Longest piece of work and loss, in seconds; rounded to whole segments.
    pub chunk_seconds: u32,
    /// Who is told of its jobs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<Notify>,
    /// Who is expected to watch; needed where a preset has `speed = "auto"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<Audience>,
    /// Whose caches drop the pointer of an asset that is published again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invalidation: Option<Invalidation>,
}

impl Pipeline {
    /// Names of all presets of files for download.
    pub fn file_presets(&self) -> impl Iterator<Item = &String> {
        self.mp4.iter().chain(&self.files)
    }

    /// Names of all ladders, in the order of the playlist.
    pub fn ladders(&self) -> impl Iterator<Item = &String> {
        let all = [&self.ladder].into_iter().chain(&self.more_ladders).chain([&self.hdr_ladder]);
        all.filter(|name| !name.is_empty())
    }

    /// As far as it decides what is made, and where: a job stays the same when others are told of it,
    /// viewers fetch it from another address, or it moves to another storage class in time.
    pub fn identity(&self) -> Pipeline {
        Pipeline {
            lifecycle: None,
            delivery: None,
            notify: Vec::new(),
            invalidation: None,
            ..self.clone()
        }
    }
}

impl Default for Pipeline {
    fn default() -> Pipeline {
        Pipeline {
            description: String::new(),
            inbox: String::new(),
            done: String::new(),
            rejected: String::new(),
            done_class: String::new(),
            events: String::new(),
            objects: ObjectOptions::default(),
            lifecycle: None,
            delivery: None,
            destination: "published".to_owned(),
            ladder: "hls".to_owned(),
            quality: None,
            hdr_ladder: String::new(),
            more_ladders: Vec::new(),
            mp4: Vec::new(),
            files: Vec::new(),
            hls: HlsSettings::default(),
            encryption: None,
            thumbnails: None,
            proof: ProofLevel::Standard,
            input: InputPolicy::default(),
            chunk_seconds: 60,
            notify: Vec::new(),
            audience: None,
            invalidation: None,
        }
    }
}

/// How deeply a package is proved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProofLevel {
    /// Every object hashed, every key tried, every packet of every segment counted and timed.
    #[default]
    Standard,
    /// As standard, and every segment and MP4 decoded whole.
    Full,
}

/// How objects are kept in a bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ObjectOptions {
    /// Storage class, as `STANDARD_IA`; the bucket's when empty.
    pub storage_class: String,
    /// Tags of every object.
    pub tags: BTreeMap<String, String>,
    /// Encryption by the server; the bucket's without it.
    pub sse: Option<ServerSideEncryption>,
    /// Key for `aws:kms`; the account's when empty.
    pub kms_key: String,
}

/// What becomes of published media in a bucket as it grows old: segments and MP4 files, and not what
/// leads to them. The bucket does it by rules that `vodmill lifecycle` writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Lifecycle {
    /// Storage class that it moves to: one that is read at once, as `STANDARD_IA`; none when empty.
    pub cheaper_class: String,
    /// Days after publication.
    pub cheaper_after_days: u32,
    /// Only objects of more KiB than this.
    pub larger_than_kib: u32,
    /// Days after which uploads that were never finished are aborted.
    pub abort_uploads_days: u32,
}

impl Default for Lifecycle {
    fn default() -> Lifecycle {
        Lifecycle {
            cheaper_class: String::new(),
            cheaper_after_days: 90,
            larger_than_kib: 128,
            abort_uploads_days: 7,
        }
    }
}

impl Lifecycle {
    /// Storage classes that media may move to, and the days before which S3 moves nothing there.
    pub const CLASSES: [(&str, u32); 4] =
        [("STANDARD_IA", 30), ("ONEZONE_IA", 30), ("INTELLIGENT_TIERING", 1), ("GLACIER_IR", 1)];

    /// The tag by which the bucket's rule tells media from what leads to it.
    pub const MEDIA: (&str, &str) = ("vodmill", "media");
}

/// Where viewers fetch what is published. It changes no byte of a package, and so no job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// URL of the destination at the CDN, as `https://d111111abcdef8.cloudfront.net/tv`: assets are
    /// right below it.
    pub base_url: String,
}

/// Encryption at rest, by the server of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ServerSideEncryption {
    /// With keys of the store's own.
    #[serde(rename = "AES256")]
    Aes256,
    /// With a key of the Key Management Service.
    #[serde(rename = "aws:kms")]
    Kms,
}

/// HLS packaging.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HlsSettings {
    /// Container of segments.
    pub container: Container,
    /// Target length of a segment in seconds; a whole number of groups of pictures.
    pub segment_seconds: u32,
    /// Where sound goes. Several languages are always a group.
    pub audio: AudioPlacement,
    /// Whether to write I-frame playlists for fast seeking.
    pub iframes: bool,
    /// Whether to publish text subtitles as WebVTT.
    pub subtitles: bool,
}

impl Default for HlsSettings {
    fn default() -> HlsSettings {
        HlsSettings {
            container: Container::Ts,
            segment_seconds: 6,
            audio: AudioPlacement::Muxed,
            iframes: true,
            subtitles: true,
        }
    }
}

/// Container of HLS segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Container {
    /// MPEG-2 transport stream (RFC 8216, 3.2).
    Ts,
    /// Fragmented MP4 (RFC 8216, 3.3), CMAF.
    Fmp4,
}

/// Where the sound of an HLS package goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AudioPlacement {
    /// In the segments of every rung.
    Muxed,
    /// In playlists of its own, stored and sent once for all rungs.
    Group,
}

/// AES-128 encryption (RFC 8216, 4.3.2.4 and 5.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Encryption {
    /// Where players fetch a key: must hold `{kid}` in its last part; may hold `{asset}` and
    /// `{generation}`. When empty, the local server: `/k/{kid}` at `listen` of `vodmill.toml`.
    pub key_uri: String,
    /// Segments from one new key to the next, the same in all rungs.
    pub segments_per_key: u32,
    /// Seconds for which a player may keep a key (`Cache-Control: private, max-age=N`); without it
    /// the key server answers `private, no-store`, and players that fetch the key of each segment ask
    /// each time. Counts for keys that are made from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_max_age: Option<u32>,
}

impl Default for Encryption {
    fn default() -> Encryption {
        Encryption { key_uri: String::new(), segments_per_key: 10, key_max_age: None }
    }
}

impl Encryption {
    /// What `key_uri` is of the key server at `listen`, for players on the same machine.
    pub fn key_uri_at(listen: SocketAddr) -> String {
        let ip = match listen.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        format!("http://{}/k/{{kid}}", SocketAddr::new(ip, listen.port()))
    }
}

/// Poster and storyboard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Thumbnails {
    /// Where the poster is taken, in per cent of the duration.
    pub poster_percent: u32,
    /// Largest width of the poster in pixels.
    pub poster_width: u32,
    /// Seconds from one storyboard picture to the next; 0 for no storyboard.
    pub storyboard_seconds: u32,
    /// Width of a storyboard picture in pixels.
    pub tile_width: u32,
    /// Pictures across a storyboard sheet.
    pub columns: u32,
    /// Pictures down a storyboard sheet.
    pub rows: u32,
}

impl Default for Thumbnails {
    fn default() -> Thumbnails {
        Thumbnails {
            poster_percent: 10,
            poster_width: 1280,
            storyboard_seconds: 5,
            tile_width: 160,
            columns: 5,
            rows: 5,
        }
    }
}

/// What is accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct InputPolicy {
    /// What to do about media with damage beyond `damaged_per_mille`.
    pub damage: DamagePolicy,
    /// Damaged frames in a thousand that are concealed, and stated as a repair, without asking.
    pub damaged_per_mille: u32,
    /// What to do about a file that was cut off.
    pub truncated: DamagePolicy,
    /// Most pixels in a coded picture.
    pub max_pixels: u64,
    /// Longest programme in seconds.
    pub max_duration_seconds: u32,
    /// Longest hole in the timestamps, in seconds, that is filled with the picture before it.
    pub max_gap_seconds: u32,
    /// What to do about a photograph: an image file, which has no time.
    #[serde(skip_serializing_if = "StillPolicy::is_default")]
    pub stills: StillPolicy,
    /// Which sounds an original holds; found out where nothing is said.
    #[serde(skip_serializing_if = "AudioInput::is_default")]
    pub audio: AudioInput,
}

impl Default for InputPolicy {
    fn default() -> InputPolicy {
        InputPolicy {
            damage: DamagePolicy::Refuse,
            damaged_per_mille: 1,
            truncated: DamagePolicy::Refuse,
            max_pixels: 8192 * 4320,
            max_duration_seconds: 24 * 3600,
            max_gap_seconds: 60,
            stills: StillPolicy::Refuse,
            audio: AudioInput::default(),
        }
    }
}

/// What to do about damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DamagePolicy {
    /// Refuse the file.
    Refuse,
    /// Publish what there is, with the repair stated.
    Repair,
}

/// What to do about a photograph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StillPolicy {
    /// Refuse it.
    #[default]
    Refuse,
    /// Publish it as a film of one picture.
    Publish,
}

impl StillPolicy {
    /// A pipeline that does not speak of it stays the same: jobs are known by it.
    fn is_default(&self) -> bool {
        *self == StillPolicy::default()
    }
}
