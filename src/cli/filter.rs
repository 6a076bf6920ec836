//! `--filter`: a text that a cell's name, file or sentence holds, or an expression over them and the tags.
//! Reads the text once; asked about cells, it says yes or no.

use crate::model::Cell;
use crate::source::{Help, nearest_name};

/// What a cell must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// The name, the file or the sentence holds it.
    Any(String),
    Of(Field, String),
    Not(Box<Filter>),
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
}

/// What an atom looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Name,
    File,
    Title,
    Tag,
}

const FIELDS: [(&str, Field); 4] =
    [("name", Field::Name), ("file", Field::File), ("title", Field::Title), ("tag", Field::Tag)];

impl Filter {
    /// Reads an expression; a text without parentheses, signs, `and`, `or`, `not` stands for itself.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words = text.split_whitespace();
        let plain = !text.contains(['(', ')', '&', '|', '!']);
        if plain && !words.clone().any(|word| matches!(word, "and" | "or" | "not")) {
            return match text.trim() {
                "" => Err("--filter is empty".to_owned()),
                text => Ok(Filter::Any(text.to_owned())),
            };
        }
        let mut reader = Reader { rest: text };
        let filter = reader.either()?;
        if reader.rest.trim_start().is_empty() { Ok(filter) } else { Err(reader.stuck("`and`, `or` or the end")) }
    }

    /// Returns whether a cell is meant.
    pub fn fits(&self, name: &str, cell: &Cell) -> bool {
        let scenario = &cell.scenario;
        match self {
            Filter::Any(text) => [name, &scenario.file, &scenario.title].iter().any(|one| one.contains(&**text)),
            Filter::Of(Field::Name, text) => name.contains(&**text),
            Filter::Of(Field::File, text) => scenario.file.contains(&**text),
            Filter::Of(Field::Title, text) => scenario.title.contains(&**text),
            Filter::Of(Field::Tag, text) => scenario.tags.contains(text),
            Filter::Not(one) => !one.fits(name, cell),
            Filter::And(one, other) => one.fits(name, cell) && other.fits(name, cell),
            Filter::Or(one, other) => one.fits(name, cell) || other.fits(name, cell),
        }
    }
}

/// Reads from the front of a text.
struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    fn either(&mut self) -> Result<Filter, String> {
        let mut filter = self.both()?;
        while self.take(&["or", "||", "|"]) {
            filter = Filter::Or(Box::new(filter), Box::new(self.both()?));
        }
        Ok(filter)
    }

    fn both(&mut self) -> Result<Filter, String> {
        let mut filter = self.one()?;
        while self.take(&["and", "&&", "&"]) {
            filter = Filter::And(Box::new(filter), Box::new(self.one()?));
        }
        Ok(filter)
    }

    fn one(&mut self) -> Result<Filter, String> {
        if self.take(&["not", "!"]) {
            return Ok(Filter::Not(Box::new(self.one()?)));
        }
        if self.take(&["("]) {
            let filter = self.either()?;
            return if self.take(&[")"]) { Ok(filter) } else { Err(self.stuck("`)`")) };
        }
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|c: char| c.is_whitespace() || "()&|!".contains(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        if word.is_empty() || matches!(word, "and" | "or") {
            return Err(self.stuck("a text, or name(…), file(…), title(…), tag(…)"));
        }
        let Some(inside) = rest.strip_prefix('(') else {
            self.rest = rest;
            return Ok(Filter::Any(word.to_owned()));
        };
        let Some((_, field)) = FIELDS.iter().find(|(name, _)| *name == word) else {
            let near = nearest_name(word, FIELDS.map(|(name, _)| name));
            let near = near.map_or_else(String::new, |near| format!("; {}", Help::did_you_mean(format!("{near}(…)"))));
            return Err(format!("--filter knows no `{word}(…)`: there are name, file, title and tag{near}"));
        };
        let Some((text, rest)) = inside.split_once(')') else { return Err(self.stuck("`)` after it")) };
        self.rest = rest;
        Ok(Filter::Of(*field, text.trim().to_owned()))
    }

    /// Takes one of some words or signs, if it comes next.
    fn take(&mut self, words: &[&str]) -> bool {
        let rest = self.rest.trim_start();
        let after = words.iter().find_map(|word| {
            let after = rest.strip_prefix(word)?;
            let is_word = word.starts_with(char::is_alphabetic);
            let ends = after.chars().next().is_none_or(|c| c.is_whitespace() || c == '(');
            (!is_word || ends).then_some(after)
        });
        self.rest = after.unwrap_or(rest);
        after.is_some()
    }

    fn stuck(&self, expected: &str) -> String {
        match self.rest.trim() {
            "" => format!("--filter ends early: {expected} is missing"),
            rest => format!("--filter expects {expected} at `{rest}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_bind_as_everywhere() {
        let any = |text: &str| Box::new(Filter::Any(text.to_owned()));
        let tag = |text: &str| Box::new(Filter::Of(Field::Tag, text.to_owned()));
        assert_eq!(Filter::parse("after five"), Ok(*any("after five")));
        assert_eq!(
            Filter::parse("a or b and not c"),
            Ok(Filter::Or(any("a"), Box::new(Filter::And(any("b"), Box::new(Filter::Not(any("c")))))))
        );
        assert_eq!(
            Filter::parse("(a|tag(x y))&!b"),
            Ok(Filter::And(Box::new(Filter::Or(any("a"), tag("x y"))), Box::new(Filter::Not(any("b")))))
        );
        assert_eq!(Filter::parse("order and norm"), Ok(Filter::And(any("order"), any("norm"))));
        for wrong in ["", "a and", "(a", "tag(x", "color(red)", "a b and c", "or", "!"] {
            assert!(Filter::parse(wrong).is_err(), "{wrong}");
        }
    }
}
