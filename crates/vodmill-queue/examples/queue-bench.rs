//! How fast a queue is: tasks claimed and completed in a second, and what a claim costs behind a
//! backlog.
//!
//! `queue-bench PLACE [BACKLOG]`: PLACE is a new file, or the URL of an empty PostgreSQL database;
//! BACKLOG is the number of ready tasks, 100,000 unless given. Prints one JSON object.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use vodmill_queue::{
    ClaimFilter, Completion, Lease, NewJob, NewTask, PostgresQueue, Queue, SqliteQueue,
};

/// Tasks in a job of the backlog.
const TASKS: usize = 1000;
/// Pipelines that the backlog is of.
const PIPELINES: usize = 5;
/// How long throughput is measured.
const SPAN: Duration = Duration::from_secs(5);

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let place = args.next().context("usage: queue-bench PLACE [BACKLOG]")?;
    let backlog = args.next().map_or(Ok(100_000), |count| count.parse())?;
    let queue = open(&place)?;
    let start = Instant::now();
    fill(&*queue, backlog)?;
    let filled = backlog as f64 / start.elapsed().as_secs_f64();
    let claim = median(201, || claim(&*queue)?.map(drop).context("the backlog is too small"))?;
    let count = median(21, || queue.backlog().map(drop).map_err(Into::into))?;
    let one = throughput(&queue, 1)?;
    let four = throughput(&queue, 4)?;
    println!(
        "{{\"backlog\":{backlog},\"enqueued_per_s\":{filled:.0},\"claim_ms\":{:.2},\
         \"backlog_ms\":{:.1},\"tasks_per_s_1_thread\":{one:.0},\"tasks_per_s_4_threads\":{four:.0}}}",
        claim.as_secs_f64() * 1e3,
        count.as_secs_f64() * 1e3,
    );
    Ok(())
}

fn open(place: &str) -> anyhow::Result<Arc<dyn Queue>> {
    Ok(match place.contains("://") {
        true => Arc::new(PostgresQueue::open(place)?),
        false => Arc::new(SqliteQueue::open(place)?),
    })
}

fn fill(queue: &dyn Queue, backlog: usize) -> anyhow::Result<()> {
    for job in 0..backlog.div_ceil(TASKS) {
        let id = format!("job{job}");
        let pipeline = format!("pipeline{}", job % PIPELINES);
        let (name, source) = (id.clone(), id.clone());
        let job = NewJob { id, pipeline, name, source, payload: "{}".into(), priority: 0 };
        // One waits for the others, as packaging does.
        let mut tasks: Vec<NewTask> = (0..TASKS).map(|at| task(at, "video")).collect();
        tasks.push(NewTask { after: vec!["0".into()], ..task(TASKS, "package") });
        queue.enqueue(&job, &tasks)?;
    }
    Ok(())
}

fn task(at: usize, kind: &str) -> NewTask {
    NewTask { key: at.to_string(), kind: kind.into(), payload: "{}".into(), ..NewTask::default() }
}

fn claim(queue: &dyn Queue) -> anyhow::Result<Option<Lease>> {
    Ok(queue.claim("bench", Duration::from_secs(600), &ClaimFilter::default())?)
}

fn median(times: usize, mut run: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<Duration> {
    let mut spans = Vec::with_capacity(times);
    for _ in 0..times {
        let start = Instant::now();
        run()?;
        spans.push(start.elapsed());
    }
    spans.sort();
    Ok(spans[times / 2])
}

/// Tasks claimed and completed in a second.
fn throughput(queue: &Arc<dyn Queue>, threads: usize) -> anyhow::Result<f64> {
    let done = AtomicUsize::new(0);
    let start = Instant::now();
    let work = || -> anyhow::Result<()> {
        while start.elapsed() < SPAN {
            let lease = claim(&**queue)?.context("the backlog is too small")?;
            queue.complete(&lease, &Completion::default())?;
            done.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().all(|worker| matches!(worker.join(), Ok(Ok(()))))
    })
    .then_some(())
    .context("a worker failed")?;
    ensure!(done.load(Ordering::Relaxed) > 0, "nothing was done");
    Ok(done.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64())
}
