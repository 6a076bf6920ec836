//! The few colours of the terminal, or none of them.

use owo_colors::{OwoColorize, Style};

/// Returns whether to colour; the words are the same either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    /// Escape codes are written.
    pub colour: bool,
}

impl Palette {
    fn paint(self, text: &str, style: Style) -> String {
        if self.colour { text.style(style).to_string() } else { text.to_owned() }
    }

    /// Marks what is well.
    pub fn good(self, text: &str) -> String {
        self.paint(text, Style::new().green())
    }

    /// Marks what is wrong.
    pub fn bad(self, text: &str) -> String {
        self.paint(text, Style::new().red().bold())
    }

    /// Marks what wants a look.
    pub fn odd(self, text: &str) -> String {
        self.paint(text, Style::new().yellow())
    }

    /// Steps back.
    pub fn dim(self, text: &str) -> String {
        self.paint(text, Style::new().dimmed())
    }

    /// Stands out.
    pub fn strong(self, text: &str) -> String {
        self.paint(text, Style::new().bold())
    }
}
