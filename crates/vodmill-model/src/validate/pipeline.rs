//! Checks of pipelines, with the presets that they name.

use std::collections::BTreeSet;

use super::url::is_http_url;
use super::{Report, notify, quality, sound};
use crate::catalogue::Catalogue;
use crate::pipeline::{Container, Delivery, Encryption, Lifecycle, Pipeline, Thumbnails};
use crate::preset::{HdrPolicy, Ladder, Preset, Speed, VideoCodec};

/// What may stand in a key's URI.
const PLACEHOLDERS: [&str; 3] = ["kid", "asset", "generation"];

pub(super) fn check(pipeline: &Pipeline, catalogue: &Catalogue, report: &mut Report<'_>) {
    let nothing = pipeline.ladder.is_empty() && pipeline.file_presets().next().is_none();
    let message = "nothing would be made: set `ladder`, or name presets in `mp4` or `files`";
    report.expect(!nothing, "", message);
    check_presets(pipeline, catalogue, report);
    check_lengths(pipeline, catalogue, report);
    check_folders(pipeline, report);
    check_input(pipeline, report);
    sound::check(&pipeline.input.audio, report);
    if let Some(encryption) = &pipeline.encryption {
        check_encryption(encryption, pipeline, report);
    }
    if let Some(delivery) = &pipeline.delivery {
        check_delivery(delivery, report);
    }
    if let Some(lifecycle) = &pipeline.lifecycle {
        check_lifecycle(lifecycle, pipeline, report);
    }
    if let Some(thumbnails) = &pipeline.thumbnails {
        check_thumbnails(thumbnails, report);
    }
    check_audience(pipeline, catalogue, report);
    notify::check(&pipeline.notify, report);
    if let Some(invalidation) = &pipeline.invalidation {
        notify::check_invalidation(invalidation, report);
    }
}

fn check_audience(pipeline: &Pipeline, catalogue: &Catalogue, report: &mut Report<'_>) {
    if let Some(audience) = &pipeline.audience {
        let message = "must be at least 1: remove the table where nobody watches";
        report.expect(audience.expected_views > 0, "audience.expected_views", message);
        return;
    }
    for name in pipeline.ladders().chain(pipeline.file_presets()) {
        let speed = match catalogue.presets.get(name) {
            Some(Preset::Ladder(ladder)) => Some(ladder.video.speed),
            Some(Preset::Mp4(file) | Preset::File(file)) => {
                file.video.as_ref().map(|video| video.common.speed)
            }
            None => None,
        };
        let message = format!(
            "preset {name:?} has speed = \"auto\": say here who watches (expected_views, region), or name a speed there"
        );
        report.expect(speed != Some(Speed::Auto), "audience", message);
    }
}

fn check_presets(pipeline: &Pipeline, catalogue: &Catalogue, report: &mut Report<'_>) {
    let wrong = |name: &str, kind: &str| match catalogue.presets.contains_key(name) {
        true => format!("preset {name:?} is not of kind {kind}: name one that is"),
        false => format!("there is no presets/{name}.toml: correct the name, or add the file"),
    };
    let more = pipeline.more_ladders.iter().enumerate();
    let more = more.map(|(number, name)| (format!("more_ladders[{number}]"), name));
    let named =
        [("ladder".to_owned(), &pipeline.ladder), ("hdr_ladder".to_owned(), &pipeline.hdr_ladder)];
    for (path, name) in named.into_iter().chain(more) {
        let right = name.is_empty() || catalogue.ladder(name).is_some();
        report.expect(right, path, wrong(name, "ladder"));
    }
    if let Some(target) = pipeline.quality {
        match catalogue.ladder(&pipeline.ladder) {
            Some(ladder) => quality::check(target, ladder, "quality", report),
            None => report.add("quality", "there is no `ladder` that it is for: remove it"),
        }
    }
    check_ladders(pipeline, catalogue, report);
    for (number, name) in pipeline.file_presets().enumerate() {
        let (path, kind, right) = match number.checked_sub(pipeline.mp4.len()) {
            None => (format!("mp4[{number}]"), "mp4", is_mp4(catalogue, name)),
            Some(number) => (format!("files[{number}]"), "file", catalogue.file(name).is_some()),
        };
        report.expect(right, path.clone(), wrong(name, kind));
        let once = !pipeline.file_presets().take(number).any(|other| other == name);
        report.expect(once, path, format!("{name:?} is named twice: remove one"));
    }
}

