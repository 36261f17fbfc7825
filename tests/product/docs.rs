//! What README and docs say is done as they say it, and shows what they show.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use vodmill_tests::document::{self, Block, Purpose, Step, blocks, documents, drawn, repository};
use vodmill_tests::product::{Daemon, Home, binary, tree, wait_until};
use vodmill_tests::services::free_ports;
use vodmill_tests::tools::{ffmpeg, succeeded};
use vodmill_tests::transcript::{Ids, compare, masked, with_ids};

/// Documents with commands that are typed here.
const FOLLOWED: [&str; 2] = ["README.md", "docs/delivery.md"];
/// What a daemon does shows up in these after a while.
const LOOKS: [&str; 3] = ["vodmill jobs", "cat ", "curl "];
const LOOK: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(180);
/// Where the documents have their home, and where the ports of its servers are.
const SHOWN_HOME: &str = "/srv/vodmill";
const SHOWN_PORTS: [&str; 2] = [":8480", ":8481"];
const SETTINGS: &str = "vodmill.toml";
const AT_ONCE: &str = "settle_seconds = 0\n";

/// Somebody who reads a document and types what it says.
struct Reader {
    /// First, so that they end before their home goes.
    running: Vec<Daemon>,
    home: Home,
    programs: TempDir,
    ports: [String; 2],
    ids: Ids,
}

/// What a command came to.
struct Typed {
    well: bool,
    said: String,
}

impl Reader {
    /// A clone of the repository is the home, as in README; files in its inbox are taken at once.
    fn new() -> Reader {
        let home = Home::new();
        home.write(SETTINGS, AT_ONCE);
        for folder in ["pipelines", "presets", "docs/examples"] {
            copy(&repository().join(folder), &home.at(folder));
        }
        let programs = tempfile::tempdir().expect("a folder");
        symlink(binary(), programs.path().join("vodmill")).expect("a link to the program");
        let port = free_ports(2);
        let ports = [port, port + 1].map(|port| format!(":{port}"));
        Reader { home, programs, ports, running: Vec::new(), ids: Ids::new() }
    }

    /// Does what a document says from its beginning to its end; how many commands that were.
    fn follow(&mut self, document: &str) -> usize {
        let mut count = 0;
        for block in blocks(&document::text(document)) {
            let done = self.block(&block);
            count += done.unwrap_or_else(|why| panic!("{document}:{}: {why}", block.line));
        }
        count
    }

    /// With what is to be done before and after it.
    fn block(&mut self, block: &Block) -> Result<usize, String> {
        block.notes("first").try_for_each(|command| self.prepare(command))?;
        let count = self.main_part(block)?;
        block.notes("then").try_for_each(|command| self.prepare(command))?;
        Ok(count)
    }

    fn prepare(&self, command: &str) -> Result<(), String> {
        let typed = self.shell(command);
        typed.well.then_some(()).ok_or_else(|| format!("{command}: {}", typed.said))
    }

    fn main_part(&mut self, block: &Block) -> Result<usize, String> {
        match block.purpose() {
            Some(Purpose::Session(steps)) => {
                steps.iter().try_for_each(|step| self.step(step))?;
                return Ok(steps.len());
            }
            Some(Purpose::TreeOf(folder)) => self.compare_tree(folder, &block.lines)?,
            Some(Purpose::LinesOf(file)) => self.compare_file(file, &block.lines)?,
            Some(Purpose::Configuration) => self.configure(block),
            Some(Purpose::RunBy(_) | Purpose::NotRun(_)) => {}
            None => return Err("neither run nor marked with a reason".to_owned()),
        }
        Ok(0)
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        let command = self.servers_here(&with_ids(&step.command, &self.ids));
        if let Some(server) = self.server(&command) {
            return self.wait_for(server, &step.shown);
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            let typed = self.shell(&command);
            let why = match judge(step, &typed) {
                Ok(ids) => {
                    self.ids.extend(ids);
                    return Ok(());
                }
                Err(why) => why,
            };
            let waits =
                !self.running.is_empty() && LOOKS.iter().any(|look| command.starts_with(look));
            if !waits || Instant::now() > deadline {
                return Err(format!("$ {command}\n{}\n{why}", typed.said));
            }
            thread::sleep(LOOK);
        }
    }

