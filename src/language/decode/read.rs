//! Readers of single values: what a key takes, and what is wrong with what it got.
//! Takes a node, gives a value or the reason. Never quotes what it found: it might be a secret.

use crate::language::syntax::tree::{Node, NodeKind, Style};
use crate::model::{Count, DurationError, LateValue, Millis, Name, Table, Text, Value};
use crate::rules::SHORT_STRING_BYTES_MAX;
use crate::source::Help;

/// A scalar that belongs at some place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedScalar {
    Text,
    WholeNumber,
    Switch,
}

impl ExpectedScalar {
    /// Returns the words for it.
    pub fn words(self) -> &'static str {
        match self {
            ExpectedScalar::Text => "a text",
            ExpectedScalar::WholeNumber => "a whole number",
            ExpectedScalar::Switch => "true or false",
        }
    }
}

/// Why a value cannot be read.
#[derive(Debug, Clone, PartialEq)]
pub enum DecodeError {
    /// Something of another kind; these words say what belongs here.
    Kind(&'static str),
    /// Something else than a text, a whole number or a switch.
    Scalar(ExpectedScalar),
    /// The right kind, but no such value.
    Value { message: String, help: Option<Help> },
    /// The same, in a sentence of its own.
    Sentence { message: String, help: Option<Help> },
    /// Was a problem already.
    Known,
}

pub type Read<T> = Result<T, DecodeError>;

fn kind<T>(node: &Node, expected: &'static str) -> Read<T> {
    Err(if matches!(node.kind, NodeKind::Faulty) { DecodeError::Known } else { DecodeError::Kind(expected) })
}

fn scalar<T>(node: &Node, expected: ExpectedScalar) -> Read<T> {
    Err(if matches!(node.kind, NodeKind::Faulty) { DecodeError::Known } else { DecodeError::Scalar(expected) })
}

fn sentence<T>(message: impl Into<String>, help: impl Into<Help>) -> Read<T> {
    Err(DecodeError::Sentence { message: message.into(), help: Some(help.into()) })
}

fn value<T>(message: impl Into<String>, help: impl Into<Help>) -> Read<T> {
    Err(DecodeError::Value { message: message.into(), help: Some(help.into()) })
}

/// Reads a text; what a template rendered to a number counts as text.
pub fn text(node: &Node) -> Read<String> {
    match &node.kind {
        NodeKind::Text(text) => Ok(text.to_string()),
        NodeKind::Integer(n) if node.style == Style::Rendered => Ok(n.to_string()),
        NodeKind::Float(n) if node.style == Style::Rendered => Ok(n.to_string()),
        NodeKind::Bool(yes) if node.style == Style::Rendered => Ok(yes.to_string()),
        _ => scalar(node, ExpectedScalar::Text),
    }
}

/// Reads a text that AMQP carries as a short string.
pub fn name(node: &Node) -> Read<Name> {
    let text = match &node.kind {
        NodeKind::Text(text) => text.clone(),
        _ => text(node)?.into(),
    };
    if text.len() > SHORT_STRING_BYTES_MAX {
        let message = format!("is {} bytes long, and AMQP carries at most {SHORT_STRING_BYTES_MAX}", text.len());
        return value(message, "shorten it");
    }
    Ok(text)
}

/// Reads true or false.
pub fn boolean(node: &Node) -> Read<bool> {
    match &node.kind {
        NodeKind::Bool(yes) => Ok(*yes),
        NodeKind::Text(text) if node.style == Style::Rendered && text == "true" => Ok(true),
        NodeKind::Text(text) if node.style == Style::Rendered && text == "false" => Ok(false),
        _ => scalar(node, ExpectedScalar::Switch),
    }
}

/// What to do about a number that no AMQP integer holds.
const LARGEST: &str = "the largest number that AMQP carries is 9223372036854775807";

/// Reads a whole number.
pub fn integer(node: &Node) -> Read<i64> {
    match &node.kind {
        NodeKind::Integer(n) => Ok(*n),
        NodeKind::Big(_) => value("is too large", LARGEST),
        NodeKind::Float(n) if n.fract() == 0.0 && n.abs() > i64::MAX as f64 => value("is too large", LARGEST),
        NodeKind::Text(text) if node.style == Style::Rendered => match crate::language::syntax::scalar::integer(text) {
            Some(NodeKind::Integer(n)) => Ok(n),
            _ => scalar(node, ExpectedScalar::WholeNumber),
        },
        _ => scalar(node, ExpectedScalar::WholeNumber),
    }
}

/// Reads a whole number between two bounds.
pub fn between<T: TryFrom<i64> + std::fmt::Display + Copy>(low: T, high: T) -> impl Fn(&Node) -> Read<T>
where
    i64: From<T>,
{
    move |node| {
        let n = integer(node)?;
        match T::try_from(n) {
            Ok(fits) if (i64::from(low)..=i64::from(high)).contains(&n) => Ok(fits),
            _ => value(format!("takes a number from {low} to {high}"), "choose a number in that range"),
        }
    }
}

/// What a duration looks like.
const DURATIONS: &str = "a duration is a number with a unit: 250ms, 5s, 2m, 7d";

/// Reads a length of time, `250ms`.
pub fn duration(node: &Node) -> Read<Millis> {
    match &node.kind {
        NodeKind::Text(text) => {
            let bare = text.trim().parse::<f64>().is_ok();
            text.parse().or_else(|reason: DurationError| match bare || reason.is_of_units() {
                true => sentence(reason.to_string(), DURATIONS),
                false => sentence(format!("`{text}` is not a duration"), DURATIONS),
            })
        }
        NodeKind::Integer(0) => Ok(Millis(0)),
        NodeKind::Integer(_) | NodeKind::Float(_) => {
            value("needs a unit of time", "write 250ms, 5s, 2m or 7d; a bare number would not say what it counts")
        }
        _ => kind(node, "a duration like 5s"),
    }
}

/// Reads a number of bytes, `10MB`, `64KiB` or a bare number.
pub fn size(node: &Node) -> Read<i64> {
    const UNITS: [(&str, i64); 8] = [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("kB", 1_000),
        ("KB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("B", 1),
    ];
    let NodeKind::Text(text) = &node.kind else {
        return integer(node).or_else(|_| kind(node, "a size like 10MB"));
    };
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let factor = UNITS.iter().find(|(word, _)| *word == unit.trim()).map(|(_, factor)| *factor);
    let factor = factor.or((unit.is_empty() && node.style == Style::Rendered).then_some(1));
    match (digits.parse::<i64>().ok(), factor) {
        (Some(n), Some(factor)) if n.checked_mul(factor).is_some() => Ok(n * factor),
        _ => sentence(format!("`{text}` is not a size"), size_help(digits, unit.trim())),
    }
}

/// Returns how a size is written: in the units that the letter of an unknown one may stand for.
fn size_help(digits: &str, unit: &str) -> String {
    let Some(letter) = unit.chars().next().filter(|_| !digits.is_empty() && digits.len() <= 15) else {
        return "a size is a number of bytes, or a number with kB, MB, GB, KiB, MiB or GiB: 10MB".to_owned();
    };
    let both = match letter.to_ascii_lowercase() {
        'k' => [("kB", "thousand"), ("KiB", "times 1,024")],
        'm' => [("MB", "million"), ("MiB", "times 1,048,576")],
        'g' => [("GB", "thousand million"), ("GiB", "times 1,073,741,824")],
        _ => {
            return format!(
                "a size is a number of bytes, or a number with a unit: {digits}kB, {digits}MB or {digits}GiB"
            );
        }
    };
    let [(decimal, thousands), (binary, times)] = both;
    format!("write {digits}{decimal} ({digits} {thousands} bytes) or {digits}{binary} ({digits} {times})")
}

/// Reads `3`, `">=3"` or `"1..5"`.
pub fn count(node: &Node) -> Read<Count> {
    match &node.kind {
        NodeKind::Integer(n) if *n >= 0 => Ok(Count::exactly(n.unsigned_abs())),
        NodeKind::Integer(_) => value("cannot be negative", "write 3, \">=3\", \"<3\" or \"1..5\""),
        // A bare `>3` begins a folded text, which is empty.
        NodeKind::Text(text) if text.is_empty() => {
            value("holds no count", "a comparison stands in quotes: \">=3\", \">3\"")
        }
        NodeKind::Text(text) => {
            let wrong = |_| sentence(format!("`{text}` is not a count"), "a count is 3, \">=3\", \"<3\" or \"1..5\"");
            text.parse().or_else(wrong)
        }
        _ => kind(node, "a count like 3 or \">=3\""),
    }
}

/// Reads one of a few words.
pub fn word(words: &'static [&'static str]) -> impl Fn(&Node) -> Read<&'static str> {
    move |node| {
        let listed = || crate::language::decode::suggestions::listed(words);
        let text = text(node).or_else(|wrong| match wrong {
            DecodeError::Scalar(_) => value("takes a word", format!("there are: {}", listed())),
            other => Err(other),
        })?;
        match words.iter().find(|word| **word == text) {
            Some(word) => Ok(word),
            None => value(
                format!("knows no `{text}`"),
                crate::language::decode::suggestions::suggest(&text, words.iter().copied(), "there are"),
            ),
        }
    }
}