fn is_mp4(catalogue: &Catalogue, name: &str) -> bool {
    matches!(catalogue.presets.get(name), Some(Preset::Mp4(_)))
}

fn check_ladders(pipeline: &Pipeline, catalogue: &Catalogue, report: &mut Report<'_>) {
    let ladders: Vec<&Ladder> =
        pipeline.ladders().filter_map(|name| catalogue.ladder(name)).collect();
    check_container(pipeline, &ladders, report);
    let main = catalogue.ladder(&pipeline.ladder);
    if let Some(hdr) = catalogue.ladder(&pipeline.hdr_ladder) {
        check_hdr(main, hdr, report);
        check_beside(main, hdr, "hdr_ladder", report);
    }
    for (number, name) in pipeline.more_ladders.iter().enumerate() {
        let Some(ladder) = catalogue.ladder(name) else { continue };
        let path = format!("more_ladders[{number}]");
        let before = pipeline.more_ladders.iter().take(number);
        let before = before.filter_map(|name| catalogue.ladder(name)).chain(main);
        check_codec(ladder, before, &path, report);
        check_beside(main, ladder, &path, report);
    }
    check_rung_names(pipeline, catalogue, report);
}

fn keeps(ladder: &Ladder) -> bool {
    ladder.video.hdr == HdrPolicy::Keep
}

fn check_hdr(main: Option<&Ladder>, hdr: &Ladder, report: &mut Report<'_>) {
    let path = "hdr_ladder";
    let message = "its preset does not keep high dynamic range: set hdr = \"keep\" there";
    report.expect(main.is_none() || keeps(hdr), path, message);
    let message =
        "`ladder` keeps high dynamic range itself: use one that does not, or only that one";
    report.expect(!main.is_some_and(keeps), path, message);
}

/// One of `more_ladders`: the same range as `ladder`, in another codec than all `before` it.
fn check_codec<'a>(
    ladder: &Ladder,
    mut before: impl Iterator<Item = &'a Ladder>,
    path: &str,
    report: &mut Report<'_>,
) {
    let message = "its preset keeps high dynamic range: name it as `hdr_ladder`";
    report.expect(!keeps(ladder), path, message);
    let again = before.any(|other| other.video.codec == ladder.video.codec);
    let message = "another ladder has its codec: one ladder for each, add the rungs to that one";
    report.expect(!again, path, message);
}

/// What a ladder has in common with the one that it stands beside.
fn check_beside(main: Option<&Ladder>, ladder: &Ladder, path: &str, report: &mut Report<'_>) {
    let Some(main) = main else {
        let message = "there is no `ladder` for it to stand beside: name it there";
        return report.add(path, message);
    };
    let equal = main.video.gop_seconds == ladder.video.gop_seconds && main.audio == ladder.audio;
    let message = "gop_seconds or [audio] differ from those of `ladder`: all rungs of a playlist are \
                   cut at the same pictures and have the same sound; set them alike";
    report.expect(equal, path, message);
}

fn check_rung_names(pipeline: &Pipeline, catalogue: &Catalogue, report: &mut Report<'_>) {
    let mut taken = BTreeSet::new();
    for name in pipeline.ladders() {
        let Some(ladder) = catalogue.ladder(name) else { continue };
        let path = match pipeline.more_ladders.iter().position(|more| more == name) {
            Some(number) => format!("more_ladders[{number}]"),
            None => "hdr_ladder".to_owned(),
        };
        for rung in ladder.rungs.iter().filter(|rung| taken.contains(&rung.name)) {
            let message = format!("two ladders have a rung {:?}: rename one", rung.name);
            report.add(path.clone(), message);
        }
        taken.extend(ladder.rungs.iter().map(|rung| &rung.name));
    }
}

