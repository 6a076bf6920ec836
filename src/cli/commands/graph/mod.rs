//! `graph`: a topology as a picture.

use crate::cli::ExitCode;
use crate::cli::convert::output::{Output, write_output};
use crate::cli::looked_at::LookedAt;
use crate::cli::options::{GraphFormat, GraphOptions};
use crate::cli::terminal::Terminal;
use crate::foresee::{TopologyGraph, TopologyView, topology_graph};
use crate::language::nearest;
use crate::model::Profile;
use crate::report;

/// Draws a file, or what a broker holds.
pub fn draw(command: &GraphOptions, terminal: &Terminal) -> ExitCode {
    let lacking = "name a topology file, or a broker with --broker: rmqplay graph FILE";
    let format = match format_of(command) {
        Ok(format) => format,
        Err(message) => return terminal.usage(&message),
    };
    let seen = match LookedAt::read(&command.words, &command.look, lacking, terminal) {
        Ok(seen) => seen,
        Err(code) => return code,
    };
    if !seen.words.is_empty() {
        return terminal.usage("with --broker no file is named: one of them is drawn");
    }
    if let Some(message) = unknown_vhost(&seen, command.vhost.as_deref()) {
        terminal.error(&message);
        return ExitCode::Nothing;
    }
    let mut graphs: Vec<TopologyGraph> = Vec::new();
    for (_, versions) in seen.versions() {
        let Some(view) = TopologyView::new(&seen.topology, &seen.origins, &versions) else { continue };
        graphs.push(topology_graph(&view, command.vhost.as_deref()));
    }
    let Some(graph) = graphs.pop().filter(|graph| !graph.vhosts.is_empty()) else {
        terminal.error("there is nothing to draw: no exchange, queue or shovel");
        return ExitCode::Nothing;
    };
    if let Some(text) = differing(&graph, &graphs) {
        note(&text, terminal);
    }
    write(&graph, format, command, terminal)
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

fn unknown_vhost(seen: &LookedAt, named: Option<&str>) -> Option<String> {
    let vhosts = seen.topology.vhost_names();
    let named = named.filter(|named| !vhosts.iter().any(|vhost| vhost == named))?;
    let near = nearest(named, vhosts.iter().map(|vhost| vhost.as_str()));
    let there: Vec<String> = vhosts.iter().map(|vhost| format!("'{vhost}'")).collect();
    let help = near.map_or_else(|| format!("there are {}", there.join(", ")), |near| format!("did you mean `{near}`?"));
    Some(format!("error: no vhost '{named}': {help}"))
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