/// Reads a text that may be rendered late.
pub fn late_text(node: &Node) -> Read<Text> {
    match &node.kind {
        NodeKind::Late(template) => Ok(Text::Template((**template).clone())),
        _ => name_or_longer(node),
    }
}

fn name_or_longer(node: &Node) -> Read<Text> {
    text(node).map(|text| Text::Fixed(text.into()))
}

/// Reads a short string that may be rendered late.
pub fn late_name(node: &Node) -> Read<Text> {
    match &node.kind {
        NodeKind::Late(template) => Ok(Text::Template((**template).clone())),
        _ => name(node).map(Text::Fixed),
    }
}

/// Reads an AMQP value: plain scalars as RabbitMQ's JSON mapping, `{$int8: 5}` and its like force a type.
pub fn amqp(node: &Node) -> Read<Value> {
    Ok(match &node.kind {
        NodeKind::Null => Value::Void,
        NodeKind::Bool(yes) => Value::Bool(*yes),
        NodeKind::Integer(n) => Value::I64(*n),
        NodeKind::Big(n) => Value::F64(*n as f64),
        NodeKind::Float(n) => Value::F64(*n),
        NodeKind::Text(text) => Value::Text(text.clone()),
        NodeKind::List(entries) => Value::Array(entries.iter().map(amqp).collect::<Read<_>>()?),
        NodeKind::Map(entries) => match entries.as_slice() {
            [entry] if entry.key.starts_with('$') => typed(&entry.key, &entry.value)?,
            _ => Value::Table(table(node)?),
        },
        NodeKind::Late(_) | NodeKind::Faulty => return kind(node, "a value that is known when the file is read"),
    })
}

