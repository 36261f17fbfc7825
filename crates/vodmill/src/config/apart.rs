//! What may not lie within what: what is published is served, what lies in an inbox is moved away,
//! and neither may happen to keys, queues or configuration.

use std::path::Path;

use vodmill_store::Location;

use super::files::Source;
use super::places::given;
use super::problem::{Problem, Problems};
use super::spot::{Relation, Spot};
use super::{Config, named_files};

/// What a place is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Pipelines or presets.
    Definitions,
    /// A file that the configuration names, or is.
    File,
    /// Queue, keys, scratch.
    State,
    /// Where workers share what they encode.
    Work,
    /// Originals come in.
    Inbox,
    /// Packages are published.
    Destination,
    /// Published originals go there.
    Done,
    /// Refused originals go there.
    Rejected,
    /// Keys are read from there, or written to it, as files of their own.
    ExportedKeys,
    /// All in it is uploaded.
    Upload,
}

/// A place, and what names it.
#[derive(Clone, Debug)]
struct Claim {
    role: Role,
    /// Of which pipeline; empty where it is of none.
    pipeline: String,
    /// The field or flag.
    field: String,
    /// Where that stands; without a message.
    at: Problem,
    place: String,
    spot: Spot,
}

impl Config {
    /// Notes every two places of which one lies within the other and must not.
    pub(super) fn check_apart(&self, problems: &mut Vec<Problem>) {
        let mut claims: Vec<Claim> = Vec::new();
        for claim in self.claims(problems) {
            problems.extend(claims.iter().filter_map(|other| claim.clash(other)));
            claims.push(claim);
        }
    }

    /// A place that a flag names, held against all places of the configuration.
    ///
    /// # Errors
    /// If it is no place, or not apart from those that it must not touch.
    pub fn given_place(&self, flag: &str, role: Role, text: &str) -> Result<Location, Problems> {
        let location = given(flag, text)?;
        self.hold_apart(flag, role, &location)?;
        Ok(location)
    }

    /// As [`given_place`](Config::given_place), for what can be a folder only.
    ///
    /// # Errors
    /// As `given_place`.
    pub fn given_path(&self, flag: &str, role: Role, path: &Path) -> Result<(), Problems> {
        let path = std::path::absolute(path);
        let path = path.map_err(|error| Problems::of_flag(flag, error.to_string()))?;
        self.hold_apart(flag, role, &Location::Folder(path))
    }

    fn hold_apart(&self, flag: &str, role: Role, location: &Location) -> Result<(), Problems> {
        let spot = Spot::of(location);
        let spot = spot.map_err(|error| Problems::of_flag(flag, error.to_string()))?;
        let claim = Claim {
            role,
            pipeline: String::new(),
            field: flag.to_owned(),
            at: Problem { file: flag.into(), line: None, message: String::new() },
            place: location.to_string(),
            spot,
        };
        let known = self.claims(&mut Vec::new());
        let clashes = known.iter().filter_map(|other| claim.clash(other)).collect();
        Problems::none_or(clashes, ())
    }

    /// All places that the configuration names.
    fn claims(&self, problems: &mut Vec<Problem>) -> Vec<Claim> {
        let mut claims = Claims { claims: Vec::new(), problems };
        let home = &self.home;
        let Some((settings, pipelines)) = self.sources.split_first() else { return Vec::new() };
        let folder = |name: &str| Location::Folder(home.join(name));
        claims.add(Role::State, settings, "state", folder(&self.settings.state));
        claims.add(Role::File, settings, "", Location::Folder(home.join(&settings.file)));
        for (field, path) in named_files::of_settings(&self.settings) {
            claims.add(Role::File, settings, &field, Location::Folder(home.join(path)));
        }
        let work = self.settings.work.as_deref().map(|work| self.place(work));
        if let Some(Ok(work)) = work {
            claims.add(Role::Work, settings, "work", work);
        }
        for name in ["pipelines", "presets"] {
            let source = Source { file: name.into(), ..Source::default() };
            claims.add(Role::Definitions, &source, "", folder(name));
        }
        for source in pipelines {
            self.claim_pipeline(source, &mut claims);
        }
        claims.claims
    }

