//! The places of a pipeline: where its originals come from and go to.

use std::path::Path;

use vodmill_model::Pipeline;
use vodmill_store::{Location, StoreError};

use super::Config;
use super::problem::{Problem, Problems};

/// Where a pipeline's files come from and go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// Originals come in here.
    pub inbox: Location,
    /// Published originals go here.
    pub done: Location,
    /// Refused ones go here.
    pub rejected: Location,
    /// Packages are published here.
    pub destination: Location,
}

impl Config {
    /// The places of a pipeline.
    ///
    /// # Errors
    /// Names one that is no place.
    pub fn places(&self, name: &str, pipeline: &Pipeline) -> Result<Places, StoreError> {
        let or = |given: &str, otherwise: Location| match given {
            "" => Ok(otherwise),
            given => self.place(given),
        };
        let inbox = or(&pipeline.inbox, Location::Folder(self.home.join("inbox").join(name)))?;
        Ok(Places {
            done: or(&pipeline.done, inbox.join("done")?)?,
            rejected: or(&pipeline.rejected, inbox.join("rejected")?)?,
            destination: self.place(&pipeline.destination)?,
            inbox,
        })
    }

    /// A place as it is written: a folder counts from the home.
    pub fn place(&self, text: &str) -> Result<Location, StoreError> {
        Ok(match Location::parse(text)? {
            Location::Folder(folder) => Location::Folder(self.home.join(folder)),
            bucket @ Location::Bucket { .. } => bucket,
        })
    }
}

/// A place that a flag names: a folder counts from the current one.
///
/// # Errors
/// If it is none.
pub fn given(flag: &str, text: &str) -> Result<Location, Problems> {
    let wrong = |message: String| Problems::of_flag(flag, message);
    match Location::parse(text).map_err(|error| wrong(error.to_string()))? {
        Location::Folder(folder) => {
            let path = std::path::absolute(folder).map_err(|error| wrong(error.to_string()))?;
            Ok(Location::Folder(path))
        }
        bucket @ Location::Bucket { .. } => Ok(bucket),
    }
}

/// Which of a pipeline's places are no places.
pub fn unparsed(pipeline: &Pipeline) -> Vec<(&'static str, String)> {
    let Pipeline { inbox, done, rejected, destination, .. } = pipeline;
    let fields =
        [("inbox", inbox), ("done", done), ("rejected", rejected), ("destination", destination)];
    let given = fields.into_iter().filter(|(_, text)| !text.trim().is_empty());
    given
        .filter_map(|(field, text)| Some((field, Location::parse(text).err()?.to_string())))
        .collect()
}

impl Places {
    /// What does not go together.
    pub fn faults(&self, pipeline: &Pipeline) -> Vec<(&'static str, String)> {
        let is_bucket = |place: &Location| matches!(place, Location::Bucket { .. });
        let mut faults = Vec::new();
        for (name, place) in [("done", &self.done), ("rejected", &self.rejected)] {
            if is_bucket(place) != is_bucket(&self.inbox) {
                let message =
                    format!("`{name}` and `inbox` must both be folders, or both be in buckets");
                faults.push((name, message));
            }
        }
        for (name, value) in [("events", &pipeline.events), ("done_class", &pipeline.done_class)] {
            if !value.is_empty() && !is_bucket(&self.inbox) {
                faults.push((name, format!("`{name}` is set, but `inbox` is not in a bucket")));
            }
        }
        faults
    }
}

impl Problems {
    /// What is wrong with a flag.
    pub fn of_flag(flag: &str, message: String) -> Problems {
        let file = Path::new(flag).to_path_buf();
        Problems::some(vec![Problem { file, line: None, message }])
    }
}
