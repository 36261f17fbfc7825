//! Which points are walked through how.

use std::fmt;

/// What begins a point that no job comes by: other keys, and what leaves the house (`delivery`).
pub const BESIDE_JOBS: [&str; 8] = [
    "keys.renamed",
    "rekey.",
    "queue.replace_secret.",
    "queue.mark_stale.",
    "queue.claim_delivery.",
    "queue.deliver",
    "queue.claim_batch.",
    "queue.batch_",
];

/// What a job must go through to come by a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// All goes well.
    Plain,
    /// The original is refused.
    Refused,
    /// A task fails once.
    Failing,
    /// The process is killed once.
    Killed,
    /// The process stands still once.
    Stopped,
    /// A disk is full once.
    Full,
    /// A task takes long enough to tell of its progress.
    Slow,
    /// The daemon is told to leave while a child works.
    Parked,
    /// The job is cancelled, and taken up again.
    Retried,
    /// Packages and originals go to another file system.
    Abroad,
    /// Inbox, renditions and packages are in a bucket, the queue is PostgreSQL.
    Buckets,
    /// As `Buckets`, and events tell of originals.
    Events,
}

impl Way {
    /// On one machine.
    pub const LOCAL: [Way; 10] = [
        Way::Plain,
        Way::Refused,
        Way::Failing,
        Way::Killed,
        Way::Stopped,
        Way::Full,
        Way::Slow,
        Way::Parked,
        Way::Retried,
        Way::Abroad,
    ];

    /// On many.
    pub const REMOTE: [Way; 2] = [Way::Buckets, Way::Events];

    /// The points that only this way leads by; some are on other ways too. A point that begins so,
    /// and at which pass.
    fn leads_by(self) -> &'static [&'static str] {
        match self {
            Way::Plain => &[],
            Way::Refused => &["queue.reject.", "file.", "original.noted"],
            Way::Failing => &["queue.fail."],
            Way::Killed => &["queue.release_all."],
            Way::Stopped => &["queue.reap."],
            Way::Full => &["queue.postpone."],
            Way::Slow => &["queue.progress."],
            Way::Parked => &["queue.release."],
            Way::Retried => {
                &["queue.cancel.", "queue.restart.", "settle.withdrawn", "store.removed"]
            }
            Way::Abroad => &["store.files.copied", "original.copied"],
            Way::Buckets => &["s3.", "queue.keep_secret."],
            Way::Events => &["inbox.heard"],
        }
    }

    /// The points on this way, of these.
    pub fn points(self, all: &[String]) -> Vec<String> {
        let special = |point: &&String| {
            let ways = Way::LOCAL.iter().chain(&Way::REMOTE);
            let mut starts = ways.flat_map(|way| way.leads_by()).chain(&BESIDE_JOBS);
            starts.any(|start| point.starts_with(start)) && !point.starts_with("file.")
        };
        let is_here = |point: &&String| match self {
            Way::Plain => !special(point),
            _ => self.leads_by().iter().any(|start| point.starts_with(start)),
        };
        all.iter().filter(is_here).cloned().collect()
    }

    /// Points that are disturbed in one round: the job comes by each of them, one after the other,
    /// and every one is a new start for what comes after. What leads by a point only once cannot lead
    /// by another after that.
    fn together(self) -> usize {
        match self {
            Way::Plain => 3,
            Way::Retried | Way::Abroad | Way::Buckets => 2,
            _ => 1,
        }
    }

    /// What is to happen so that the job goes this way.
    pub fn prelude(self) -> &'static str {
        match self {
            Way::Failing => "plan.named=fail;",
            Way::Killed => "plan.named=kill;",
            Way::Stopped => "plan.named=stop;",
            Way::Full => "rendition.written=full;",
            Way::Slow => "rendition.written=delay:2500;",
            Way::Parked => "rendition.written=delay:4000;",
            Way::Retried => "segments.stored=delay:15000;",
            _ => "",
        }
    }
}

/// One job on its way, with something that happens at some points.
#[derive(Clone, Debug)]
pub struct Round {
    pub way: Way,
    /// `kill`, `fail`, `full`, `stop` or a delay.
    pub action: &'static str,
    /// Points, each with the pass at which it happens.
    pub at: Vec<(String, usize)>,
}

impl Round {
    /// A job to which nothing happens but what its way asks for.
    pub fn calm(way: Way) -> Round {
        Round { way, action: "delay:0", at: Vec::new() }
    }