    /// Runs a command in the home to its end.
    fn shell(&self, command: &str) -> Typed {
        let mut path = OsString::from(self.programs.path());
        path.push(":");
        path.push(env::var_os("PATH").unwrap_or_default());
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("exec 2>&1; {command}")).current_dir(self.home.path());
        shell.env("PATH", path).env("VODMILL_HOME", self.home.path());
        let output = shell.output().expect("a shell");
        let said = String::from_utf8_lossy(&output.stdout);
        Typed { well: output.status.success(), said: self.as_shown(&said) }
    }

    /// With the names that the documents have for what is here.
    fn as_shown(&self, said: &str) -> String {
        let home = self.home.path().to_str().expect("a name of ours");
        let said = said.replace(home, SHOWN_HOME);
        self.ports
            .iter()
            .zip(SHOWN_PORTS)
            .fold(said, |said, (here, shown)| said.replace(here, shown))
    }

    fn servers_here(&self, text: &str) -> String {
        let ports = SHOWN_PORTS.iter().zip(&self.ports);
        ports.fold(text.to_owned(), |text, (shown, here)| text.replace(shown, here))
    }

    /// Starts what runs until the document ends; none for other commands.
    fn server(&self, command: &str) -> Option<Daemon> {
        let words: Vec<&str> = command.split_whitespace().collect();
        match words.as_slice() {
            ["vodmill", "daemon", arguments @ ..] => Some(Daemon::start(&self.home, arguments)),
            ["vodmill", "keys", "serve", arguments @ ..] => {
                Some(Daemon::key_server(&self.home, arguments))
            }
            _ => None,
        }
    }

    fn wait_for(&mut self, server: Daemon, shown: &[String]) -> Result<(), String> {
        wait_until("it serves", PATIENCE, || server.log().contains("serving").then_some(()));
        let log = server.log();
        self.running.push(server);
        compare(shown, &self.as_shown(&log)).map(drop).map_err(|why| format!("{log}\n{why}"))
    }

    /// Every file is in the drawing, or below a folder of which no more is drawn; and the other way round.
    fn compare_tree(&self, folder: &str, lines: &[String]) -> Result<(), String> {
        let drawn: Vec<String> = drawn(lines).iter().map(|path| masked(path)).collect();
        let real = tree(&self.home.at(folder)).into_keys();
        let real: Vec<String> = real.map(|path| masked(&path)).collect();
        let leaf = |path: &&String| !drawn.iter().any(|other| is_below(other, path));
        let leaves: Vec<&String> = drawn.iter().filter(leaf).collect();
        let shows = |leaf: &str, path: &str| leaf == path || is_below(path, leaf);
        if let Some(missing) = leaves.iter().find(|leaf| !real.iter().any(|path| shows(leaf, path)))
        {
            return Err(format!("{missing} is drawn, and not there: {real:?}"));
        }
        match real.iter().find(|path| !leaves.iter().any(|leaf| shows(leaf, path))) {
            Some(path) => Err(format!("{path} is there, and not drawn")),
            None => Ok(()),
        }
    }

    fn compare_file(&self, file: &str, lines: &[String]) -> Result<(), String> {
        let text = fs::read_to_string(repository().join(file)).map_err(|why| why.to_string())?;
        compare(lines, &text).map(drop)
    }

    /// Writes a snippet into the file that the comment before it names; others are not for this home.
    fn configure(&self, block: &Block) {
        for name in block.notes("in") {
            let snippet = self.servers_here(&block.lines.join("\n"));
            let first = if name == SETTINGS { AT_ONCE } else { "" };
            self.home.write(name, &format!("{first}{snippet}\n"));
        }
    }
}

/// A command fails if it is shown to, and shows what it is shown to show.
fn judge(step: &Step, typed: &Typed) -> Result<Ids, String> {
    let fails = step.shown.iter().any(|line| line.starts_with("vodmill: "));
    if fails == typed.well {
        return Err(format!("it ended {}", if typed.well { "well" } else { "badly" }));
    }
    compare(&step.shown, &typed.said)
}

