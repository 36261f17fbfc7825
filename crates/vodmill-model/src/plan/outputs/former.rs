//! Plans of 0.1.0, which jobs that were begun before an upgrade go on with: a field for each kind of
//! output in place of the list.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{FileAudioPlan, FilePlan, HlsPlan, OutputPlan, StillsPlan};
use crate::preset::FileContainer;

#[derive(Serialize)]
struct Listed<'a> {
    outputs: &'a [OutputPlan],
}

#[derive(Deserialize)]
struct Any {
    outputs: Option<Vec<OutputPlan>>,
    hls: Option<HlsPlan>,
    #[serde(default)]
    mp4: Vec<FormerMp4>,
    stills: Option<StillsPlan>,
}

#[derive(Deserialize)]
struct FormerMp4 {
    name: String,
    object: String,
    video: Option<String>,
    audio: Vec<FileAudioPlan>,
}

pub(in crate::plan) fn serialize<S: Serializer>(
    outputs: &[OutputPlan],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    Listed { outputs }.serialize(serializer)
}

pub(in crate::plan) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<OutputPlan>, D::Error> {
    Any::deserialize(deserializer).map(Any::listed)
}

impl Any {
    fn listed(self) -> Vec<OutputPlan> {
        if let Some(outputs) = self.outputs {
            return outputs;
        }
        let mut outputs: Vec<OutputPlan> = self.hls.into_iter().map(OutputPlan::Hls).collect();
        outputs.extend(self.mp4.into_iter().map(|mp4| OutputPlan::File(mp4.into())));
        outputs.extend(self.stills.map(OutputPlan::Stills));
        outputs
    }
}

impl From<FormerMp4> for FilePlan {
    fn from(mp4: FormerMp4) -> FilePlan {
        let FormerMp4 { name, object, video, audio } = mp4;
        FilePlan { name, container: FileContainer::Mp4, object, video, audio }
    }
}
