//! How the table of words is written; its lines stand in `scenario_words` and `topology_words`. A new key is a new line
//! there, and nowhere else.
//!
//! Each line says `key`, what it takes, and what it means. What it takes is written in words of `kinds`, several parted
//! by ` | `: `text`, `bool`, `int`, `int:0..9`, `duration`, `size`, `count`, `word:a,b`, `[kind]` for a list, `{kind}` for a map of
//! any keys, `@object` for an object of this table, `any`. A `!` behind the key: it must be there.

/// One kind of map in a file.
#[derive(Debug, Clone, Copy)]
pub struct Object {
    /// As other lines refer to it.
    pub name: &'static str,
    pub words: &'static [Word],
}

/// One key: its name (`!` behind it when it must be there), what it takes, what it means.
pub type Word = (&'static str, &'static str, &'static str);

pub(crate) const fn object(name: &'static str, words: &'static [Word]) -> Object {
    Object { name, words }
}