/// Reads the arguments of a queue, a consumer and the like: a table whose names AMQP can carry.
pub fn arguments(node: &Node) -> Read<Table> {
    short_names(node)?;
    table(node)
}

/// Reads headers, whose values may be rendered late.
pub fn headers(node: &Node) -> Read<Vec<(String, LateValue)>> {
    short_names(node)?;
    late_table(node)
}

/// Refuses names of a table, at any depth, that are no short strings of AMQP.
pub fn short_names(node: &Node) -> Read<()> {
    match &node.kind {
        NodeKind::Map(entries) => entries.iter().try_for_each(|entry| match entry.key.len() {
            length if length > SHORT_STRING_BYTES_MAX => {
                let start: String = entry.key.chars().take(20).collect();
                let message = format!(
                    "holds a name of {length} bytes, `{start}…`, and AMQP carries at most {SHORT_STRING_BYTES_MAX}"
                );
                value(message, "shorten it")
            }
            _ => short_names(&entry.value),
        }),
        NodeKind::List(entries) => entries.iter().try_for_each(short_names),
        _ => Ok(()),
    }
}

/// Reads a map of AMQP values.
pub fn table(node: &Node) -> Read<Table> {
    match &node.kind {
        NodeKind::Map(entries) => entries.iter().map(|entry| Ok((entry.key.clone(), amqp(&entry.value)?))).collect(),
        _ => kind(node, "a map"),
    }
}