fn check_container(pipeline: &Pipeline, ladders: &[&Ladder], report: &mut Report<'_>) {
    let modern = ladders.iter().find_map(|ladder| match ladder.video.codec {
        VideoCodec::Hevc => Some("HEVC"),
        VideoCodec::Av1 => Some("AV1"),
        VideoCodec::H264 | VideoCodec::Vp9 => None,
    });
    let Some(codec) = modern else { return };
    let message = format!(
        "\"ts\" is not for {codec}: players take it in fMP4 only; set container = \"fmp4\""
    );
    report.expect(pipeline.hls.container == Container::Fmp4, "hls.container", message);
}

fn check_lengths(pipeline: &Pipeline, catalogue: &Catalogue, report: &mut Report<'_>) {
    let segment = pipeline.hls.segment_seconds;
    report.within(segment, 1..=60, "hls.segment_seconds");
    if let Some(ladder) = catalogue.ladder(&pipeline.ladder) {
        let gop = ladder.video.gop_seconds.max(1);
        let message = format!(
            "{segment} is no multiple of gop_seconds = {gop} in presets/{}.toml: segments are \
             whole groups of pictures, use a multiple of {gop}",
            pipeline.ladder
        );
        report.expect(segment.is_multiple_of(gop), "hls.segment_seconds", message);
    }
    let chunk = pipeline.chunk_seconds;
    let message = format!("{chunk} is shorter than a segment: set it to {segment} or more");
    report.expect(chunk >= segment, "chunk_seconds", message);
    report.expect(chunk <= 3600, "chunk_seconds", "set it to 3600 (an hour) at most");
}

fn check_folders(pipeline: &Pipeline, report: &mut Report<'_>) {
    let Pipeline { inbox, done, rejected, destination, .. } = pipeline;
    let message = "set a folder, as \"published\"";
    report.expect(!destination.trim().is_empty(), "destination", message);
    for (path, folder) in
        [("inbox", inbox), ("done", done), ("rejected", rejected), ("destination", destination)]
    {
        let message = format!("{folder:?} climbs with \"..\": write the folder itself");
        report.expect(!folder.split(['/', '\\']).any(|part| part == ".."), path, message);
    }
    let events = &pipeline.events;
    let message = format!("{events:?} is no URL of a queue: write it whole, with https://");
    report.expect(events.is_empty() || is_http_url(events), "events", message);
}

fn check_input(pipeline: &Pipeline, report: &mut Report<'_>) {
    let input = &pipeline.input;
    report.within(input.damaged_per_mille, 0..=1000, "input.damaged_per_mille");
    report.within(input.max_duration_seconds, 1..=7 * 86_400, "input.max_duration_seconds");
    report.within(input.max_gap_seconds, 1..=3600, "input.max_gap_seconds");
    let sane = (256..=16_384 * 16_384).contains(&input.max_pixels);
    report.expect(sane, "input.max_pixels", "set it to 256 to 268435456 (16384 x 16384)");
}

fn check_encryption(encryption: &Encryption, pipeline: &Pipeline, report: &mut Report<'_>) {
    report.within(encryption.segments_per_key, 1..=100_000, "encryption.segments_per_key");
    let message = "there is no HLS to encrypt: set `ladder`, or remove [encryption]";
    report.expect(!pipeline.ladder.is_empty(), "encryption", message);
    let uri = &encryption.key_uri;
    let path = "encryption.key_uri";
    let message =
        format!("{uri:?} is no URL: write it whole, as \"https://keys.example/k/{{kid}}\"");
    report.expect(is_http_url(&uri.replace(['{', '}'], "")), path, message);
    let before_query = uri.split(['?', '#']).next().unwrap_or(uri);
    let last = before_query.rsplit('/').next().unwrap_or(before_query);
    let message = "put {kid} into the last part of the path: it tells the keys apart";
    report.expect(last.contains("{kid}"), path, message);
    for unknown in placeholders(uri).into_iter().filter(|name| !PLACEHOLDERS.contains(name)) {
        let message = format!("{{{unknown}}} is unknown: use {{kid}}, {{asset}}, {{generation}}");
        report.add(path, message);
    }
}

