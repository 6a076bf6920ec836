//! Compiled templates: texts with `{{ … }}` that are rendered when the scenario plays.
//! Pure and bounded: strict about undefined names, and out of fuel before a loop can hang.

use crate::source::Span;
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// How much work one rendering may do, in minijinja's instructions.
const FUEL: u64 = 50_000;

/// Holds the names that a template may use, as minijinja values.
pub type Scope = std::collections::BTreeMap<&'static str, minijinja::Value>;

/// A checked template text with its place in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    text: Arc<str>,
    /// The expression alone, when the text is nothing but one `{{ … }}`; it keeps its type.
    sole: Option<Arc<str>>,
    /// Values that were known at load already; a scope's own names win.
    bound: BTreeMap<String, serde_json::Value>,
    /// Where the scalar stands.
    pub span: Span,
}

/// Why a template cannot be compiled or rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// The engine's words.
    pub message: String,
    /// The guilty bytes inside the template's text, when minijinja knows them.
    pub range: Option<Range<usize>>,
}

/// Returns the one environment that every template uses: no loaders, no globals with effects.
fn environment() -> &'static Environment<'static> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.set_debug(true);
        if let Ok(syntax) = SyntaxConfig::builder().keep_trailing_newline(true).build() {
            environment.set_syntax(syntax);
        }
        environment
    })
}

impl Template {
    /// Returns whether a text holds a template at all.
    pub fn looks_like_one(text: &str) -> bool {
        text.contains("{{") || text.contains("{%")
    }

    /// Compiles and keeps a text; undefined names are found by [`Template::names`].
    pub fn compile(text: &str, span: Span) -> Result<Template, TemplateError> {
        let sole = sole_expression(text);
        if sole.and_then(name_alone).is_none() {
            environment().template_from_str(text).map_err(TemplateError::from)?;
        }
        Ok(Template { text: text.into(), sole: sole.map(Into::into), bound: BTreeMap::new(), span })
    }

    /// Returns the name that the template is, as most are: `{{ delay }}` needs no engine.
    fn name_alone(&self) -> Option<&str> {
        name_alone(self.sole.as_deref()?)
    }

    /// Keeps a value under a name for every later rendering.
    pub fn bind(&mut self, name: impl Into<String>, value: serde_json::Value) {
        self.bound.insert(name.into(), value);
    }

    /// Lists the outer names that the template uses (`vars`, `message`, `n`).
    pub fn names(&self) -> BTreeSet<String> {
        self.undeclared(false)
    }

    /// Lists what the template uses, with the attributes it asks for (`message.json.n`).
    pub fn paths(&self) -> BTreeSet<String> {
        self.undeclared(true)
    }

    fn undeclared(&self, nested: bool) -> BTreeSet<String> {
        if let Some(name) = self.name_alone() {
            return BTreeSet::from([name.to_owned()]);
        }
        let names = |text: &str| {
            let template = environment().template_from_str(text).ok()?;
            Some(template.undeclared_variables(nested).into_iter().collect::<BTreeSet<String>>())
        };
        let unsliced = slices_as_indexes(&self.text).and_then(|text| names(&text)).unwrap_or_default();
        names(&self.text).unwrap_or_default().into_iter().chain(unsliced).collect()
    }

    /// Returns the template as written.
    pub fn source(&self) -> &str {
        &self.text
    }

    /// Renders to text.
    pub fn text(&self, scope: &Scope) -> Result<String, TemplateError> {
        if let Some(value) = self.name_alone().and_then(|name| scope.get(name)) {
            return Ok(value.to_string());
        }
        environment().render_str(&self.text, self.names_in(scope)).map_err(TemplateError::from)
    }

    /// Renders to a value: a template that is one expression keeps its type, any other becomes text.
    pub fn value(&self, scope: &Scope) -> Result<serde_json::Value, TemplateError> {
        let Some(expression) = &self.sole else {
            return self.text(scope).map(serde_json::Value::String);
        };
        let bound = self.name_alone().filter(|name| !scope.contains_key(name)).and_then(|name| self.bound.get(name));
        if let Some(value) = bound {
            return Ok(value.clone());
        }
        let value =
            environment().compile_expression(expression).and_then(|compiled| compiled.eval(self.names_in(scope)))?;
        if value.is_undefined() {
            let message = format!("`{}` is undefined", expression.trim());
            return Err(TemplateError { message, range: None });
        }
        serde_json::to_value(&value).map_err(|error| TemplateError { message: error.to_string(), range: None })
    }

