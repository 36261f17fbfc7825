//! Jobs in queues of 0.1.0 hold their pipeline and its presets in place of what these ask for.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use vodmill_model::{Catalogue, JobSpec};

#[derive(Serialize)]
struct Stated<'a> {
    spec: &'a JobSpec,
}

#[derive(Deserialize)]
struct Any {
    spec: Option<JobSpec>,
    catalogue: Option<Catalogue>,
}

pub(super) fn serialize<S: Serializer>(spec: &JobSpec, serializer: S) -> Result<S::Ok, S::Error> {
    Stated { spec }.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<JobSpec, D::Error> {
    let any = Any::deserialize(deserializer)?;
    if let Some(spec) = any.spec {
        return Ok(spec);
    }
    let catalogue = any.catalogue.ok_or_else(|| D::Error::missing_field("spec"))?;
    let (name, pipeline) =
        catalogue.pipelines.first_key_value().ok_or_else(|| D::Error::custom("no pipeline"))?;
    JobSpec::of_pipeline(name, pipeline, &catalogue.presets).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};
    use vodmill_model::preset::{AudioPreset, FileContainer, FilePreset};
    use vodmill_model::{Pipeline, Preset};

    use crate::job::JobOrder;

    fn order(wanted: &Value) -> Result<JobOrder, serde_json::Error> {
        let mut order = json!({
            "original": { "file": { "path": "/inbox/film.mov", "bytes": 1, "modified": 1 } },
            "pipeline": "talks", "destination": "published", "disposal": "leave",
        });
        let fields = wanted.as_object().expect("an object").clone();
        order.as_object_mut().expect("an object").extend(fields);
        serde_json::from_value(order)
    }

    #[test]
    fn a_job_of_0_1_0_asks_for_what_its_pipeline_did() {
        let file = FilePreset {
            description: String::new(),
            container: FileContainer::Mp4,
            video: None,
            audio: AudioPreset::default(),
        };
        let presets = BTreeMap::from([("voice".to_owned(), Preset::Mp4(file))]);
        let ladder = String::new();
        let pipeline = Pipeline { ladder, mp4: vec!["voice".to_owned()], ..Pipeline::default() };
        let catalogue = json!({ "pipelines": { "talks": pipeline }, "presets": presets });
        let read = order(&json!({ "catalogue": catalogue })).expect("a job");
        assert_eq!(read.spec.pipeline, "talks");
        assert_eq!(read.spec.outputs[0].name, "voice");
        let written = serde_json::to_value(&read).expect("JSON");
        assert!(written.get("catalogue").is_none());
        assert_eq!(order(&json!({ "spec": written["spec"] })).expect("a job"), read);
    }

    #[test]
    fn a_job_that_asks_for_nothing_is_none() {
        let empty = json!({ "pipelines": {}, "presets": {} });
        for wanted in [json!({}), json!({ "catalogue": empty })] {
            assert!(order(&wanted).is_err(), "{wanted}");
        }
    }
}
