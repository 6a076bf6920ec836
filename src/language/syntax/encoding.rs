//! From bytes to a text that can be parsed: encoding, size, emptiness.
//! Takes what was read from a file; gives the text with its id, or the one problem that ends it. BOM and CRLF are fine.

use crate::source::{Code, FileId, Problem, Sources, Span};

/// The most that a hand-written file may hold.
const WRITTEN_BYTES_MAX: usize = 8 << 20;

/// The most that an export may hold.
const EXPORT_BYTES_MAX: usize = 64 << 20;

/// Adds the text to the sources; on failure the sources hold an empty or partial text under that name.
pub fn take(sources: &mut Sources, name: &str, bytes: &[u8]) -> Result<FileId, Problem> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return Err(not_utf8(sources, name, bytes, error.valid_up_to())),
    };
    if text.len() > limit(text) {
        return Err(too_large(sources, name, text));
    }
    let file = sources.add(name, text);
    if let Some(at) = text.find('\0') {
        let problem = Problem::new(Code::FileNotText, format!("{name} holds a zero byte, so it is not a text file"));
        return Err(problem.at(Span::new(file, at, at + 1), "here").help("is this the file that you meant?"));
    }
    let blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#') || line.trim() == "---";
    if text.trim_start_matches('\u{feff}').lines().all(blank) {
        let problem = Problem::new(Code::FileEmpty, format!("{name} is empty"));
        return Err(problem
            .at(Span::new(file, 0, 0), "nothing is declared here")
            .help("a topology begins with `queues:` or `exchanges:`, a scenario with `scenario:` and what it shows"));
    }
    Ok(file)
}

/// Returns how much may be read of such a text. The keys that tell an export may stand anywhere: `rabbitmqctl export_definitions`
/// writes its keys by the alphabet or in no order, so that all bindings come before them.
fn limit(text: &str) -> usize {
    let marks = ["\"rabbit_version\"", "\"rabbitmq_version\"", "\"rabbitmq_definition_format\""];
    let is_export = text.len() > WRITTEN_BYTES_MAX && marks.iter().any(|mark| text.contains(mark));
    if is_export { EXPORT_BYTES_MAX } else { WRITTEN_BYTES_MAX }
}

fn not_utf8(sources: &mut Sources, name: &str, bytes: &[u8], valid: usize) -> Problem {
    let shown = String::from_utf8_lossy(&bytes[..valid]).into_owned();
    let file = sources.add(name, shown);
    let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    let help = if utf16 { "it looks like UTF-16: save it as UTF-8" } else { "save the file as UTF-8" };
    let message = format!("{name} is not UTF-8: byte {valid} cannot be read");
    Problem::new(Code::FileNotUtf8, message).at(Span::new(file, valid, valid), "readable up to here").help(help)
}

fn too_large(sources: &mut Sources, name: &str, text: &str) -> Problem {
    let file = sources.add(name, "");
    let (size, most) = (text.len() >> 20, limit(text) >> 20);
    let message = format!("{name} is too large: {size} MiB, and at most {most} MiB are read");
    let help = "split it, or pass a broker's export as it came: exports may hold 64 MiB";
    Problem::new(Code::FileTooLarge, message).at(Span::new(file, 0, 0), "").help(help)
}
