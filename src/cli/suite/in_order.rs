//! Work on many things at once whose results are taken one after another, in order.
//! Takes what is done and what takes it; decides nothing else. Nobody is woken for a result: who has the next one hands it over.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How many results a worker may be ahead of who takes them: one that takes long must not let the others fill the memory.
const AHEAD_OF_A_WORKER: usize = 32;

/// The stack of a worker, as the main thread has it.
const STACK_BYTES: usize = 8 << 20;

/// A result, or the panic in its place.
type Done<T> = Result<T, Box<dyn Any + Send>>;

struct WorkState<T, F> {
    /// The next that nobody began.
    next: usize,
    /// How many were taken.
    taken: usize,
    stopped: bool,
    ready: BTreeMap<usize, Done<T>>,
    /// What takes results; absent while a worker hands some to it.
    take: Option<F>,
    /// How many workers wait for room.
    waiting: usize,
    panic: Option<Box<dyn Any + Send>>,
}

/// What workers share.
struct SharedWork<T, F> {
    state: Mutex<WorkState<T, F>>,
    has_room: Condvar,
    count: usize,
    ahead_max: usize,
}

/// Does `work` for each number below `count`, `jobs` at once, and hands the results to `take` in order, one after another, on the
/// thread of whoever has the next one; `take` returns whether it wants more.
///
/// # Panics
/// When `work` or `take` does, with what it said, once its turn comes.
pub(crate) fn in_order<T: Send>(
    count: usize,
    jobs: usize,
    work: impl Fn(usize) -> T + Sync,
    mut take: impl FnMut(usize, T) -> bool + Send,
) {
    let jobs = jobs.min(count);
    if jobs <= 1 {
        let _ = (0..count).try_for_each(|index| take(index, work(index)).then_some(()));
        return;
    }
    let state = WorkState {
        next: 0,
        taken: 0,
        stopped: false,
        ready: BTreeMap::new(),
        take: Some(take),
        waiting: 0,
        panic: None,
    };
    let shared =
        SharedWork { state: Mutex::new(state), has_room: Condvar::new(), count, ahead_max: jobs * AHEAD_OF_A_WORKER };
    std::thread::scope(|scope| {
        let begin = || std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, || shared.work(&work));
        let begun = (0..jobs).filter(|_| begin().is_ok()).count();
        // The system gives no thread: then it is done here.
        if begun == 0 {
            shared.work(&work);
        }
    });
    let state = shared.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(panic) = state.panic {
        resume_unwind(panic);
    }
}

impl<T, F: FnMut(usize, T) -> bool> SharedWork<T, F> {
    /// Works until nothing is left, or nobody wants more.
    fn work(&self, work: &(impl Fn(usize) -> T + Sync)) {
        let mut state = self.locked();
        loop {
            while !state.stopped && state.next < self.count && state.next >= state.taken + self.ahead_max {
                state.waiting += 1;
                state = self.has_room.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.waiting -= 1;
            }
            if state.stopped || state.next >= self.count {
                return;
            }
            let index = state.next;
            state.next += 1;
            drop(state);
            let done = catch_unwind(AssertUnwindSafe(|| work(index)));
            state = self.locked();
            state.ready.insert(index, done);
            state = self.hand_over(state);
        }
    }

    /// Hands over what is next, unless another worker does; that one sees what came meanwhile.
    fn hand_over<'s>(&'s self, mut state: MutexGuard<'s, WorkState<T, F>>) -> MutexGuard<'s, WorkState<T, F>> {
        let Some(mut take) = state.take.take() else { return state };
        while !state.stopped {
            let index = state.taken;
            let Some(done) = state.ready.remove(&index) else { break };
            drop(state);
            let taken = done.and_then(|done| catch_unwind(AssertUnwindSafe(|| take(index, done))));
            state = self.locked();
            state.taken = index + 1;
            match taken {
                Ok(goes_on) => state.stopped = !goes_on,
                Err(panic) => (state.stopped, state.panic) = (true, Some(panic)),
            }
            if state.waiting > 0 {
                self.has_room.notify_all();
            }
        }
        state.take = Some(take);
        state
    }

    fn locked(&self) -> MutexGuard<'_, WorkState<T, F>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