fn is_below(path: &str, folder: &str) -> bool {
    folder.ends_with('/') && path.len() > folder.len() && path.starts_with(folder)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().expect("a folder above")).expect("folders");
    let mut command = Command::new("cp");
    succeeded(command.arg("-r").arg(from).arg(to)).expect("copying");
}

/// A clip that is quickly encoded, and like that of the documents in all that they tell of it.
fn clip(path: &Path, seconds: f64) {
    let picture = format!("smptebars=s=1280x720:r=25:d={seconds}");
    let sound = format!("aevalsrc=0.1*sin(440*t)|0|0|0|0|0:s=48000:d={}:c=5.1", seconds + 0.032);
    let mut arguments = vec!["-f", "lavfi", "-i", &picture, "-f", "lavfi", "-i", &sound];
    arguments.extend(["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]);
    arguments.extend(["-c:a", "aac", "-ac", "6", path.to_str().expect("a name of ours")]);
    ffmpeg(&arguments).expect("a clip");
}

#[test]
fn every_block_is_run_or_says_why_not() {
    for document in documents() {
        for block in blocks(&document::text(&document)) {
            let place = format!("{document}:{}", block.line);
            let purpose = block.purpose();
            assert!(purpose.is_some(), "{place}: neither run nor marked with a reason");
            match purpose {
                Some(Purpose::RunBy(test)) => assert!(is_a_test(test), "{place}: no test {test}"),
                Some(Purpose::Session(_)) => {
                    let followed = FOLLOWED.contains(&document.as_str());
                    assert!(followed, "{place}: nobody types this");
                }
                _ => {}
            }
        }
    }
}

#[test]
fn readme_is_true() {
    let mut reader = Reader::new();
    clip(&reader.home.at("bbb_5s.mp4"), 5.28);
    clip(&reader.home.at("talk.mp4"), 2.0);
    reader.home.write("notes.mp4", "Some notes, as people take them.\n");
    let typed = reader.follow("README.md");
    assert!(typed >= 20, "{typed} commands were typed");
}

#[test]
fn delivery_is_true() {
    let mut reader = Reader::new();
    clip(&reader.home.at("big-buck-bunny.mp4"), 1.0);
    let typed = reader.follow("docs/delivery.md");
    assert!(typed >= 10, "{typed} commands were typed");
}

/// Whether there is one of that name, as `module::name`, among these.
fn is_a_test(name: &str) -> bool {
    let Some((module, name)) = name.split_once("::") else { return false };
    let path = repository().join(format!("tests/product/{module}.rs"));
    fs::read_to_string(path).is_ok_and(|text| text.contains(&format!("\nfn {name}()")))
}

/// What a web site would do, in the lines that docs/delivery.md has for it.
#[test]
fn a_token_of_the_example_is_ours() {
    let home = Home::new();
    let ended = home.vodmill(&["keys", "token", "--asset", "films/Ü 1", "--for", "1h"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let ours = ended.out.trim();
    let expires = ours.split('.').nth(2).expect("a moment");
    let secrets = fs::read_to_string(home.at("state/keys/tokens")).expect("secrets");
    let (name, secret) = secrets.trim().split_once(' ').expect("a name and a secret");
    let example = blocks(&document::text("docs/delivery.md")).into_iter().find(|block| {
        block.kind == "python" && block.lines.iter().any(|line| line.starts_with("def token"))
    });
    let example = example.expect("the example").lines.join("\n");
    let program = format!(
        "import base64, hmac, sys\n{example}\nname, secret, asset, expires = sys.argv[1:]\n\
         print(token(name, secret, asset, int(expires)))"
    );
    let mut python = Command::new("python3");
    python.args(["-c", &program, name, secret, "films/Ü 1", expires]);
    let theirs = succeeded(&mut python).expect("python3").stdout;
    assert_eq!(String::from_utf8_lossy(&theirs).trim(), ours);
}
