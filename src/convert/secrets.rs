//! Passwords, hashes and the passwords of URIs: taken out of a topology, with the variable that stands for each.
//! Takes a secret and a name for it; gives the template to write. Never writes a secret into the YAML itself.

use crate::model::Secret;
use crate::source::{is_secret, passwords_in_urls};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Marks the text of a secret that the source does not hold; what follows is the name to give it.
const UNKNOWN: char = '\u{1}';

/// The secrets of one file, by the variables of the environment that hold them.
#[derive(Debug, Clone, Default)]
pub struct SecretVariables {
    held: Vec<(String, Secret)>,
    names: BTreeSet<String>,
}

/// Makes the text that stands for a secret which the source only names.
pub(crate) fn unknown(name: &str) -> String {
    format!("{UNKNOWN}{name}")
}

/// Returns the name of a secret that the source only names.
pub(crate) fn unknown_name(text: &str) -> Option<&str> {
    text.strip_prefix(UNKNOWN)
}

impl SecretVariables {
    /// Keeps a secret and returns the template that stands for it; `base` says whose it is.
    pub fn template(&mut self, base: &str, value: &str) -> String {
        let base = unknown_name(value).unwrap_or(base);
        let name = self.name(base);
        self.held.push((name.clone(), Secret::new(value)));
        format!("{{{{ env.{name} }}}}")
    }

    /// Returns a template for a text that holds a secret: under a key that says so, or as the password of a URI.
    pub fn template_in(&mut self, base: &str, key: &str, text: &str) -> Option<String> {
        if unknown_name(text).is_some() || is_secret(key) && !text.is_empty() {
            return Some(self.template(&format!("{base}_{key}"), text));
        }
        let passwords = passwords_in_urls(text);
        let mut whole = text.to_owned();
        for password in passwords.iter().rev() {
            let template = self.template(&format!("{base}_{key}_password"), &text[password.clone()]);
            whole.replace_range(password.clone(), &template);
        }
        (!passwords.is_empty()).then_some(whole)
    }

    /// Returns whether there is none.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Lists the variables.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.held.iter().map(|(name, _)| name.as_str())
    }

    /// Lists the variables whose values the source does not hold.
    pub fn unknown(&self) -> impl Iterator<Item = &str> {
        let unknown = self.held.iter().filter(|(_, secret)| unknown_name(secret.expose()).is_some());
        unknown.map(|(name, _)| name.as_str())
    }

    /// Returns what a variable holds, for a proof.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.held.iter().find(|(held, _)| held == name).map(|(_, secret)| secret.expose())
    }

    /// Writes the file that a shell reads: `NAME='value'`.
    pub fn file(&self) -> String {
        let mut text = "# Load it with: set -a; . FILE; set +a\n".to_owned();
        for (name, secret) in &self.held {
            let _ = match unknown_name(secret.expose()) {
                Some(_) => writeln!(text, "# {name}= is not in the source"),
                None => writeln!(text, "{name}='{}'", secret.expose().replace('\'', "'\\''")),
            };
        }
        text
    }

    /// Makes a name of a variable that is not taken.
    fn name(&mut self, base: &str) -> String {
        let sign = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
        let mut name: String = base.chars().map(sign).collect();
        while name.contains("__") {
            name = name.replace("__", "_");
        }
        let name = name.trim_matches('_');
        let lead = if name.starts_with(|c: char| c.is_ascii_alphabetic()) { "" } else { "SECRET_" };
        let name = format!("{lead}{name}");
        let mut free = name.clone();
        let mut count = 1;
        while !self.names.insert(free.clone()) {
            count += 1;
            free = format!("{name}_{count}");
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_free_and_values_quoted() {
        let mut secrets = SecretVariables::default();
        assert_eq!(secrets.template("guest_password", "it's"), "{{ env.GUEST_PASSWORD }}");
        assert_eq!(secrets.template("Guest password", "2"), "{{ env.GUEST_PASSWORD_2 }}");
        assert_eq!(secrets.template("1-é", "3"), "{{ env.SECRET_1 }}");
        let uri = secrets.template_in("shovel_s", "src-uri", "amqp://u:p@h:1/v?x=y@z");
        assert_eq!(uri.as_deref(), Some("amqp://u:{{ env.SHOVEL_S_SRC_URI_PASSWORD }}@h:1/v?x=y@z"));
        assert_eq!(secrets.template_in("s", "src-uri", "amqp://h"), None);
        assert!(secrets.file().contains("GUEST_PASSWORD='it'\\''s'\n"));
    }
}
