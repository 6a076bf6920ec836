//! Text in SVG: how wide it will be, where it may break, and its escapes.
//! Widths are those of a wide common face (DejaVu Sans), so that text fits in whichever a viewer has.

use unicode_width::UnicodeWidthChar;

/// Returns how wide a text is at most, in units of a size.
pub fn width(text: &str, size: f64) -> f64 {
    text.chars().map(em).sum::<f64>() * size
}

fn em(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | 'I' | '\'' | ' ' | '.' | ',' => 0.32,
        '|' | ':' | ';' | 'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '/' | '\\' | '!' | '-' => 0.41,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 0.98,
        '#' | '+' | '<' | '>' | '=' | '~' => 0.84,
        'A'..='Z' | '&' | '_' => 0.76,
        '0'..='9' => 0.64,
        ' '..='~' => 0.62,
        _ => match c.width() {
            Some(2) => 1.05,
            Some(0) | None => 0.0,
            _ => 0.75,
        },
    }
}

/// Breaks a text into lines that are no wider; after a separator where there is one.
pub fn wrapped(text: &str, size: f64, width_max: f64) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    // Where the line may end: behind the last separator.
    let mut end = 0;
    for c in text.chars() {
        line.push(c);
        if width(&line, size) > width_max && line.chars().count() > 1 {
            let at = if end > 0 { end } else { line.len() - c.len_utf8() };
            let rest = line.split_off(at);
            lines.push(line.trim_end().to_owned());
            line = rest;
            end = 0;
        }
        if matches!(c, '.' | '-' | '_' | '/' | ':' | ',' | ' ') {
            end = line.len();
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Escapes text for XML.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{width, wrapped};

    #[test]
    fn long_names_break_behind_separators_and_lose_nothing() {
        let name = "shop.eu-west-1.orders.fulfilment.notifications.dead-letters";
        let lines = wrapped(name, 13.0, 180.0);
        assert_eq!(lines, ["shop.eu-west-1.orders.", "fulfilment.notifications.", "dead-letters"]);
        assert!(lines.iter().all(|line| width(line, 13.0) <= 180.0));
        assert_eq!(wrapped(&"x".repeat(100), 13.0, 180.0).concat().len(), 100);
    }
}
