//! Work on many things at once whose results are taken one after another, in order.
//! Takes what is done and what takes it; decides nothing else.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How many results a worker may be ahead of who takes them: one that takes long must not let the others fill the memory.
const AHEAD_OF_A_WORKER: usize = 32;

/// The stack of a worker, as the main thread has it.
const STACK_BYTES: usize = 8 << 20;

struct WorkState<T> {
    /// The next that nobody began.
    next: usize,
    /// How many were taken.
    taken: usize,
    stopped: bool,
    ready: BTreeMap<usize, Result<T, Box<dyn Any + Send>>>,
}

/// Does `work` for each number below `count`, `jobs` at once, and hands the results to `take` in order, on this thread; `take`
/// returns whether it wants more.
///
/// # Panics
/// When `work` does, with what it said, once its turn comes.
pub(crate) fn in_order<T: Send>(
    count: usize,
    jobs: usize,
    work: impl Fn(usize) -> T + Sync,
    mut take: impl FnMut(usize, T) -> bool,
) {
    let jobs = jobs.min(count);
    if jobs <= 1 {
        let _ = (0..count).try_for_each(|index| take(index, work(index)).then_some(()));
        return;
    }
    let progress = Mutex::new(WorkState { next: 0, taken: 0, stopped: false, ready: BTreeMap::new() });
    let (has_room, is_ready) = (Condvar::new(), Condvar::new());
    let lock = || progress.lock().unwrap_or_else(PoisonError::into_inner);
    let wait = |condition: &Condvar, guard| -> MutexGuard<'_, WorkState<T>> {
        condition.wait(guard).unwrap_or_else(PoisonError::into_inner)
    };
    let worker = || {
        loop {
            let mut state = lock();
            while !state.stopped && state.next < count && state.next >= state.taken + jobs * AHEAD_OF_A_WORKER {
                state = wait(&has_room, state);
            }
            if state.stopped || state.next >= count {
                return;
            }
            let index = state.next;
            state.next += 1;
            drop(state);
            let done = catch_unwind(AssertUnwindSafe(|| work(index)));
            lock().ready.insert(index, done);
            is_ready.notify_one();
        }
    };
    std::thread::scope(|scope| {
        let begun = (0..jobs)
            .filter(|_| std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, worker).is_ok())
            .count();
        for index in 0..count {
            let mut state = lock();
            let done = loop {
                match state.ready.remove(&index) {
                    Some(done) => break done,
                    // The system gives no thread: then it is done here.
                    None if begun == 0 => break Ok(work(index)),
                    None => state = wait(&is_ready, state),
                }
            };
            state.taken = index + 1;
            drop(state);
            has_room.notify_all();
            let goes_on = match done {
                Ok(done) => take(index, done),
                Err(panic) => {
                    lock().stopped = true;
                    has_room.notify_all();
                    resume_unwind(panic)
                }
            };
            if !goes_on {
                break;
            }
        }
        lock().stopped = true;
        has_room.notify_all();
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_and_an_end_is_an_end() {
        for jobs in [1, 2, 7, 1_000] {
            let mut taken = Vec::new();
            let work = |index: usize| {
                // The first ones take longest.
                std::thread::sleep(std::time::Duration::from_micros(300 / (index as u64 + 1)));
                index * 2
            };
            in_order(500, jobs, work, |index, twice| {
                taken.push((index, twice));
                taken.len() < 400
            });
            assert_eq!(taken, (0..400).map(|index| (index, index * 2)).collect::<Vec<_>>(), "{jobs} jobs");
        }
        in_order(0, 4, |_| (), |_, ()| panic!("there is nothing"));
    }

    #[test]
    fn a_panic_of_the_work_is_one_of_the_caller() {
        let quiet = std::panic::AssertUnwindSafe(|| {
            in_order(50, 4, |index| if index == 30 { resume_unwind(Box::new("thirty")) } else { index }, |_, _| true);
        });
        let panic = catch_unwind(quiet).expect_err("it panics");
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"thirty"));
    }
}
