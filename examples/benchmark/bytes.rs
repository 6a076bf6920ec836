//! The allocator of the program, which counts the bytes that are held while it is told to.

use mimalloc::MiMalloc;
use std::alloc::{GlobalAlloc, Layout};
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering};

pub struct Counting;

static ON: AtomicBool = AtomicBool::new(false);
static HELD: AtomicIsize = AtomicIsize::new(0);

/// Returns how many more bytes are held after `work` than before, and what it gave.
pub fn held_by<T>(work: impl FnOnce() -> T) -> (isize, T) {
    HELD.store(0, Ordering::Relaxed);
    ON.store(true, Ordering::Relaxed);
    let given = work();
    ON.store(false, Ordering::Relaxed);
    (HELD.load(Ordering::Relaxed), given)
}

fn count(bytes: isize) {
    if ON.load(Ordering::Relaxed) {
        HELD.fetch_add(bytes, Ordering::Relaxed);
    }
}

// SAFETY: everything is handed on to the program's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { MiMalloc.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        unsafe { MiMalloc.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        unsafe { MiMalloc.realloc(place, layout, size) }
    }
}