    fn claim_pipeline(&self, source: &Source, claims: &mut Claims<'_>) {
        let Some(pipeline) = self.catalogue.pipelines.get(&source.name) else { return };
        // What is no place is said elsewhere.
        let Ok(places) = self.places(&source.name, pipeline) else { return };
        claims.add(Role::Inbox, source, "inbox", places.inbox);
        claims.add(Role::Destination, source, "destination", places.destination);
        claims.add(Role::Done, source, "done", places.done);
        claims.add(Role::Rejected, source, "rejected", places.rejected);
        for (field, path) in named_files::of_pipeline(pipeline) {
            claims.add(Role::File, source, &field, Location::Folder(self.home.join(path)));
        }
    }
}

/// Collects claims.
struct Claims<'a> {
    claims: Vec<Claim>,
    problems: &'a mut Vec<Problem>,
}

impl Claims<'_> {
    fn add(&mut self, role: Role, source: &Source, field: &str, location: Location) {
        let message = |error| format!("`{field}`: {location}: {error}");
        match Spot::of(&location) {
            Ok(spot) => self.claims.push(Claim {
                role,
                pipeline: source.name.clone(),
                field: field.to_owned(),
                at: source.problem(field, String::new()),
                place: location.to_string(),
                spot,
            }),
            Err(error) => self.problems.push(source.problem(field, message(error))),
        }
    }
}

impl Claim {
    /// What is wrong between this place and another, said of this one.
    fn clash(&self, other: &Claim) -> Option<Problem> {
        let relation = self.spot.relation(&other.spot)?;
        if self.may_be(relation, other) {
            return None;
        }
        let how = match relation {
            Relation::Same => "is the same as",
            Relation::Inside => "is inside",
            Relation::Around => "holds",
        };
        let why = match () {
            () if self.is_or(other, Role::Destination) => "what is published is served",
            () if self.is_or(other, Role::Inbox) => "what lies in an inbox is taken and moved away",
            () if self.is_or(other, Role::Upload) => "all in it would be uploaded",
            () => "each needs a place of its own",
        };
        let (place, theirs) = (&self.place, &other.place);
        let message = format!("{}{place} {how} {}{theirs}: {why}", self.title(), other.name());
        Some(Problem { message, ..self.at.clone() })
    }

    fn is_or(&self, other: &Claim, role: Role) -> bool {
        self.role == role || other.role == role
    }

    /// Whether they may lie so.
    fn may_be(&self, relation: Relation, other: &Claim) -> bool {
        use Role::*;
        let same_pipeline = self.pipeline == other.pipeline;
        match (self.role, other.role) {
            // The owner of an inbox finds the outcome of its files there.
            (Done | Rejected, Inbox) => same_pipeline && relation == Relation::Inside,
            (Destination, Destination) | (Done, Done) | (Rejected, Rejected) => {
                relation == Relation::Same
            }
            (File, File | State | Definitions) | (Definitions, Definitions | File) => true,
            (ExportedKeys, File) => true,
            // Only what is right in it is read or written.
            (ExportedKeys, _) => relation == Relation::Around,
            // Of a folder that has nothing to do with a home, all may be uploaded.
            (Upload, File) => !Path::new(&other.place).exists(),
            (Upload, State) => !Path::new(&other.place).join("keys").exists(),
            (Upload, Inbox | Destination | Done | Rejected | Definitions) => true,
            _ => false,
        }
    }

    /// The field before its value.
    fn title(&self) -> String {
        match self.field.as_str() {
            "" => String::new(),
            flag if flag.starts_with('-') => String::new(),
            field => format!("`{field}` "),
        }
    }

    /// For problems of others.
    fn name(&self) -> String {
        let file = self.at.file.display();
        match (self.field.as_str(), self.at.line) {
            ("", _) => String::new(),
            (field, Some(line)) => format!("`{field}` of {file}:{line}, "),
            (field, None) => format!("`{field}` of {file}, "),
        }
    }
}
