//! The file itself: the page's own files put together, and the data as one block of JSON.
//! Takes reports; returns text part by part, so that no run is held twice. What the page may load is nothing: its policy says so.

use crate::model::Scenario;
use crate::report::json::in_ms;
use crate::report::page::cell::{file_of, page_cell};
use crate::report::page::drawing::Drawings;
use crate::report::problem::mask;
use crate::report::summary::{VERDICTS, brokers, count};
use crate::report::{BrokerError, CellReport, Palette, VersionPair, error_json, graph_style_sheet, versions_text};
use crate::source::{FileId, Sources};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use indexmap::IndexSet;
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// The layout of graphs, as its authors published it.
const DAGRE: &str = include_str!("web/vendor/dagre.min.js");
const DAGRE_LICENCE: &str = include_str!("web/vendor/dagre.LICENSE");

const STYLE: &str = include_str!("web/page.css");

/// The modules that all pages have; each imports only from those above it.
const MODULES: [&str; 9] = [
    include_str!("web/elements.js"),
    include_str!("web/theme.js"),
    include_str!("web/run.js"),
    include_str!("web/scale.js"),
    include_str!("web/paths.js"),
    include_str!("web/diagram.js"),
    include_str!("web/messages.js"),
    include_str!("web/topology.js"),
    include_str!("web/scenario.js"),
];

/// Those of the page of a run that is over.
const RUN_MODULES: [&str; 2] = [include_str!("web/overview.js"), include_str!("web/page.js")];

/// Those of the page of a run that somebody plays.
const PLAY_MODULES: [&str; 6] = [
    include_str!("web/play/connection.js"),
    include_str!("web/play/transport.js"),
    include_str!("web/play/actors.js"),
    include_str!("web/play/byhand.js"),
    include_str!("web/play/views.js"),
    include_str!("web/play/play.js"),
];

/// Parts are joined until they are about this long.
const PAGE_PARTS_BYTES: usize = 256 * 1024;

/// What a page tells of.
#[derive(Clone, Copy)]
pub struct RunPage<'a> {
    /// The cells, each on each broker.
    pub reports: &'a [CellReport],
    /// The scenario of a cell, by its place among the cells.
    pub scenario_of: &'a dyn Fn(usize) -> &'a Scenario,
    /// What kept brokers from being played on.
    pub errors: &'a [BrokerError],
    /// Cells that end otherwise on two versions.
    pub differing: &'a [VersionPair],
    /// The scenarios' texts.
    pub sources: &'a Sources,
    /// How long all took.
    pub real: std::time::Duration,
}

impl std::fmt::Debug for RunPage<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunPage").field("reports", &self.reports.len()).finish_non_exhaustive()
    }
}

/// Writes the page, and hands out its parts in order.
///
/// # Errors
/// The first that `write` returns.
pub fn page(run: RunPage<'_>, write: &mut dyn FnMut(&str) -> Result<(), String>) -> Result<(), String> {
    write(&head())?;
    page_data(run, write)?;
    write(TAIL)
}

/// Writes the data of the page alone, as JSON in which no `<` stands, and hands out their parts in order.
///
/// # Errors
/// The first that `write` returns.
pub fn page_data(run: RunPage<'_>, write: &mut dyn FnMut(&str) -> Result<(), String>) -> Result<(), String> {
    write(&in_script(&data_head(run)))?;
    let (mut drawings, mut sources) = (Drawings::default(), IndexSet::<FileId>::new());
    let names = brokers(run.reports);
    let mut part = String::from("\n,\"cells\":[");
    for (number, report) in run.reports.iter().enumerate() {
        let scenario = (run.scenario_of)(report.cell);
        let source = file_of(scenario).map(|file| sources.insert_full(file).0);
        let broker = names.iter().position(|name| *name == report.broker).unwrap_or(0);
        let mut cell = page_cell(report, broker, source, run.sources);
        cell.graph = drawings.place(scenario, report.edition, report.exercised.as_ref());
        let text = serde_json::to_string(&cell).map_err(|error| error.to_string())?;
        part.push_str(if number > 0 { ",\n" } else { "\n" });
        part.push_str(&in_script(&text));
        if part.len() >= PAGE_PARTS_BYTES {
            write(&part)?;
            part.clear();
        }
    }
    part.push_str("],\n\"graphs\":[");
    part.push_str(&in_script(&Vec::from_iter(drawings.graphs).join(",\n")));
    part.push_str("],\n\"sources\":[");
    let texts: Vec<String> = sources.iter().map(|file| source_json(*file, run.sources).to_string()).collect();
    part.push_str(&in_script(&texts.join(",\n")));
    part.push_str("]}");
    write(&part)
}

/// Writes a text of a run without its passwords.
pub(crate) fn source_json(file: FileId, sources: &Sources) -> Json {
    let source = sources.get(file);
    json!({ "name": source.name, "text": mask(&source.text) })
}

