//! Encoders get what was ordered, or say why not.

use std::sync::Mutex;

use vodmill_av::Libav;
use vodmill_model::outcome::MediaError;
use vodmill_model::transcode::{Progress, Transcode};
use vodmill_model::units::Ratio;

use super::clips::Clips;
use super::orders::{Job, encode};

#[test]
fn an_option_that_the_encoder_does_not_know_is_an_error() {
    let clips = Clips::new();
    let job = Job::new(&clips.plain(), Ratio::new(25, 1));
    let mut order = job.order("r", 0, 10);
    order.encodes[0].0.options.insert("no-such-option".to_owned(), "1".to_owned());
    match encode(&order) {
        Err(MediaError::Failed(failed)) => {
            assert!(failed.cause.contains("no-such-option=1"), "{failed}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_filter_of_another_size_is_an_error() {
    let clips = Clips::new();
    let job = Job::new(&clips.plain(), Ratio::new(25, 1));
    let mut order = job.order("r", 0, 10);
    order.encodes[0].0.filter = "scale=64:64,format=yuv420p".to_owned();
    assert!(matches!(encode(&order), Err(MediaError::Failed(_))));
}

#[test]
fn several_encodes_and_a_picture_filter_come_from_one_decode() {
    let clips = Clips::new();
    let job = Job::new(&clips.plain(), Ratio::new(25, 1));
    let mut order = job.order("a", 0, 20);
    order.decode.picture_filter = "transpose=clock".to_owned();
    let (mut second, path) = order.encodes[0].clone();
    second.id = "other".to_owned();
    order.encodes.push((second, path.with_file_name("b")));
    encode(&order).unwrap();
    assert!(job.rendition("a") == job.rendition("b"));
}

#[test]
fn progress_is_told_of_each_encode_to_its_end() {
    let clips = Clips::new();
    let job = Job::new(&clips.plain(), Ratio::new(25, 1));
    let told = Mutex::new(Vec::new());
    let watch = |progress: Progress| told.lock().unwrap().push(progress);
    Libav.encode_video(&job.order("r", 10, 20), &watch).unwrap();
    let last = told.lock().unwrap().last().cloned().unwrap();
    assert_eq!((last.of.as_str(), last.done, last.total), ("v54", 20, Some(20)));
}

#[test]
fn stills_are_planes_without_padding() {
    let clips = Clips::new();
    let job = Job::new(&clips.plain(), Ratio::new(25, 1));
    let mut order = job.order("r", 0, 5);
    order.stills.truncate(1);
    order.stills[0].filter = "scale=75:43,format=yuvj420p".to_owned();
    (order.stills[0].size.width, order.stills[0].size.height) = (75, 43);
    encode(&order).unwrap();
    assert_eq!(job.read_still("r", 0).len(), 75 * 43 + 2 * 38 * 22);
}
