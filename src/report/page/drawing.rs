//! The topologies of a page as graphs, each kept once, with what a run exercised.
//! Takes scenarios; returns JSON. The browser lays them out, so that a run waits for no picture.

use crate::broker::Exercised;
use crate::foresee::{TopologyView, mark_exercised, topology_graph, versions};
use crate::model::{Origins, Scenario, Topology};
use crate::report::graph::graph_json;
use crate::rules::Edition;
use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;
use serde_json::Value as Json;

/// The graphs of a page, in the order of their first use.
#[derive(Debug, Default)]
pub struct Drawings {
    /// As JSON.
    pub graphs: IndexSet<String, FxBuildHasher>,
}

impl Drawings {
    /// Returns the place of a scenario's graph; `None` when there is nothing to draw.
    pub fn place(&mut self, scenario: &Scenario, edition: Edition, used: Option<&Exercised>) -> Option<usize> {
        let drawing = drawn(&scenario.topology, &scenario.origins, edition, used)?;
        Some(self.graphs.insert_full(drawing.to_string()).0)
    }
}

/// Writes the graph of a topology; `None` when there is nothing to draw.
pub(crate) fn drawing_json(topology: &Topology, origins: &Origins, edition: Edition) -> Option<Json> {
    drawn(topology, origins, edition, None)
}

fn drawn(topology: &Topology, origins: &Origins, edition: Edition, used: Option<&Exercised>) -> Option<Json> {
    let versions = versions(topology, &[edition.profile]);
    let view = TopologyView::new(topology, origins, &versions)?;
    let mut graph = topology_graph(&view, None);
    if graph.vhosts.is_empty() {
        return None;
    }
    if let Some(used) = used {
        mark_exercised(&mut graph, used);
    }
    Some(graph_json(&graph))
}
