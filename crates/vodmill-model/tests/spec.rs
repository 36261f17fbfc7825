//! What a job is to make, and what of it can be made.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{build, catalogue, catalogue_with_hdr, fixture};
use vodmill_model::outcome::Reason;
use vodmill_model::{JobSpec, Plan, PlanInput, Rejected, plan};

/// Makes a spec one that nobody can carry out.
type Change<'a> = &'a dyn Fn(&mut JobSpec);

fn spec(pipeline: &str) -> JobSpec {
    let catalogue = catalogue_with_hdr();
    JobSpec::of_pipeline(pipeline, catalogue.pipeline(pipeline).unwrap(), &catalogue.presets)
        .unwrap()
}

fn plan_of(spec: &JobSpec) -> Result<Plan, Rejected> {
    plan(&PlanInput { media: &fixture("plain-1080p25"), spec, analysis: None, build: &build() })
}

#[test]
fn a_pipeline_is_a_template() {
    let spec = spec("default");
    let names: Vec<&str> = spec.outputs.iter().map(|output| output.name.as_str()).collect();
    assert_eq!(names, ["hls", "phone", "tablet", "web", "tv"]);
    assert_eq!(spec.playlists[0].outputs, ["hls"]);
    assert_eq!(spec.inputs.len(), 1);
    let text = serde_json::to_string(&spec).unwrap();
    assert_eq!(serde_json::from_str::<JobSpec>(&text).unwrap(), spec);
}

#[test]
fn a_template_without_its_presets_is_refused() {
    let catalogue = catalogue();
    let pipeline = catalogue.pipeline("default").unwrap();
    let refused = JobSpec::of_pipeline("default", pipeline, &[].into()).unwrap_err();
    assert_eq!(refused.reason, Reason::NothingToDo);
}

/// Whatever writes a spec, not only a pipeline, is told what cannot be made.
#[test]
fn what_cannot_be_made_is_said() {
    let base = spec("default");
    let changes: [(&str, Change<'_>); 4] = [
        ("2 inputs", &|spec| spec.inputs.push(spec.inputs[0].clone())),
        ("0 inputs", &|spec| spec.inputs.clear()),
        ("2 playlists", &|spec| spec.playlists.push(spec.playlists[0].clone())),
        ("\"phone\"", &|spec| spec.playlists[0].outputs.push("phone".to_owned())),
    ];
    for (expected, change) in changes {
        let mut changed = base.clone();
        change(&mut changed);
        let refused = plan_of(&changed).unwrap_err();
        assert!(refused.detail.contains(expected), "{expected}: {}", refused.detail);
    }
}

/// Outputs of any number and order, as an API may ask for them.
#[test]
fn outputs_need_no_pipeline() {
    let mut spec = spec("default");
    spec.outputs.reverse();
    spec.thumbnails = None;
    let made = plan_of(&spec).unwrap();
    let names: Vec<&str> = made.files().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["tv", "web", "tablet", "phone"]);
    assert!(made.hls().is_some() && made.stills().is_none());
    spec.playlists.clear();
    assert!(plan_of(&spec).unwrap().hls().is_none());
}
