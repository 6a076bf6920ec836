//! Finds what was opened and never closed: a bracket, a quote.
//! Takes a text up to the place where YAML gave up; gives where the culprit stands. Reads as a person does, not as YAML.

/// What is open at the end of a stretch of text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unclosed {
    /// The innermost bracket that is open.
    pub bracket: Option<usize>,
    /// The quote that is open.
    pub quote: Option<usize>,
    /// A `#` inside brackets that hid a closing bracket on its line.
    pub hiding_comment: Option<usize>,
}

/// Scans the bytes `start..end`; `start` must stand outside of brackets and quotes.
pub fn scan(text: &str, start: usize, end: usize) -> Unclosed {
    let bytes = text.as_bytes();
    let mut brackets: Vec<usize> = Vec::new();
    let mut quote: Option<(u8, usize)> = None;
    let mut hiding_comment = None;
    let mut at = start;
    while at < end.min(bytes.len()) {
        let byte = bytes[at];
        let before = if at == 0 { b'\n' } else { bytes[at - 1] };
        match quote {
            Some((b'"', _)) if byte == b'\\' => at += 1,
            Some((open, _)) if byte == open => quote = None,
            Some(_) => {}
            None => match byte {
                b'"' | b'\'' if matches!(before, b' ' | b'\n' | b'\t' | b'[' | b'{' | b',' | b':') => {
                    quote = Some((byte, at))
                }
                b'[' | b'{' if !brackets.is_empty() || matches!(before, b' ' | b'\n') => brackets.push(at),
                b']' | b'}' => drop(brackets.pop()),
                b'#' if matches!(before, b' ' | b'\n' | b'\t') => {
                    let line = bytes[at..].iter().position(|b| *b == b'\n').map_or(bytes.len(), |length| at + length);
                    if !brackets.is_empty() && bytes[at..line].iter().any(|b| matches!(b, b']' | b'}')) {
                        hiding_comment = Some(at);
                    }
                    at = line;
                }
                _ => {}
            },
        }
        at += 1;
    }
    let hiding_comment = hiding_comment.filter(|_| !brackets.is_empty());
    Unclosed { bracket: brackets.last().copied(), quote: quote.map(|(_, at)| at), hiding_comment }
}
