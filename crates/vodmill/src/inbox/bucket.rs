//! Inboxes that are prefixes of buckets.
//!
//! Events say what came in at once; a listing now and then finds what an event was lost for, and
//! all there is where no events are sent. Both only ever say "look at this": what is taken on is
//! what the bucket has, so late, doubled and disordered events do no harm.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::Duration;

use vodmill_fault::point;
use vodmill_pipeline::original::{ObjectOriginal, Original};
use vodmill_pipeline::{Stop, StopLevel, Worker};
use vodmill_store::events::{Event, EventQueue, Message};
use vodmill_store::s3::{Bucket, ObjectInfo, S3Settings};
use vodmill_store::{Key, StoreError};

use super::InboxRoute;
use super::unfinished::is_unfinished;

/// How long to wait when events cannot be had.
const TROUBLED: Duration = Duration::from_secs(5);

/// Objects of one inbox that are taken on before it is another one's turn.
const BATCH: usize = 16;

/// How long an empty object may stand for one that is still being written.
const PLACEHOLDER: Duration = Duration::from_secs(60);

/// Longest wait for events.
const LONGEST: Duration = Duration::from_secs(20);

/// The inbox of one pipeline.
pub(super) struct BucketInbox {
    bucket: Bucket,
    /// With a `/` at its end, unless it is the whole bucket.
    prefix: String,
    route: InboxRoute,
    /// Entity tags of what was taken on, so that a listing does not ask the queue again.
    taken: HashMap<String, String>,
    /// Keys of what lies deeper, and was warned of.
    warned: HashSet<String>,
    /// What a listing found, and is not looked at yet.
    found: VecDeque<ObjectInfo>,
}

/// The inboxes that hear of one queue of events, or of none.
pub(super) struct Group {
    inboxes: Vec<BucketInbox>,
    events: Option<EventQueue>,
    /// From one listing to the next.
    every: Duration,
    /// What failed at the last try, and was reported.
    troubled: HashSet<String>,
}

impl Group {
    /// Groups of inboxes, each given with the URL of its events or an empty text.
    pub(super) fn all(
        inboxes: Vec<(String, BucketInbox)>,
        s3: &S3Settings,
        every: Duration,
    ) -> Vec<Group> {
        let mut groups: BTreeMap<String, Vec<BucketInbox>> = BTreeMap::new();
        for (url, inbox) in inboxes {
            groups.entry(url).or_default().push(inbox);
        }
        let group = |(url, inboxes): (String, Vec<BucketInbox>)| Group {
            inboxes,
            events: (!url.is_empty()).then(|| EventQueue::open(&url, s3)),
            every,
            troubled: HashSet::new(),
        };
        groups.into_iter().map(group).collect()
    }

    /// Submits what is dropped, until `stop` asks to leave.
    pub(super) fn watch(&mut self, worker: &Worker, stop: &Stop) {
        let mut next = Duration::ZERO;
        while stop.level() == StopLevel::Running {
            if stop.clock().uptime() >= next {
                self.list_all(stop);
                next = stop.clock().uptime() + self.every;
            }
            let more = self.take_some(worker, stop);
            if self.events.is_none() {
                if !more {
                    stop.wait(Duration::from_secs(1).min(self.every));
                }
                continue;
            }
            let wait = if more { Duration::ZERO } else { self.every.min(LONGEST) };
            let heard = self.listen(worker, stop, wait);
            if heard.is_err() && !more {
                stop.wait(TROUBLED);
            }
            self.report("events not received".to_owned(), heard);
        }
    }

    /// Lists all inboxes: one that cannot be listed keeps no other from it.
    fn list_all(&mut self, stop: &Stop) {
        for index in 0..self.inboxes.len() {
            if stop.level() != StopLevel::Running {
                return;
            }
            let inbox = &mut self.inboxes[index];
            let what = format!("inbox s3://{}/{} not listed", inbox.bucket.name(), inbox.prefix);
            let listed = inbox.list();
            self.report(what, listed);
        }
    }

    /// Takes on some of what each inbox has, in turns. Whether there is more.
    fn take_some(&mut self, worker: &Worker, stop: &Stop) -> bool {
        for inbox in &mut self.inboxes {
            for _ in 0..BATCH {
                if stop.level() != StopLevel::Running {
                    return false;
                }
                let Some(info) = inbox.found.pop_front() else { break };
                inbox.take(worker, stop, info);
            }
        }
        self.inboxes.iter().any(|inbox| !inbox.found.is_empty())
    }

