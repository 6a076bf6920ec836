//! What a WebAssembly module offers its host: four functions and its memory, without code that a tool makes for both sides.
//! The host writes the words of a request to `rmqplay_input`, calls `rmqplay_answer`, and reads at `rmqplay_output`. A module that
//! trapped is thrown away; what it said last is at `rmqplay_output` too.

use crate::playground::answer;
use std::cell::RefCell;

thread_local! {
    /// What the host writes to, and reads from.
    static EXCHANGED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Makes room for so many bytes, and returns where they are written.
#[unsafe(no_mangle)]
extern "C" fn rmqplay_input(length: usize) -> *mut u8 {
    EXCHANGED.with_borrow_mut(|bytes| {
        bytes.clear();
        bytes.resize(length, 0);
        bytes.as_mut_ptr()
    })
}

/// Answers what was written, a word and a request with a line end between them; returns how long the answer is.
#[unsafe(no_mangle)]
extern "C" fn rmqplay_answer() -> usize {
    std::panic::set_hook(Box::new(|panic| {
        keep(panic.to_string());
    }));
    let said = EXCHANGED.take();
    let said = String::from_utf8_lossy(&said);
    let (what, request) = said.split_once('\n').unwrap_or((&said, "{}"));
    keep(answer(what, request))
}

/// Returns where the answer is read.
#[unsafe(no_mangle)]
extern "C" fn rmqplay_output() -> *const u8 {
    EXCHANGED.with_borrow(|bytes| bytes.as_ptr())
}

/// Returns how long it is.
#[unsafe(no_mangle)]
extern "C" fn rmqplay_output_length() -> usize {
    EXCHANGED.with_borrow(Vec::len)
}

fn keep(text: String) -> usize {
    let length = text.len();
    EXCHANGED.set(text.into_bytes());
    length
}
