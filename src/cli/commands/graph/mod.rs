//! `graph`: a topology as a picture.

mod exercised;
mod planned;

use crate::cli::ExitCode;
use crate::cli::convert::output::{Output, write_output};
use crate::cli::foresee::looked_at::{LookedAt, command_on, no_vhost};
use crate::cli::options::{GraphFormat, GraphOptions};
use crate::cli::terminal::Terminal;
use crate::foresee::{TopologyGraph, TopologyView, topology_graph};
use crate::model::{Profile, Topology};
use crate::report;
use exercised::graph_of_scenarios;
use planned::graph_of_plan;

/// What is said where nothing to draw is named.
const LACKING: &str = "name a topology file, or a broker with --broker: rmqplay graph FILE";

/// Draws a file, or what a broker holds; what a plan makes of it, or what scenarios use.
pub fn draw(command: &GraphOptions, terminal: &Terminal) -> ExitCode {
    let format = match format_of(command) {
        Ok(format) => format,
        Err(message) => return terminal.usage(&message),
    };
    if command.reach.is_any() && !command.plan {
        return terminal.usage("--prune, --replace and --while-publishing say what a plan reaches: add --plan");
    }
    let graph = match (command.plan, command.scenarios.is_empty()) {
        (true, _) => graph_of_plan(command, terminal).map(|graph| (graph, ExitCode::Fine)),
        (false, false) => graph_of_scenarios(command, terminal),
        (false, true) => graph_of_topology(command, terminal),
    };
    let (graph, lacking) = match graph {
        Ok((graph, lacking)) => (Ok(graph), lacking),
        Err(code) => (Err(code), ExitCode::Fine),
    };
    match graph {
        Ok(graph) if graph.vhosts.is_empty() && lacking != ExitCode::Fine => lacking,
        Ok(graph) if graph.vhosts.is_empty() => {
            let help = match command.vhost.is_some() {
                true => "without --vhost all are drawn".to_owned(),
                false => format!("{} shows what is declared", command_on("effective", file_of(command))),
            };
            terminal.error(&format!("error: there is nothing to draw: no exchange, queue or shovel\n  help: {help}"));
            ExitCode::Nothing
        }
        Ok(graph) => write(&graph, format, command, terminal).and(lacking),
        Err(code) => code,
    }
}

fn graph_of_topology(command: &GraphOptions, terminal: &Terminal) -> Result<(TopologyGraph, ExitCode), ExitCode> {
    let seen = LookedAt::read(&command.words, &command.look, LACKING, terminal)?;
    if !seen.words.is_empty() {
        return Err(terminal.usage("with --broker no file is named: one of them is drawn, and --plan compares both"));
    }
    let lacking = lacking_of(&seen, command, terminal)?;
    check_vhost(&seen.topology, command, terminal)?;
    let mut graphs: Vec<TopologyGraph> = Vec::new();
    for (_, versions) in seen.versions() {
        let Some(view) = TopologyView::new(&seen.topology, &seen.origins, &versions) else { continue };
        graphs.push(topology_graph(&view, command.vhost.as_deref()));
    }
    let Some(graph) = graphs.pop() else { return Err(ExitCode::Nothing) };
    if let Some(text) = differing(&graph, &graphs) {
        note(&text, terminal);
    }
    Ok((graph, lacking))
}

/// Says what of a broker could not be read; nothing at all ends the command.
fn lacking_of(seen: &LookedAt, command: &GraphOptions, terminal: &Terminal) -> Result<ExitCode, ExitCode> {
    if let Some(code) = seen.lacks_all(command.vhost.as_deref(), terminal) {
        return Err(code);
    }
    if let Some(unread) = seen.unread.as_ref().filter(|_| !terminal.quiet) {
        unread.warn_of_links(terminal);
    }
    Ok(seen.lacks_some(command.vhost.as_deref(), terminal))
}