    /// Says a trouble once, until it is over.
    fn report(&mut self, what: String, result: Result<(), StoreError>) {
        match result {
            Ok(()) => {
                self.troubled.remove(&what);
            }
            Err(error) => {
                if self.troubled.insert(what.clone()) {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, what, "trouble with inbox");
                }
            }
        }
    }

    /// Takes on what a few messages speak of. A message is deleted when its jobs are in the queue:
    /// one that is not comes again.
    fn listen(&mut self, worker: &Worker, stop: &Stop, wait: Duration) -> Result<(), StoreError> {
        let Some(events) = &self.events else { return Ok(()) };
        let messages = events.receive(wait, &|| stop.level() != StopLevel::Running)?;
        let mut done = Vec::new();
        for message in messages {
            if hear_all(&mut self.inboxes, worker, stop, &message)? {
                done.push(message);
            }
        }
        // As if the request had been lost.
        if point!("inbox.heard").is_err() {
            return Ok(());
        }
        events.delete(&done)
    }
}

/// Whether nothing more is to be done about a message.
fn hear_all(
    inboxes: &mut [BucketInbox],
    worker: &Worker,
    stop: &Stop,
    message: &Message,
) -> Result<bool, StoreError> {
    let mut done = true;
    for event in &message.events {
        for inbox in &mut *inboxes {
            done &= inbox.hear(worker, stop, event)?;
        }
    }
    Ok(done)
}

impl BucketInbox {
    pub(super) fn new(bucket: Bucket, prefix: Option<Key>, route: InboxRoute) -> BucketInbox {
        let prefix = prefix.map(|prefix| format!("{prefix}/")).unwrap_or_default();
        let (taken, warned, found) = (HashMap::new(), HashSet::new(), VecDeque::new());
        BucketInbox { bucket, prefix, route, taken, warned, found }
    }

    /// Finds all that lies there.
    fn list(&mut self) -> Result<(), StoreError> {
        let found = self.bucket.list(&self.prefix)?;
        let keys: HashSet<&str> = found.iter().map(|info| info.key.as_str()).collect();
        self.taken.retain(|key, _| keys.contains(key.as_str()));
        self.found = found.into();
        Ok(())
    }

    /// Whether nothing more is to be done about an event.
    fn hear(&mut self, worker: &Worker, stop: &Stop, event: &Event) -> Result<bool, StoreError> {
        let is_here = event.bucket == self.bucket.name() && event.key.starts_with(&self.prefix);
        if !event.created || !is_here {
            return Ok(true);
        }
        // Gone or replaced since: the event of that comes too.
        match self.bucket.head(&event.key)? {
            Some(info) => Ok(self.take(worker, stop, info)),
            None => Ok(true),
        }
    }

    /// Whether an object was taken on, or is none that could be.
    fn take(&mut self, worker: &Worker, stop: &Stop, info: ObjectInfo) -> bool {
        let Some(name) = info.key.strip_prefix(&self.prefix) else { return true };
        if name.is_empty() || name.contains('/') {
            self.warn_of_stray(&info.key);
            return true;
        }
        if self.taken.get(&info.key) == Some(&info.etag) {
            return true;
        }
        if is_unfinished(name.as_bytes()) || is_placeholder(&info) {
            return true;
        }
        let original = Original::Object(ObjectOriginal {
            bucket: self.bucket.name().to_owned(),
            key: info.key.clone(),
            bytes: info.bytes,
            etag: info.etag.clone(),
            version: info.version,
        });
        let taken = self.route.submit(worker, Ok(original), stop);
        if taken {
            self.taken.insert(info.key, info.etag);
        }
        taken
    }

    /// Folders within an inbox hold no originals; the owner of one there waits for it. The
    /// marks of folders themselves, and where originals are put, are as they should be.
    fn warn_of_stray(&mut self, key: &str) {
        let own = key.ends_with('/')
            || self.route.puts_away_to(&format!("s3://{}/{key}", self.bucket.name()));
        if !own && self.warned.len() < 1000 && self.warned.insert(key.to_owned()) {
            tracing::warn!(bucket = self.bucket.name(), key, "ignored in inbox");
        }
    }
}

/// Whether an object is the empty one that file gateways put where they will put a whole one. The
/// next listing finds what became of it.
fn is_placeholder(info: &ObjectInfo) -> bool {
    let age = info.modified.and_then(|modified| modified.elapsed().ok());
    info.bytes == 0 && age.is_none_or(|age| age < PLACEHOLDER)
}
