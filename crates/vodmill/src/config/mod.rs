//! All of the configuration, read and validated as a whole before anything else happens.

pub mod apart;
pub mod aws;
pub mod delivery;
pub mod files;
pub mod keys;
mod measured;
mod named_files;
pub mod places;
pub mod problem;
mod schema;
pub mod settings;
mod spot;
pub mod toml_file;

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use vodmill_model::pipeline::Encryption;
use vodmill_model::validate::is_http_url;
use vodmill_model::{Catalogue, Pipeline, Preset};
use vodmill_queue::PostgresQueue;
use vodmill_store::Location;

use files::{Source, sources};
use keys::ViewerKind;
use problem::{Problem, Problems};
use settings::Settings;

/// Where the local server is, as far as nothing says so.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8480);

/// A valid configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder that relative paths start from.
    pub home: PathBuf,
    /// `vodmill.toml`.
    pub settings: Settings,
    /// `pipelines/` and `presets/`.
    pub catalogue: Catalogue,
    /// Pipelines that leave it to us where players fetch keys: from the local server.
    pub own_keys: Vec<String>,
    /// `vodmill.toml` first, then `pipelines/`.
    sources: Vec<Source>,
}

impl Config {
    /// Reads everything below `home`; makes nothing. `serve` is the address of the local server where
    /// it is not the one of the settings.
    ///
    /// # Errors
    /// Every fault of every file.
    pub fn load(home: &Path, serve: Option<SocketAddr>) -> Result<Config, Problems> {
        let mut problems = Vec::new();
        let home = absolute(home, &mut problems);
        let settings_source = settings_source(&home, &mut problems);
        let mut settings: Settings = settings_source.parse(&mut problems).unwrap_or_default();
        settings.listen = serve.or(settings.listen);
        let presets = sources(&home, "presets", files::PRESETS, &mut problems);
        let pipelines = sources(&home, "pipelines", files::PIPELINES, &mut problems);
        let catalogue = catalogue(&presets, &pipelines, &mut problems);
        let sources = [vec![settings_source], pipelines].concat();
        let mut config = Config { home, settings, catalogue, own_keys: Vec::new(), sources };
        config.give_keys();
        config.give_prices(&mut problems);
        files::validate(&config.catalogue, &presets, &config.sources, &mut problems);
        measured::check(&config, &presets, &mut problems);
        config.check_places(&mut problems);
        config.check_apart(&mut problems);
        config.check_urls(&mut problems);
        config.check_sharing(&mut problems);
        config.settings.delivery.check(&mut problems);
        config.check_keys(&mut problems);
        Problems::none_or(problems, config)
    }

    /// Says where players fetch keys, for pipelines that leave it to us.
    fn give_keys(&mut self) {
        // Which port any free one will be is known when the daemon has found it.
        let listen = self.settings.listen.filter(|address| address.port() != 0);
        let uri = Encryption::key_uri_at(listen.unwrap_or(LISTEN));
        for (name, pipeline) in &mut self.catalogue.pipelines {
            let Some(encryption) = &mut pipeline.encryption else { continue };
            if encryption.key_uri.is_empty() {
                self.own_keys.push(name.clone());
            }
            if self.own_keys.contains(name) {
                encryption.key_uri.clone_from(&uri);
            }
        }
    }

    /// Says what viewers and processors cost, for pipelines that choose a speed by it.
    fn give_prices(&mut self, problems: &mut Vec<Problem>) {
        let file = self.settings.delivery.prices.clone();
        for (name, pipeline) in &mut self.catalogue.pipelines {
            let Some(audience) = pipeline.audience.as_mut().filter(|it| it.prices.is_none()) else {
                continue;
            };
            match delivery::audience_prices(&self.home, file.as_deref(), &audience.region) {
                Ok(prices) => audience.prices = Some(prices),
                Err(message) => {
                    let file = PathBuf::from(format!("pipelines/{name}.toml"));
                    problems.push(Problem { file, line: None, message });
                }
            }
        }
    }

    /// The same with the local server at that address.
    pub fn listening_at(mut self, address: SocketAddr) -> Config {
        self.settings.listen = Some(address);
        self.give_keys();
        self
    }

    /// Each place is one, and fits to the others of its pipeline.
    fn check_places(&self, problems: &mut Vec<Problem>) {
        for (name, pipeline) in &self.catalogue.pipelines {
            let Some(source) = self.sources[1..].iter().find(|it| it.name == *name) else {
                continue;
            };
            let faults = match self.places(name, pipeline) {
                Ok(places) => places.faults(pipeline),
                Err(_) => places::unparsed(pipeline),
            };
            let faults = faults.into_iter();
            problems.extend(faults.map(|(field, message)| source.problem(field, message)));
        }
    }

