//! How RabbitMQ's texts name types and show values (ER-3, TTL-2): Erlang's terms and AMQP's type words.

use crate::model::Value;

/// Returns the word for the type of a value: `longstr`, `signedint`, `long`, …
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Void => "void",
        Value::Bool(_) => "bool",
        Value::I8(_) => "byte",
        Value::U8(_) => "unsignedbyte",
        Value::I16(_) => "short",
        Value::U16(_) => "unsignedshort",
        Value::I32(_) => "signedint",
        Value::U32(_) => "unsignedint",
        Value::I64(_) => "long",
        Value::F32(_) => "float",
        Value::F64(_) => "double",
        Value::Decimal(..) => "decimal",
        Value::Text(_) => "longstr",
        Value::Bytes(_) => "binary",
        Value::Timestamp(_) => "timestamp",
        Value::Array(_) => "array",
        Value::Table(_) => "table",
    }
}

/// Shows a value as Erlang prints the term: `5`, `<<"text">>`, `true`.
pub fn erlang_term(value: &Value) -> String {
    match value {
        Value::Text(text) if text.is_empty() => "<<>>".into(),
        Value::Text(text) => format!("<<\"{text}\">>"),
        other => shown(other),
    }
}

/// Shows a value inside quotes of an inequivalence text: texts plainly.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Void => "undefined".into(),
        Value::Bool(yes) => yes.to_string(),
        Value::F32(n) => shown_float(f64::from(*n)),
        Value::F64(n) => shown_float(*n),
        Value::Decimal(scale, n) => format!("{{{scale},{n}}}"),
        Value::Text(text) => text.to_string(),
        Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Timestamp(seconds) => seconds.to_string(),
        Value::Array(entries) => {
            let shown: Vec<String> =
                entries.iter().map(|entry| format!("{{{},{}}}", type_name(entry), erlang_term(entry))).collect();
            format!("[{}]", shown.join(","))
        }
        Value::Table(table) => {
            let shown: Vec<String> = table
                .iter()
                .map(|(key, value)| format!("{{<<\"{key}\">>,{},{}}}", type_name(value), erlang_term(value)))
                .collect();
            format!("[{}]", shown.join(","))
        }
        integer => integer.as_integer().unwrap_or_default().to_string(),
    }
}

fn shown_float(n: f64) -> String {
    if n.fract() == 0.0 && n.abs() < 1e15 { format!("{n:.1}") } else { n.to_string() }
}

/// Shows a JSON value as Erlang prints it after decoding.
pub(crate) fn json_term(json: &serde_json::Value) -> String {
    erlang_term(&Value::from_json(json))
}
