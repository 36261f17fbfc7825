//! F20: jobs that are cancelled at one step after the other leave nothing.

use vodmill_tests::product::{Daemon, Passes, tree, wait_until};
use vodmill_tests::services::{Cloud, Postgres};

use super::buckets::{Bucket, make_loud_clip};
use super::lane::{Lane, PATIENCE};
use super::round::Way;
use super::{make_clip, side_by_side};

/// Steps of a job, at each of which there is more to be removed. After the last look at the lease it is
/// too late: what is published then stays.
const LOCAL: [&str; 9] = [
    "plan.probed",
    "plan.named",
    "rendition.written",
    "rendition.stored",
    "segments.made",
    "store.files.renamed",
    "segments.stored",
    "package.proved",
    "package.stored",
];

/// The same for buckets.
const REMOTE: [&str; 6] = [
    "s3.put.sent",
    "s3.upload.begun",
    "s3.part.sent",
    "s3.upload.filled",
    "s3.upload.joined",
    "package.stored",
];

#[test]
fn f20_cancelled_at_any_step_nothing_is_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let clip = folder.path().join("film.mp4");
    make_clip(&clip);
    side_by_side(
        4,
        LOCAL.to_vec(),
        |_| Lane::new(&clip, true),
        |lane, point| cancel_at(lane, point),
    );
}

#[test]
fn f20_cancelled_at_any_step_nothing_is_left_in_a_bucket() {
    let folder = tempfile::tempdir().expect("a folder");
    let clip = folder.path().join("film.mp4");
    make_loud_clip(&clip);
    let (cloud, postgres) = (Cloud::seaweedfs(), Postgres::shared());
    let lane = |number| Lane::in_bucket(&clip, Bucket::make(&cloud, &postgres, number, false));
    side_by_side(2, REMOTE.to_vec(), lane, |lane, point| cancel_at(lane, point));
}

/// Cancels a job while it stands at a point, for as long as it takes to do so.
fn cancel_at(lane: &mut Lane<'_>, point: &str) {
    lane.prepare(Way::Plain);
    let passes = Passes::order(&mut lane.home, &format!("{point}=delay:6000"));
    let mut daemon = Daemon::start(&lane.home, &[]);
    Passes::end(&mut lane.home);
    wait_until(point, PATIENCE, || {
        passes.read().iter().any(|pass| pass.point == point).then_some(())
    });
    let job = lane.home.jobs().remove(0);
    let cancelled = lane.home.vodmill(&["jobs", "cancel", job["id"].as_str().expect("an id")]);
    assert_eq!(cancelled.code, 0, "{cancelled:?}");
    wait_until("the job is settled", PATIENCE, || daemon.log().contains("job ended").then_some(()));
    daemon.terminate();
    daemon.ended(PATIENCE);
    lane.sweep();
    assert_eq!(lane.home.jobs()[0]["state"], "cancelled");
    assert_eq!(lane.left_of_nothing(), [""; 0], "left of a job that was cancelled");
}

impl Lane<'_> {
    /// What is there besides the original, where nothing was published.
    fn left_of_nothing(&self) -> Vec<String> {
        let mut left = self.left_over(Way::Plain);
        left.retain(|name| name != "film.mp4" && name != "inbox/film.mp4");
        let mut published: Vec<_> = tree(&self.home.at("published")).into_keys().collect();
        if let Some(bucket) = &self.bucket {
            published.extend(bucket.published());
        }
        left.append(&mut published);
        left.retain(|name| !name.ends_with(".vodmill/owner.json"));
        left
    }
}
