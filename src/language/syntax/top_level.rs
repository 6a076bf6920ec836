//! The keys at the first column of a text: what a file is about, and where a broken part of it ends.
//! Takes a text, returns places. Reads lines, not YAML.

/// Lists where lines begin with a key at their first column.
pub fn top_level_keys(text: &str) -> impl Iterator<Item = usize> {
    let mut at = 0;
    text.split_inclusive('\n').filter_map(move |line| {
        let start = at;
        at += line.len();
        let word = line.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-' && c != '"')?;
        (word > 0 && line[word..].trim_start_matches(' ').starts_with(':')).then_some(start)
    })
}