    /// Servers have URLs.
    fn check_urls(&self, problems: &mut Vec<Problem>) {
        let Settings { s3, aws, keys, .. } = &self.settings;
        for (field, url) in [
            ("s3.endpoint", &s3.endpoint),
            ("aws.sns_endpoint", &aws.sns_endpoint),
            ("aws.cloudfront_endpoint", &aws.cloudfront_endpoint),
            ("keys.url", &keys.url),
        ] {
            if let Some(url) = url.as_deref().filter(|url| !is_http_url(url)) {
                let message =
                    format!("`{field}`: {url:?} is no URL: write it whole, with https://");
                problems.push(self.sources[0].problem(field, message));
            }
        }
    }

    /// A queue for many needs a place for what they make.
    fn check_sharing(&self, problems: &mut Vec<Problem>) {
        let source = &self.sources[0];
        let mut report =
            |field: &str, message: String| problems.push(source.problem(field, message));
        if let Some(Err(error)) = self.queue().map(|url| PostgresQueue::check_address(&url)) {
            report("queue", format!("`queue`: {error}"));
        }
        if self.queue().is_some() && self.settings.work.is_none() {
            let message = "`queue` is set, but not `work`: workers have no place to share";
            report("queue", message.to_owned());
        }
        let work = self.settings.work.as_deref().map(Location::parse);
        if let Some(Err(error)) = work {
            report("work", format!("`work`: {error}"));
        }
        if let Err(error) =
            Location::parse(&self.settings.state).map_err(|it| it.to_string()).and_then(folder)
        {
            report("state", format!("`state`: {error}"));
        }
    }

    fn check_keys(&self, problems: &mut Vec<Problem>) {
        let Settings { keys, key_server, delivery, .. } = &self.settings;
        let mut faults = [keys.faults(), key_server.faults()].concat();
        if key_server.viewers != ViewerKind::Anyone && delivery.token != key_server.query {
            faults.push(
                "delivery.token and key_server.query are not the same: playlists for viewers would \
                 lead to keys without their token"
                    .to_owned(),
            );
        }
        for message in faults {
            problems.push(Problem { file: "vodmill.toml".into(), line: None, message });
        }
    }

    /// URL of the database that workers share.
    pub fn queue(&self) -> Option<String> {
        let given = std::env::var("VODMILL_QUEUE").ok().filter(|url| !url.is_empty());
        given.or_else(|| self.settings.queue.clone())
    }

    /// The folder of everything that is not configuration, input or output.
    pub fn state(&self) -> PathBuf {
        self.home.join(&self.settings.state)
    }

    /// The folder of the key store.
    pub fn keys(&self) -> PathBuf {
        self.state().join("keys")
    }

    /// The pipeline of that name, or the only one, or `default`.
    pub fn pipeline<'a>(&'a self, name: Option<&'a str>) -> Option<(&'a str, &'a Pipeline)> {
        let pipelines = &self.catalogue.pipelines;
        let name = match name {
            Some(name) => name,
            None if pipelines.len() == 1 => pipelines.keys().next()?,
            None => "default",
        };
        pipelines.get(name).map(|pipeline| (name, pipeline))
    }
}

/// The home as a path that stays right when a child works elsewhere.
fn absolute(home: &Path, problems: &mut Vec<Problem>) -> PathBuf {
    let problem = |message: String| Problem { file: home.to_path_buf(), line: None, message };
    match std::path::absolute(home) {
        Ok(path) if path.is_dir() => path,
        Ok(path) => {
            problems.push(problem("the home folder is not there".to_owned()));
            path
        }
        Err(error) => {
            problems.push(problem(error.to_string()));
            home.to_path_buf()
        }
    }
}

fn settings_source(home: &Path, problems: &mut Vec<Problem>) -> Source {
    let file = Path::new("vodmill.toml");
    let text = match std::fs::read_to_string(home.join(file)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => {
            let message = error.to_string();
            problems.push(Problem { file: file.to_path_buf(), line: None, message });
            String::new()
        }
    };
    Source { name: String::new(), file: file.to_path_buf(), text }
}

fn catalogue(presets: &[Source], pipelines: &[Source], problems: &mut Vec<Problem>) -> Catalogue {
    let mut catalogue = Catalogue::default();
    for source in presets {
        if let Some(preset) = source.parse::<Preset>(problems) {
            catalogue.presets.insert(source.name.clone(), preset);
        }
    }
    for source in pipelines {
        if let Some(pipeline) = source.parse::<Pipeline>(problems) {
            catalogue.pipelines.insert(source.name.clone(), pipeline);
        }
    }
    catalogue
}

/// The state is a folder.
fn folder(location: Location) -> Result<(), String> {
    match location {
        Location::Folder(_) => Ok(()),
        Location::Bucket { .. } => Err(format!("{location} is no folder")),
    }
}