    /// Joins the names of a scope with the bound ones.
    fn names_in<'a>(&'a self, scope: &'a Scope) -> BTreeMap<&'a str, minijinja::Value> {
        let value = |value: &serde_json::Value| minijinja::Value::from(minijinja::value::Serde(value));
        let bound = self.bound.iter().map(|(name, bound)| (name.as_str(), value(bound)));
        bound.chain(scope.iter().map(|(name, value)| (*name, value.clone()))).collect()
    }
}

/// Writes slices (`list[1:n]`) as indexes (`list[1][n]`), for analysis only: minijinja does not say what is sliced.
fn slices_as_indexes(text: &str) -> Option<String> {
    let (mut written, mut rest, mut any) = (String::new(), text, false);
    while let Some((before, after)) = rest.split_once('[') {
        written.push_str(before);
        let inside = after.find(['[', ']', '\'', '"', '{']).filter(|end| after[*end..].starts_with(']'));
        let inside = inside.map(|end| &after[..end]).filter(|inside| inside.contains(':'));
        match inside.filter(|_| written.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ']' | ')'))) {
            Some(inside) => {
                any = true;
                for bound in inside.split(':').map(str::trim) {
                    let bound = if bound.is_empty() { "0" } else { bound };
                    written.push_str(&format!("[{bound}]"));
                }
                rest = &after[inside.len() + 1..];
            }
            None => {
                written.push('[');
                rest = after;
            }
        }
    }
    written.push_str(rest);
    any.then_some(written)
}

/// Returns the inside of a text that is exactly one `{{ … }}`.
fn sole_expression(text: &str) -> Option<&str> {
    let inside = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    let plain = !inside.contains("{{") && !inside.contains("}}") && !inside.contains("{%");
    plain.then(|| inside.trim_matches('-'))
}

/// Returns the name that an expression is, if it is nothing else and means nothing to the engine.
fn name_alone(expression: &str) -> Option<&str> {
    const TAKEN: [&str; 21] = [
        "true",
        "false",
        "none",
        "True",
        "False",
        "None",
        "not",
        "and",
        "or",
        "in",
        "is",
        "if",
        "else",
        "self",
        "super",
        "loop",
        "caller",
        "range",
        "dict",
        "namespace",
        "debug",
    ];
    let name = expression.trim();
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !TAKEN.contains(&name);
    is_name.then_some(name)
}

impl From<minijinja::Error> for TemplateError {
    fn from(error: minijinja::Error) -> Self {
        let range = error.range();
        let message = error.detail().map_or_else(|| error.kind().to_string(), ToOwned::to_owned);
        Self { message, range }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_alone_gives_what_the_engine_gives() {
        let span = crate::source::Span::new(crate::source::Sources::default().add("x", "x"), 0, 1);
        let values =
            serde_json::json!([null, true, -7, 1.5, 2.0, u64::MAX, "a {{ b }}", "", ["x", 1], {"b": 1, "a": [0]}]);
        for given in values.as_array().expect("a list") {
            let [alone, engine] =
                ["{{ x }}", "{{ (x) }}"].map(|text| Template::compile(text, span).expect("a template"));
            let scope = Scope::from([("x", minijinja::Value::from(minijinja::value::Serde(given)))]);
            assert_eq!(alone.text(&scope), engine.text(&scope));
            assert_eq!(alone.value(&scope), engine.value(&scope));
            let bound = [alone, engine].map(|mut template| {
                template.bind("x", given.clone());
                (template.text(&Scope::new()), template.value(&Scope::new()), template.names(), template.paths())
            });
            assert_eq!(bound[0], bound[1]);
        }
        let missing = ["{{ x }}", "{{ (x) }}"].map(|text| Template::compile(text, span).expect("a template"));
        assert!(missing.iter().all(|template| template.value(&Scope::new()).is_err()));
        assert!(missing.iter().all(|template| template.text(&Scope::new()).is_err()));
    }

    #[test]
    fn what_is_sliced_is_a_name() {
        let written = |text: &str| slices_as_indexes(text).unwrap_or_else(|| text.to_owned());
        assert_eq!(written("{{ ladder[:most] }}"), "{{ ladder[0][most] }}");
        assert_eq!(written("{{ a[1:][b:c:2] }}"), "{{ a[1][0][b][c][2] }}");
        for text in ["{{ a[0] }}", "{{ [1, 2] }}", "{{ a['x:y'] }}", "{{ {'a': [1]} }}", "[x:y]", "a[", "a[b:"] {
            assert_eq!(written(text), text);
        }
        let file = crate::source::Sources::default().add("x", "x");
        let template = Template::compile("{{ ladder[:most] | length }}", crate::source::Span::new(file, 0, 1)).unwrap();
        assert_eq!(template.names().into_iter().collect::<Vec<_>>(), ["ladder", "most"]);
    }
}
