//! Sections of the Markdown files that this project explains itself by: the rule book and the codes of problems.
//! Takes the text of such a file, returns its title and its sections as blocks. Never reads a file, never draws.

/// The content of one file: a title, a few words about it, and sections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chapter {
    /// From the line `# …`.
    pub title: String,
    /// What stands before the first section.
    pub about: Vec<Block>,
    /// In the order of the file.
    pub sections: Vec<Section>,
}

/// A heading of the form `## …` and what stands below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Without its marks.
    pub heading: String,
    /// What stands below it.
    pub blocks: Vec<Block>,
}

/// A part of a section; the line breaks of paragraphs and list items are taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// Joined into one line.
    Paragraph(String),
    /// One entry of a list.
    Item(String),
    /// The lines between two fences.
    Fenced(String),
}

impl Chapter {
    /// Reads a file.
    pub fn read(text: &str) -> Self {
        let mut chapter = Chapter { title: String::new(), about: Vec::new(), sections: Vec::new() };
        let mut fence: Option<String> = None;
        // Whether the next line goes on with the paragraph or item above it.
        let mut goes_on = false;
        for line in text.lines() {
            if let Some(lines) = &mut fence {
                if line.starts_with("```") {
                    let lines = std::mem::take(lines);
                    chapter.blocks().push(Block::Fenced(lines));
                    fence = None;
                } else {
                    lines.push_str(line);
                    lines.push('\n');
                }
                continue;
            }
            let begins = !goes_on;
            goes_on = false;
            if line.starts_with("```") {
                fence = Some(String::new());
            } else if let Some(heading) = line.strip_prefix("## ") {
                chapter.sections.push(Section { heading: heading.to_owned(), blocks: Vec::new() });
            } else if let Some(title) = line.strip_prefix("# ") {
                chapter.title = title.to_owned();
            } else if let Some(item) = line.strip_prefix("- ") {
                chapter.blocks().push(Block::Item(item.to_owned()));
                goes_on = true;
            } else if !line.trim().is_empty() {
                chapter.take_line(line.trim(), begins);
                goes_on = true;
            }
        }
        chapter
    }

    fn blocks(&mut self) -> &mut Vec<Block> {
        match self.sections.last_mut() {
            Some(section) => &mut section.blocks,
            None => &mut self.about,
        }
    }

    fn take_line(&mut self, line: &str, begins: bool) {
        let blocks = self.blocks();
        match blocks.last_mut() {
            Some(Block::Paragraph(text) | Block::Item(text)) if !begins => {
                text.push(' ');
                text.push_str(line);
            }
            _ => blocks.push(Block::Paragraph(line.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_into_blocks() {
        let chapter =
            Chapter::read("# T\n\nabout\nit\n\n## A-1 One\n\nfirst\n\nList:\n- a\n  b\n- c\n\n```yaml\nx: 1\n\n```\n");
        assert_eq!(chapter.title, "T");
        assert_eq!(chapter.about, [Block::Paragraph("about it".into())]);
        let [section] = chapter.sections.as_slice() else { panic!("one section") };
        assert_eq!(section.heading, "A-1 One");
        let expected = [
            Block::Paragraph("first".into()),
            Block::Paragraph("List:".into()),
            Block::Item("a b".into()),
            Block::Item("c".into()),
            Block::Fenced("x: 1\n\n".into()),
        ];
        assert_eq!(section.blocks, expected);
    }
}