    pub fn orders(&self) -> String {
        let order = |(point, pass): &(String, usize)| format!("{point}={}@{pass};", self.action);
        // All points, in one round.
        let all = if self.action.starts_with("*=") { self.action } else { "" };
        self.way.prelude().to_owned() + &self.at.iter().map(order).collect::<String>() + all
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at: Vec<_> = self.at.iter().map(|(point, pass)| format!("{point}@{pass}")).collect();
        write!(f, "{:?}: {} {}", self.way, self.action, at.join(", "))
    }
}

/// How many of all rounds there are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Walk {
    /// Each point is disturbed in one way: some are killed, others fail, others stand still.
    Short,
    /// Each point is disturbed in every way.
    Whole,
}

impl Walk {
    /// `just nightly` asks for the whole one.
    fn asked_for() -> Walk {
        let asked = std::env::var("VODMILL_WALK").unwrap_or_default();
        if asked == "whole" { Walk::Whole } else { Walk::Short }
    }
}

/// Rounds for clear jobs, and for encrypted ones.
#[derive(Default)]
pub struct Rounds {
    pub clear: Vec<Round>,
    pub encrypted: Vec<Round>,
}

impl Rounds {
    /// All rounds on these ways.
    pub fn on(ways: &[Way], points: &[String]) -> Rounds {
        let walk = Walk::asked_for();
        let mut rounds = Rounds::default();
        for way in ways {
            rounds.disturbed(*way, points, walk);
            if *way == Way::Plain {
                rounds.with_full_disks(*way);
            }
            if *way == Way::Plain || walk == Walk::Whole {
                rounds.slow(*way);
            }
        }
        rounds.encrypted.push(Round { way: ways[0], action: "*=delay:400", at: Vec::new() });
        // While one looks for a fault.
        if let Ok(wanted) = std::env::var("VODMILL_ROUNDS") {
            rounds.clear.retain(|round| round.to_string().contains(&wanted));
            rounds.encrypted.retain(|round| round.to_string().contains(&wanted));
        }
        rounds
    }

    fn disturbed(&mut self, way: Way, points: &[String], walk: Walk) {
        let points = way.points(points);
        let at: Vec<(String, usize)> = points.iter().map(|point| (point.clone(), 1)).collect();
        for (turn, action) in ACTIONS.into_iter().enumerate() {
            for (number, at) in apart(&at, way.together()).into_iter().enumerate() {
                if walk == Walk::Whole || number % ACTIONS.len() == turn {
                    self.by_turns(number + turn, Round { way, action, at });
                }
            }
        }
        // The first file of keys is the key that they are wrapped with, the second a key set.
        let keys = points.iter().filter(|point| point.starts_with("keys."));
        for (number, point) in keys.enumerate() {
            for (turn, action) in ACTIONS.into_iter().enumerate() {
                if walk == Walk::Whole || number % ACTIONS.len() == turn {
                    self.encrypted.push(Round { way, action, at: vec![(point.clone(), 2)] });
                }
            }
        }
    }

    fn with_full_disks(&mut self, way: Way) {
        for (number, at) in apart(&writes(), 2).into_iter().enumerate() {
            self.by_turns(number, Round { way, action: "full", at });
        }
    }

    fn slow(&mut self, way: Way) {
        for rounds in [&mut self.clear, &mut self.encrypted] {
            rounds.push(Round { way, action: "*=delay:30@*", at: Vec::new() });
        }
    }

    fn by_turns(&mut self, turn: usize, round: Round) {
        if turn.is_multiple_of(2) { self.clear.push(round) } else { self.encrypted.push(round) }
    }
}

/// What happens at points.
const ACTIONS: [&str; 3] = ["kill", "fail", "stop"];

/// Steps at which a disk may be found to be full.
fn writes() -> Vec<(String, usize)> {
    let steps = [
        "plan.probed",
        "rendition.written",
        "keys.written",
        "segments.made",
        "store.files.synced",
        "package.written",
        "file.written",
        "store.put.written",
        "queue.complete.written",
        "queue.keep_rendition.written",
    ];
    steps.map(|point| (point.to_owned(), 1)).to_vec()
}

/// Groups whose members are as far apart as they can be.
fn apart<T: Clone>(all: &[T], together: usize) -> Vec<Vec<T>> {
    let groups = all.len().div_ceil(together);
    (0..groups).map(|group| all.iter().skip(group).step_by(groups).cloned().collect()).collect()
}
