//! The files of a run that somebody plays: the scenario, what it reads, and the parts that can join.

use crate::cli::ExitCode;
use crate::cli::load::Loader;
use crate::cli::options::{PlayOptions, Selection};
use crate::cli::playing::broker::PlayedOnBroker;
use crate::cli::select::{ToPlay, load_all, select};
use crate::cli::terminal::Terminal;
use crate::io::read_file;
use crate::io::serve::PlayFiles;
use crate::model::Cell;
use crate::play::{JoinedPart, PartField, PlayPart, PlaySetting};
use crate::source::{Help, Level, Problem, Sources, nearest_name};
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many problems a page is told at once.
const PROBLEMS_TOLD_MAX: usize = 5;

/// The scenario that is played, with its parts.
pub(crate) struct PlayedFiles {
    path: PathBuf,
    axes: std::collections::BTreeMap<String, String>,
    options: PlayOptions,
    on: PlayedOnBroker,
    loader: Loader,
    /// All files as they were read.
    read: Vec<(PathBuf, Arc<str>)>,
}

/// Loads what the arguments name; problems are told, and end the command.
pub(crate) fn load(
    options: &PlayOptions,
    file: &Path,
    on: PlayedOnBroker,
    terminal: &Terminal,
) -> Result<(PlayedFiles, PlaySetting), ExitCode> {
    let mut loader = Loader::new(&options.vars, None).map_err(|(code, message)| {
        terminal.usage(&message);
        code
    })?;
    let selection = Selection { cells: options.cells.clone(), ..Selection::default() };
    let cells = load_all(&[file.to_owned()], &mut loader, terminal)?;
    let mut cells = select(cells, &selection, terminal)?;
    if cells.len() > 1 {
        let names: Vec<String> = cells.iter().map(ToPlay::name).collect();
        let why = format!("{} cells, and one is played: --cell picks it, of {}", names.len(), names.join(", "));
        return Err(terminal.usage(&format!("{} has {why}", file.display())));
    }
    let Some(one) = cells.pop() else { return Err(ExitCode::Nothing) };
    let (edition, live) = on.fit(&one.cell).map_err(|why| {
        terminal.error(&format!("error: {} cannot be played: {why}", one.name()));
        ExitCode::Nothing
    })?;
    let name = one.name();
    let sources = loader.sources.clone();
    let mut problems = Vec::new();
    let mut parts = Vec::new();
    for path in &options.with {
        let (part, found) = part_of(&mut loader, path);
        problems.extend(found);
        parts.extend(part);
    }
    if terminal.problems(&problems, &loader.sources) != ExitCode::Fine {
        return Err(ExitCode::BadFile);
    }
    let read = read_texts(&loader.sources);
    let files = PlayedFiles { path: one.path, axes: one.cell.axes.clone(), options: options.clone(), on, loader, read };
    Ok((files, PlaySetting { cell: one.cell, name, edition, live, sources, parts }))
}

fn read_texts(sources: &Sources) -> Vec<(PathBuf, Arc<str>)> {
    let texts = sources.ids().map(|id| sources.get(id));
    texts.map(|source| (PathBuf::from(&source.name), source.text.clone())).collect()
}

/// Reads a part as it stands in its file, with its variables as the fields of its form.
fn part_of(loader: &mut Loader, path: &Path) -> (Option<PlayPart>, Vec<Problem>) {
    let (loaded, problems) = loader.scenario(path);
    let Some(loaded) = loaded else { return (None, problems) };
    let fields = fields_of(&read_file(path).unwrap_or_default());
    (Some(PlayPart { title: loaded.title, file: path.display().to_string(), fields }), problems)
}

/// Lists the variables of a scenario, with their values as they are written.
fn fields_of(text: &str) -> Vec<PartField> {
    let file: Json = serde_yaml::from_str(text).unwrap_or_default();
    let vars = file.get("vars").and_then(Json::as_object);
    let fields = vars.into_iter().flatten().map(|(name, value)| PartField { name: name.clone(), value: value.clone() });
    fields.collect()
}