fn check_delivery(delivery: &Delivery, report: &mut Report<'_>) {
    let url = &delivery.base_url;
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let odd = |c: char| !c.is_ascii_graphic() || "\"\\<>^`{|}?#*@".contains(c);
    let whole = rest.is_some_and(|rest| !rest.starts_with(['/', ':']) && !rest.is_empty());
    let message = format!(
        "{url:?} is no URL that assets can stand below: write it whole, without a query and a slash \
         at its end, as \"https://cdn.example/tv\""
    );
    let right = whole && !url.contains(odd) && !url.ends_with('/');
    report.expect(right, "delivery.base_url", message);
}

fn check_lifecycle(lifecycle: &Lifecycle, pipeline: &Pipeline, report: &mut Report<'_>) {
    let in_bucket = pipeline.destination.starts_with("s3://");
    let message =
        "`destination` is a folder, where nothing has a storage class: remove [lifecycle]";
    report.expect(in_bucket, "lifecycle", message);
    let Lifecycle { cheaper_class: class, cheaper_after_days: days, .. } = lifecycle;
    let known = Lifecycle::CLASSES.iter().find(|(name, _)| name == class);
    let names = Lifecycle::CLASSES.map(|(name, _)| name).join(", ");
    let message = format!("{class:?} is not one that viewers can be served from: use {names}");
    report.expect(class.is_empty() || known.is_some(), "lifecycle.cheaper_class", message);
    let least = known.map_or(1, |(_, days)| *days);
    report.within(*days, least..=36_500, "lifecycle.cheaper_after_days");
    // What is smaller is billed as 128 KiB in these classes.
    report.within(lifecycle.larger_than_kib, 128..=1_048_576, "lifecycle.larger_than_kib");
    report.within(lifecycle.abort_uploads_days, 1..=365, "lifecycle.abort_uploads_days");
    let tagged = pipeline.objects.tags.contains_key(Lifecycle::MEDIA.0);
    let message = "this tag tells media from playlists for the bucket: use another name";
    report.expect(class.is_empty() || !tagged, "objects.tags.vodmill", message);
}

/// What stands in braces; a brace that is left open counts as well.
fn placeholders(uri: &str) -> Vec<&str> {
    uri.split('{').skip(1).map(|rest| rest.split('}').next().unwrap_or(rest)).collect()
}

fn check_thumbnails(thumbnails: &Thumbnails, report: &mut Report<'_>) {
    report.within(thumbnails.poster_percent, 0..=100, "thumbnails.poster_percent");
    report.within(thumbnails.poster_width, 16..=8192, "thumbnails.poster_width");
    report.within(thumbnails.storyboard_seconds, 0..=3600, "thumbnails.storyboard_seconds");
    report.within(thumbnails.tile_width, 16..=640, "thumbnails.tile_width");
    report.within(thumbnails.columns, 1..=20, "thumbnails.columns");
    report.within(thumbnails.rows, 1..=20, "thumbnails.rows");
    // JPEG sides are 16 bits (ITU-T T.81, B.2.2); a portrait tile is higher than it is wide.
    let across = u64::from(thumbnails.columns) * u64::from(thumbnails.tile_width);
    let message = format!("a sheet would be {across} wide: fewer columns, or narrower tiles");
    report.expect(across <= 16_384, "thumbnails.columns", message);
}