/// Writes the picture.
fn write(graph: &TopologyGraph, format: GraphFormat, command: &GraphOptions, terminal: &Terminal) -> ExitCode {
    let parts: usize = graph.vhosts.iter().map(|vhost| vhost.nodes.len() + vhost.edges.len()).sum();
    let text = match format {
        _ if command.look.json => format!("{}\n", report::graph_json(graph)),
        GraphFormat::Mermaid => report::graph_mermaid(graph),
        GraphFormat::Dot => report::graph_dot(graph),
        GraphFormat::Svg if parts > report::SVG_PARTS_MAX => {
            terminal.error(&format!(
                "error: {parts} nodes and edges are too many for one picture (at most {})\n  help: draw one --vhost, or leave it to \
                 Graphviz: --format dot | sfdp -Tsvg",
                report::SVG_PARTS_MAX
            ));
            return ExitCode::Nothing;
        }
        GraphFormat::Svg => report::graph_svg(graph),
    };
    let edges: usize = graph.vhosts.iter().map(|vhost| vhost.edges.len()).sum();
    let is_much = edges > report::MERMAID_EDGES_MAX || text.len() > report::MERMAID_TEXT_MAX;
    if format == GraphFormat::Mermaid && is_much && !command.look.json {
        let bounds = format!(
            "note: Mermaid draws at most {} edges and {} characters unless it is configured otherwise: choose a --vhost, or \
             --format dot",
            report::MERMAID_EDGES_MAX,
            report::MERMAID_TEXT_MAX
        );
        note(&bounds, terminal);
    }
    let output = Output { path: command.output.as_deref(), force: command.force, is_private: false };
    let text = report::mask(&text);
    match &command.output {
        // What is printed gets its last line end there.
        None => write_output(&output, text.trim_end_matches('\n'), terminal),
        Some(path) => {
            let code = write_output(&output, &text, terminal);
            if code == ExitCode::Fine {
                terminal.status(&format!("wrote {}", path.display()));
            }
            code
        }
    }
}

/// Says something beside the picture, which standard output is for.
fn note(text: &str, terminal: &Terminal) {
    if !terminal.quiet {
        terminal.error(text);
    }
}

/// Chooses the format: the one that is named, or that the file's ending stands for.
fn format_of(command: &GraphOptions) -> Result<GraphFormat, String> {
    let by_ending = command.output.as_deref().map(GraphFormat::of);
    match (command.format, by_ending) {
        (Some(format), _) => Ok(format),
        (None, Some(Some(format))) => Ok(format),
        (None, None) => Ok(GraphFormat::Mermaid),
        (None, Some(None)) if command.look.json => Ok(GraphFormat::Mermaid),
        (None, Some(None)) => Err("the ending of --output tells no format: name one with --format".to_owned()),
    }
}

/// Complains of a vhost that is not there.
fn check_vhost(topology: &Topology, command: &GraphOptions, terminal: &Terminal) -> Result<(), ExitCode> {
    let none = command.vhost.as_deref().and_then(|named| no_vhost(named, &topology.vhost_names()));
    let Some(message) = none else { return Ok(()) };
    let help = match command.words.is_empty() && !command.scenarios.is_empty() {
        true => "without --vhost all are drawn".to_owned(),
        false => format!("{} shows what is in each", command_on("effective", file_of(command))),
    };
    terminal.error(&format!("error: {message}\n  help: {help}"));
    Err(ExitCode::Nothing)
}

/// Returns the file that is drawn, unless it is a broker.
fn file_of(command: &GraphOptions) -> Option<&str> {
    command.words.first().map(String::as_str)
}

/// Says on which versions the picture is another one.
fn differing(graph: &TopologyGraph, others: &[TopologyGraph]) -> Option<String> {
    let others = others.iter().filter(|other| other.vhosts != graph.vhosts);
    let profiles: Vec<Profile> = others.map(|other| other.profile).collect();
    let first = profiles.first()?;
    Some(format!(
        "note: drawn for RabbitMQ {}; on {} it is another picture: --for {first}",
        graph.profile,
        report::versions_in_words(&profiles)
    ))
}
