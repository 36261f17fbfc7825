//! What is known of each chunk before it is encoded.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{catalogue, fixture, plan_of};
use vodmill_model::Plan;
use vodmill_model::media::{MediaInfo, SeekPoint};

/// Units of the fixture's clock in a second.
const SECOND: i64 = 12_800;

/// 48 s of 1080p at 25 frames a second, with a key frame every four.
fn original() -> MediaInfo {
    let mut media = fixture("plain-1080p25");
    let track = &mut media.video[0];
    track.packets = 48 * 25;
    track.last = 48 * SECOND - 512;
    let point = |at: u64| SeekPoint { pts: at as i64 * SECOND, packet: at * 25 };
    track.seek_points = (0..48).step_by(4).map(point).collect();
    media.declared_duration = None;
    media.audio.clear();
    media
}

fn plan(media: &MediaInfo) -> Plan {
    plan_of(media, &catalogue(), "default").unwrap()
}

fn bytes(media: &MediaInfo) -> Vec<u64> {
    plan(media).chunks.iter().map(|chunk| chunk.source_bytes).collect()
}

#[test]
fn bytes_of_the_source_are_shared_out_to_the_chunks_by_time() {
    let mut media = original();
    assert_eq!(bytes(&media), [0; 4], "nobody counted");
    media.video[0].seek_bytes = vec![1, 2, 4, 10, 20, 40, 100, 200, 400, 1000, 2000, 4000];
    assert_eq!(bytes(&media), [7, 70, 700, 7000]);
    let track = &mut media.video[0];
    track.seek_points = [0, 9, 30].map(|at| SeekPoint { pts: at * SECOND, packet: 0 }).into();
    track.seek_bytes = vec![90, 2100, 900];
    assert_eq!(bytes(&media), [390, 1200, 900, 600], "as if evenly between key frames");
}

#[test]
fn what_is_absurd_about_bytes_harms_nobody() {
    let mut media = original();
    media.video[0].seek_bytes = vec![u64::MAX; 12];
    assert_eq!(bytes(&media).len(), 4);
    media.video[0].seek_points.truncate(3);
    assert_eq!(bytes(&media).len(), 4);
    media.video[0].seek_points.clear();
    assert_eq!(bytes(&media), [0; 4]);
}

#[test]
fn renditions_do_not_depend_on_the_bytes_of_the_source() {
    let mut media = original();
    let without = plan(&media);
    media.video[0].seek_bytes = vec![1; 12];
    let with = plan(&media);
    assert_ne!(with.chunks, without.chunks);
    let named = |plan: &Plan| plan.video_rendition(&plan.video[0], &plan.chunks[1]);
    assert_eq!(named(&with), named(&without));
}
