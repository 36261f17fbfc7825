//! The desk of a test: faults to order, and a log of everything that was begun. It is a folder,
//! since the fake works in many processes.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A fault to order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fault {
    /// Title of the original that it happens to; empty for the operations that know none.
    pub title: String,
    /// The operation that it happens in, as `video/2`.
    pub point: String,
    /// How often it happens.
    pub times: u32,
    pub what: What,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// The operation fails.
    Fail,
    /// It says that the input is at fault.
    Reject,
    /// The process dies of a signal.
    Abort,
    /// It does nothing any more.
    Hang,
    /// It waits until its test lets it go on.
    Wait,
    /// It waits for a signal of its own.
    WaitLonger,
    /// A library prints what nobody wants to hear, the last line without its end.
    Garbage,
    /// It asks for more memory than there is for it.
    Memory,
    /// It writes a file without end.
    HugeFile,
    /// The file that it writes lacks a frame.
    ShortFile,
    /// It says that it encoded a frame less than it did.
    ShortCount,
    /// A picture of the original does not come out of the decoder.
    LostPicture,
    /// Its media cannot be read.
    Corrupt,
    /// It says that segments last longer than they do.
    WrongDuration,
    /// Its MP4 has its index at the end.
    IndexLast,
    /// Its segments need another decoder configuration than those of other chunks.
    OtherConfiguration,
    /// Its segments begin later than they should.
    Late,
}

/// A folder with faults, their counters and the log.
#[derive(Clone, Debug)]
pub struct Desk {
    root: PathBuf,
}

impl Desk {
    pub fn at(root: impl Into<PathBuf>) -> Desk {
        Desk { root: root.into() }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Orders faults, instead of all that were ordered before.
    pub fn order(&self, faults: &[Fault]) {
        let json = serde_json::to_vec(faults).expect("faults are plain");
        fs::write(self.root.join("faults.json"), json).expect("write faults");
    }

    /// Ends every [`What::Wait`], for good.
    pub fn let_go(&self) {
        fs::write(self.root.join("go"), "").expect("write go");
    }

    /// Everything that was begun: title and point, in the order of beginning.
    pub fn begun(&self) -> Vec<(String, String)> {
        let text = fs::read_to_string(self.root.join("log")).unwrap_or_default();
        let line = |line: &str| line.split_once('\t').map(|(a, b)| (a.to_owned(), b.to_owned()));
        text.lines().filter_map(line).collect()
    }

    /// How often an operation was begun.
    pub fn count(&self, title: &str, point: &str) -> usize {
        let is_it = |(a, b): &&(String, String)| a == title && b == point;
        self.begun().iter().filter(is_it).count()
    }

    /// Ends every [`What::WaitLonger`], for good.
    pub fn let_go_longer(&self) {
        fs::write(self.root.join("go-longer"), "").expect("write go");
    }

    fn log(&self, title: &str, point: &str) {
        let path = self.root.join("log");
        let file = OpenOptions::new().create(true).append(true).open(path);
        let line = format!("{title}\t{point}\n");
        file.and_then(|mut file| file.write_all(line.as_bytes())).expect("write log");
    }

    /// An operation begins. Its fault is taken before that is logged: whoever waits for the log may
    /// kill this process at once, and the next one would meet the fault again.
    pub(super) fn begin(&self, title: &str, point: &str) -> Option<What> {
        let fault = self.next(title, point);
        self.log(title, point);
        self.happen(fault?)
    }

    /// Lets the fault happen that waits for this operation, if there is one left. Those that are
    /// a matter of the operation itself are returned.
    pub(super) fn strike(&self, title: &str, point: &str) -> Option<What> {
        self.happen(self.next(title, point)?)
    }

    fn happen(&self, what: What) -> Option<What> {
        match what {
            What::Abort => std::process::abort(),
            What::Hang => loop {
                std::thread::park();
            },
            What::Wait => self.wait("go"),
            What::WaitLonger => self.wait("go-longer"),
            What::Garbage => print_garbage(),
            What::Memory => drop(std::hint::black_box(vec![1_u8; 4 << 30])),
            What::HugeFile => self.write_huge_file(),
            _ => return Some(what),
        }
        None
    }

    /// Takes one of the times that an ordered fault has left; two processes never take the same.
    fn next(&self, title: &str, point: &str) -> Option<What> {
        let json = fs::read(self.root.join("faults.json")).ok()?;
        let faults: Vec<Fault> = serde_json::from_slice(&json).expect("faults are JSON");
        let fits = |fault: &&Fault| fault.title == title && fault.point == point;
        let take = |fault: &Fault| (0..fault.times).any(|time| self.take(fault, time));
        faults.iter().filter(fits).find(|fault| take(fault)).map(|fault| fault.what)
    }

    fn take(&self, fault: &Fault, time: u32) -> bool {
        let name = format!("{}-{:?}-{time}", fault.point.replace('/', "-"), fault.what);
        let path = self.root.join(format!("struck-{}-{name}", fault.title));
        OpenOptions::new().write(true).create_new(true).open(path).is_ok()
    }

    fn wait(&self, signal: &str) {
        while !self.root.join(signal).exists() {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn write_huge_file(&self) {
        let file = fs::File::create(self.root.join("huge")).expect("create huge file");
        file.set_len(1 << 40).expect("grow huge file");
    }
}

fn print_garbage() {
    let mut out = std::io::stdout().lock();
    let lines: [&[u8]; 5] =
        [b"null\n", b"{\"done\":\n", b"\xff\xfe\x00\n", b"[1, 2]\n\n", b"{\"no end\""];
    lines.iter().for_each(|line| out.write_all(line).expect("print"));
    out.flush().expect("print");
}