/// Checks that a part has all variables that it is given.
fn known_fields(path: &Path, vars: &[(String, Json)]) -> Result<(), String> {
    let fields = fields_of(&read_file(path)?);
    let Some((other, _)) = vars.iter().find(|(name, _)| fields.iter().all(|field| field.name != *name)) else {
        return Ok(());
    };
    let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    let near = nearest_name(other, names.iter().copied());
    let near = near.map_or_else(String::new, |near| format!(" ({})", Help::did_you_mean(near)));
    let listed = if names.is_empty() { "it has none".to_owned() } else { format!("it has {}", names.join(", ")) };
    Err(format!("{} has no variable `{other}`: {listed}{near}", path.display()))
}

/// Writes problems as a page tells them: the line, what is wrong, and what to do.
fn told(problems: &[Problem], sources: &Sources) -> String {
    let stopping: Vec<&Problem> = problems.iter().filter(|problem| problem.level == Level::Problem).collect();
    let line = |problem: &&Problem| {
        let place = problem.span().map_or_else(String::new, |span| {
            format!("{}, line {}: ", sources.get(span.file).name, sources.position(span).line)
        });
        let help = problem.help.as_ref().map_or_else(String::new, |help| format!(" ({help})"));
        format!("{place}{}{help}", problem.message)
    };
    let mut lines: Vec<String> = stopping.iter().take(PROBLEMS_TOLD_MAX).map(line).collect();
    if stopping.len() > PROBLEMS_TOLD_MAX {
        lines.push(format!("and {} more: `rmqplay check` tells all", stopping.len() - PROBLEMS_TOLD_MAX));
    }
    lines.join("; ")
}

impl PlayFiles for PlayedFiles {
    fn reload(&mut self) -> Result<PlaySetting, String> {
        let mut loader = Loader::new(&self.options.vars, None).map_err(|(_, why)| why)?;
        let (loaded, problems) = loader.scenario(&self.path);
        let Some(loaded) = loaded else { return Err(told(&problems, &loader.sources)) };
        let is_it = |cell: &Cell| cell.axes == self.axes;
        let Some(cell) = loaded.cells.into_iter().find(is_it) else {
            return Err("the scenario has no such cell any more: start `rmqplay play` anew".to_owned());
        };
        let fit = self.on.fit(&cell);
        let (edition, live) = fit.map_err(|why| format!("it cannot be played any more: {why}"))?;
        let name = crate::report::cell_name(&cell.scenario, &cell.axes);
        let sources = loader.sources.clone();
        let mut parts = Vec::new();
        for path in &self.options.with {
            let (part, problems) = part_of(&mut loader, path);
            parts.push(part.ok_or_else(|| told(&problems, &loader.sources))?);
        }
        (self.read, self.loader) = (read_texts(&loader.sources), loader);
        Ok(PlaySetting { cell, name, edition, live, sources, parts })
    }

    fn load_part(&mut self, part: usize, vars: &[(String, Json)]) -> Result<JoinedPart, String> {
        let Some(path) = self.options.with.get(part) else { return Err(format!("there is no part {part}")) };
        known_fields(path, vars)?;
        let (loaded, problems) = self.loader.scenario_with(path, vars);
        let Some(mut loaded) = loaded else { return Err(told(&problems, &self.loader.sources)) };
        if loaded.cells.len() > 1 {
            return Err(format!("{} has a matrix: a part is one cell", path.display()));
        }
        let Some(cell) = loaded.cells.pop() else { return Err(format!("{} has no cell", path.display())) };
        Ok(JoinedPart { cell, sources: self.loader.sources.clone() })
    }

    fn have_changed(&self) -> bool {
        self.read
            .iter()
            .any(|(path, text)| read_file(path).map_or(true, |now| *now.trim_start_matches('\u{feff}') != **text))
    }
}
