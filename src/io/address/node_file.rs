//! The file in which rabbitmqadmin keeps its nodes: TOML since its second version, INI before; a section for each node.
//! Takes the text, gives sections of keys and values. Never repeats a value: it may be a password.

/// A section of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct NodeSection {
    pub(crate) name: String,
    values: Vec<(String, String)>,
}

impl NodeSection {
    /// Returns the value of the first of these keys that is there.
    pub(crate) fn get(&self, keys: &[&str]) -> Option<&str> {
        let of = |key: &&str| self.values.iter().find(|(name, _)| name == key);
        keys.iter().find_map(of).map(|(_, value)| &**value)
    }

    /// Sets a value, in the place of one that the file gives.
    pub(crate) fn set(&mut self, key: &str, value: String) {
        self.values.retain(|(name, _)| name != key);
        self.values.push((key.to_owned(), value));
    }
}

/// Reads the sections.
///
/// # Errors
/// The first line that is none of a section, a comment and `key = value`.
pub(crate) fn sections(text: &str) -> Result<Vec<NodeSection>, (usize, &'static str)> {
    let mut sections: Vec<NodeSection> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let fail = |why| (at + 1, why);
        let line = line.trim().trim_start_matches('\u{feff}');
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(head) = line.strip_prefix('[') {
            let (name, rest) = head.rsplit_once(']').ok_or(fail("a section ends with `]`"))?;
            if !is_rest_empty(rest) {
                return Err(fail("a section stands on a line of its own"));
            }
            sections.push(NodeSection { name: unquoted(name.trim()).to_owned(), values: Vec::new() });
            continue;
        }
        // INI knows both signs; TOML only the first.
        let at_sign = line.find(['=', ':']).ok_or(fail("it is no `key = value`"))?;
        let (key, value) = (unquoted(line[..at_sign].trim()).to_owned(), line[at_sign + 1..].trim());
        let section = sections.last_mut().ok_or(fail("it stands before the first section"))?;
        section.values.push((key, value_of(value).map_err(fail)?));
    }
    Ok(sections)
}

fn unquoted(text: &str) -> &str {
    let inside = |quote: char| text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
    inside('"').or_else(|| inside('\'')).unwrap_or(text)
}

fn is_rest_empty(rest: &str) -> bool {
    let rest = rest.trim_start();
    rest.is_empty() || rest.starts_with(['#', ';'])
}

/// Reads a value: a basic or literal string of TOML, or the bare rest of the line.
fn value_of(text: &str) -> Result<String, &'static str> {
    if text.starts_with("\"\"\"") || text.starts_with("'''") {
        return Err("a value of several lines is not read here");
    }
    if let Some(literal) = text.strip_prefix('\'') {
        let (value, rest) = literal.split_once('\'').ok_or("a quote is not closed")?;
        return if is_rest_empty(rest) { Ok(value.to_owned()) } else { Err("something stands behind the value") };
    }
    let Some(basic) = text.strip_prefix('"') else {
        // A bare value of TOML is a number or yes and no; one of INI ends where the line does.
        let bare = text.split_once(" #").map_or(text, |(bare, _)| bare);
        return Ok(bare.trim_end().to_owned());
    };
    let mut value = String::new();
    let mut letters = basic.chars();
    loop {
        match letters.next().ok_or("a quote is not closed")? {
            '"' if is_rest_empty(letters.as_str()) => return Ok(value),
            '"' => return Err("something stands behind the value"),
            '\\' => value.push(escaped(&mut letters).ok_or("it has an escape that TOML does not know")?),
            letter => value.push(letter),
        }
    }
}

/// Reads what stands behind a backslash.
fn escaped(letters: &mut std::str::Chars) -> Option<char> {
    let digits = match letters.next()? {
        letter @ ('"' | '\\') => return Some(letter),
        'n' => return Some('\n'),
        'r' => return Some('\r'),
        't' => return Some('\t'),
        'b' => return Some('\u{8}'),
        'f' => return Some('\u{c}'),
        'u' => 4,
        'U' => 8,
        _ => return None,
    };
    let code: String = letters.take(digits).collect();
    if code.len() == digits { u32::from_str_radix(&code, 16).ok().and_then(char::from_u32) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let toml = "# nodes\n[\"my node\"]\nhostname = \"h\" # there\npassword = \"a#\\\"b\\u00e9\"\nport = 15671 # tls\n\
                    path = 'C:\\x'\ntls = true\n";
        let ini = "[v1]\nhostname: h\npassword = p#; q\n; rest\nssl = True\n";
        let sections = sections(&format!("{toml}\n{ini}")).expect("two sections");
        let [toml, ini] = &sections[..] else { panic!("{sections:?}") };
        assert_eq!((&*toml.name, &*ini.name), ("my node", "v1"));
        let of = |section: &NodeSection, key: &str| section.get(&[key]).map(str::to_owned).unwrap_or_default();
        assert_eq!([of(toml, "hostname"), of(toml, "password"), of(toml, "port")], ["h", "a#\"b\u{e9}", "15671"]);
        assert_eq!([of(toml, "path"), of(toml, "tls")], ["C:\\x", "true"]);
        assert_eq!([of(ini, "hostname"), of(ini, "password"), of(ini, "ssl")], ["h", "p#; q", "True"]);
    }

    #[test]
    fn a_wrong_line_is_told_without_what_it_says() {
        for (text, line) in [
            ("a = 1", 1),
            ("[x\n", 1),
            ("[x]\nsecret", 2),
            ("[x]\n\np = \"s3", 3),
            ("[x]\np = \"\\q\"", 2),
            ("[x] y", 1),
        ] {
            let (at, why) = sections(text).expect_err(text);
            assert_eq!(at, line, "{text}");
            assert!(!why.contains("secret") && !why.contains("s3"), "{why}");
        }
    }
}