/// All words that force a type.
const TYPES: [&str; 14] = [
    "$timestamp",
    "$bytes",
    "$int8",
    "$uint8",
    "$int16",
    "$uint16",
    "$int32",
    "$uint32",
    "$int64",
    "$float",
    "$double",
    "$decimal",
    "$text",
    "$void",
];

fn typed(word: &str, node: &Node) -> Read<Value> {
    let wrong = || DecodeError::Sentence {
        message: format!("`{word}` does not take this value"),
        help: Some(
            "write {$timestamp: 1700000000}, {$int8: 5}, {$float: 1.5}, {$decimal: [2, 314]} or {$bytes: text}".into(),
        ),
    };
    fn whole<T: TryFrom<i64>>(node: &Node) -> Option<T> {
        integer(node).ok().and_then(|n| T::try_from(n).ok())
    }
    let fraction = || match &node.kind {
        NodeKind::Float(n) => Some(*n),
        NodeKind::Integer(n) => Some(*n as f64),
        _ => None,
    };
    let value = match word {
        "$timestamp" => whole(node).map(Value::Timestamp),
        "$int8" => whole(node).map(Value::I8),
        "$uint8" => whole(node).map(Value::U8),
        "$int16" => whole(node).map(Value::I16),
        "$uint16" => whole(node).map(Value::U16),
        "$int32" => whole(node).map(Value::I32),
        "$uint32" => whole(node).map(Value::U32),
        "$int64" => whole(node).map(Value::I64),
        "$float" => fraction().map(|n| Value::F32(n as f32)),
        "$double" => fraction().map(Value::F64),
        "$decimal" => match &node.kind {
            NodeKind::List(pair) if pair.len() == 2 => {
                whole(&pair[0]).zip(whole(&pair[1])).map(|(s, n)| Value::Decimal(s, n))
            }
            _ => None,
        },
        "$text" => text(node).ok().map(|text| Value::Text(text.into())),
        "$void" => Some(Value::Void),
        "$bytes" => match &node.kind {
            NodeKind::Text(text) => Some(Value::Bytes(text.as_bytes().to_vec())),
            NodeKind::List(bytes) => bytes.iter().map(whole).collect::<Option<Vec<u8>>>().map(Value::Bytes),
            _ => None,
        },
        _ => {
            let help = crate::language::decode::suggestions::suggest(word, TYPES.iter().copied(), "there are");
            return Err(DecodeError::Value { message: format!("knows no type `{word}`"), help: Some(help) });
        }
    };
    value.ok_or_else(wrong)
}

/// Reads an AMQP value whose leaves may be rendered late.
pub fn late_value(node: &Node) -> Read<LateValue> {
    if !node.is_late() {
        return amqp(node).map(LateValue::Fixed);
    }
    match &node.kind {
        NodeKind::Late(template) => Ok(LateValue::Template((**template).clone())),
        NodeKind::List(entries) => entries.iter().map(late_value).collect::<Read<_>>().map(LateValue::Array),
        _ => late_table(node).map(LateValue::Table),
    }
}

/// Reads a map of such values.
pub fn late_table(node: &Node) -> Read<Vec<(String, LateValue)>> {
    match &node.kind {
        NodeKind::Map(entries) => {
            entries.iter().map(|entry| Ok((entry.key.to_string(), late_value(&entry.value)?))).collect()
        }
        _ => kind(node, "a map"),
    }
}

/// Reads any value as plain JSON.
pub fn json(node: &Node) -> Read<serde_json::Value> {
    if node.is_faulty() {
        return Err(DecodeError::Known);
    }
    if node.is_late() {
        return kind(node, "a value that is known when the file is read");
    }
    Ok(node.to_json())
}

/// Reads a list of texts, or one text.
pub fn texts(node: &Node) -> Read<Vec<String>> {
    match &node.kind {
        NodeKind::List(entries) => entries.iter().map(text).collect(),
        NodeKind::Text(_) => text(node).map(|text| vec![text]),
        _ => kind(node, "a list of texts"),
    }
}