/// Returns what stands before the cells, without the bracket that ends it.
fn data_head(run: RunPage<'_>) -> String {
    let counts = VERDICTS.map(|verdict| (verdict.as_str().to_owned(), json!(count(run.reports, &verdict))));
    let plain = Palette { colour: false };
    let differences: Vec<_> = run
        .differing
        .iter()
        .map(|pair| {
            let text = versions_text(std::slice::from_ref(pair), plain);
            json!({ "name": pair.name, "brokers": pair.brokers, "text": text.trim() })
        })
        .collect();
    let head = json!({
        "format": 1,
        "rmqplay": env!("CARGO_PKG_VERSION"),
        "brokers": brokers(run.reports),
        "counts": serde_json::Map::from_iter(counts),
        "real_ms": in_ms(run.real),
        "errors": run.errors.iter().map(error_json).collect::<Vec<_>>(),
        "differences": differences,
    });
    let mut text = head.to_string();
    text.pop();
    text
}

/// Writes JSON so that it ends no script and begins no comment: `<` stands in texts only.
fn in_script(json: &str) -> String {
    json.replace('<', "\\u003c")
}

/// Returns all before the data.
fn head() -> String {
    let mut head = opened(&script(&RUN_MODULES), include_str!("web/body.html"), "");
    head.push_str("<script type=\"application/json\" id=\"run\">");
    head
}

/// Returns the page of a run that somebody plays: it asks where it comes from for all that it shows.
pub fn play_page() -> String {
    let mut page = opened(&script(&PLAY_MODULES), include_str!("web/play/body.html"), "connect-src 'self'; ");
    page.push_str("</body>\n</html>\n");
    page
}

/// Returns a document with a script, up to its end. The policy allows the scripts and the style of this very file, by their
/// digests.
fn opened(script: &str, body: &str, policy: &str) -> String {
    let style = format!("{STYLE}{}", graph_style_sheet());
    let mut head = String::from("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    let _ = writeln!(
        head,
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src {} {}; style-src {}; {policy}\
         img-src data:; base-uri 'none'; form-action 'none'\">",
        digest(DAGRE),
        digest(script),
        digest(&style)
    );
    head.push_str(
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<link rel=\"icon\" href=\"data:,\">\n<title>rmqplay</title>\n",
    );
    let _ = writeln!(head, "<style>{style}</style>\n</head>\n<body>");
    head.push_str(body);
    let _ = writeln!(head, "<!--\ndagre 3.1.3\n{DAGRE_LICENCE}-->\n<script>{DAGRE}</script>");
    let _ = writeln!(head, "<script type=\"module\">{script}</script>");
    head
}

const TAIL: &str = "</script>\n</body>\n</html>\n";

/// Returns how a policy names a script or a style.
fn digest(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

/// Puts the modules together: in one script none needs to import another.
fn script(own: &[&str]) -> String {
    let mut script = String::new();
    for line in MODULES.iter().chain(own).flat_map(|module| module.lines()) {
        if !line.starts_with("import ") {
            script.push_str(line.strip_prefix("export ").unwrap_or(line));
            script.push('\n');
        }
    }
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_as_it_was_published() {
        let digest: String = Sha256::digest(DAGRE).iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(include_str!("web/vendor/README.md").contains(&digest), "{digest}");
    }

    #[test]
    fn the_page_is_small_beside_its_data() {
        let bytes = head().len() + TAIL.len();
        assert!(bytes <= 300_000, "{bytes} bytes");
        assert!(play_page().len() <= 300_000, "{} bytes", play_page().len());
    }

    #[test]
    fn modules_can_be_put_together() {
        let mut names = std::collections::BTreeSet::new();
        for module in MODULES.iter().chain(&RUN_MODULES).chain(&PLAY_MODULES) {
            for line in module.lines() {
                assert!(!line.contains("</script"), "{line}");
                assert!(!line.starts_with("import ") || line.ends_with(';'), "an import of one line: {line}");
                assert!(!line.starts_with("export default") && !line.starts_with("export {"), "{line}");
                if line.starts_with(char::is_whitespace) {
                    continue;
                }
                let declared = line.strip_prefix("export ").unwrap_or(line);
                let words: Vec<&str> = declared.split([' ', '(', '=']).filter(|word| !word.is_empty()).collect();
                if let ["const" | "let" | "function" | "class", name, ..] = words[..] {
                    assert!(names.insert(name.to_owned()), "two modules declare `{name}`");
                }
            }
        }
    }

    #[test]
    fn data_end_no_script() {
        assert_eq!(in_script("{\"a\":\"</script><!--\"}"), "{\"a\":\"\\u003c/script>\\u003c!--\"}");
    }
}
