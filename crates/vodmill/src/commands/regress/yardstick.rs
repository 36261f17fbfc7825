//! Processor time in a measure that goes with the machine: that of drawing a clip, on as many
//! threads as work side by side, before the work and after it.

use rustix::time::{ClockId, clock_gettime};
use vodmill_regress::Clip;

use crate::config::Config;

/// Milliseconds of processor time of a drawing.
pub fn measure(config: &Config) -> u64 {
    let threads = match config.settings.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => workers as usize,
    };
    let times: Vec<u64> = std::thread::scope(|scope| {
        let drawing: Vec<_> = (0..threads).map(|_| scope.spawn(draw)).collect();
        drawing.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    times.iter().sum::<u64>() / times.len().max(1) as u64
}

fn draw() -> u64 {
    let before = thread_ms();
    std::hint::black_box(Clip::Detail.make());
    thread_ms() - before
}

fn thread_ms() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    (time.tv_sec * 1000 + time.tv_nsec / 1_000_000).unsigned_abs()
}

/// Processor time in thousandths of the yardstick; none where nothing was encoded.
pub fn thousandths(cpu_ms: u64, yardsticks_ms: u64) -> Option<u64> {
    (cpu_ms * 2000).checked_div(yardsticks_ms).filter(|&cpu| cpu > 0)
}
