//! What each code means, as data: why it is a problem, what to do, and a wrong and a right example.
//! Takes the Markdown files of `codes/`, returns chapters. Never draws.

use crate::source::{Block, Chapter, Code, Section};

/// The files of `codes/`, in the order in which they are listed.
const CHAPTERS: [&str; 15] = [
    include_str!("codes/file.md"),
    include_str!("codes/yaml.md"),
    include_str!("codes/value.md"),
    include_str!("codes/template.md"),
    include_str!("codes/topology.md"),
    include_str!("codes/lint.md"),
    include_str!("codes/scenario-steps.md"),
    include_str!("codes/scenario-consumers.md"),
    include_str!("codes/scenario-expectations.md"),
    include_str!("codes/expect.md"),
    include_str!("codes/step.md"),
    include_str!("codes/run.md"),
    include_str!("codes/snapshot.md"),
    include_str!("codes/convert.md"),
    include_str!("codes/plan.md"),
];

/// The name of an example's file that does not say one.
const UNNAMED: &str = "example.yaml";

/// The codes of one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeChapter {
    /// Of the file.
    pub title: String,
    /// In the order of the file.
    pub codes: Vec<CodeSection>,
}

/// The explanation of one code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeSection {
    /// What the section is headed by: the text of a [`Code`].
    pub name: String,
    /// One sentence without a full stop.
    pub title: String,
    /// What is wrong, and what to do.
    pub text: Vec<Block>,
    /// Files that together show the problem; empty where no file can.
    pub wrong: Vec<ExampleFile>,
    /// The same without it.
    pub right: Vec<ExampleFile>,
}

/// A file of an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExampleFile {
    /// From a first line `# topologies/work.yaml`, which is not part of the text.
    pub name: String,
    /// Its lines.
    pub text: String,
}

/// Returns the explanations of all codes.
pub fn code_chapters() -> Vec<CodeChapter> {
    let read = |text: &&str| {
        let chapter = Chapter::read(text);
        CodeChapter { title: chapter.title, codes: chapter.sections.iter().map(CodeSection::read).collect() }
    };
    CHAPTERS.iter().map(read).collect()
}

impl CodeSection {
    /// Returns the code that the section explains.
    pub fn code(&self) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.text() == self.name)
    }

    fn read(section: &Section) -> Self {
        let (name, title) = section.heading.split_once(' ').unwrap_or((&section.heading, ""));
        let mut text = Vec::new();
        let (mut wrong, mut right) = (Vec::new(), Vec::new());
        let mut is_right = false;
        for block in &section.blocks {
            match block {
                Block::Paragraph(label) if label == "Wrong:" => is_right = false,
                Block::Paragraph(label) if label == "Right:" => is_right = true,
                Block::Fenced(lines) if is_right => right.push(ExampleFile::read(lines)),
                Block::Fenced(lines) => wrong.push(ExampleFile::read(lines)),
                _ => text.push(block.clone()),
            }
        }
        Self { name: name.to_owned(), title: title.to_owned(), text, wrong, right }
    }
}

impl ExampleFile {
    fn read(lines: &str) -> Self {
        let named = lines.split_once('\n').and_then(|(first, rest)| {
            let name = first.strip_prefix("# ")?;
            let is_name = name.contains('.') && !name.contains(' ');
            is_name.then(|| Self { name: name.to_owned(), text: rest.to_owned() })
        });
        named.unwrap_or_else(|| Self { name: UNNAMED.to_owned(), text: lines.to_owned() })
    }
}
