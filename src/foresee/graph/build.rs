//! From a topology's view to its graph: what is declared, then dead letters and links, then ladders folded.
//! Takes the ways of dead letters from the router; judges nothing.

use crate::foresee::graph::builder::GraphBuilder;
use crate::foresee::graph::parts::{TopologyGraph, VhostGraph};
use crate::foresee::graph::{dead_letters, ladders, links};
use crate::foresee::lint::DeadLetterWays;
use crate::foresee::topology_view::TopologyView;

/// Draws a topology, or one vhost of it, by the newest version of its view.
pub fn topology_graph(view: &TopologyView<'_>, vhost: Option<&str>) -> TopologyGraph {
    let ways = DeadLetterWays::of(view);
    let names = view.topology.vhost_names();
    let asked = names.into_iter().filter(|name| vhost.is_none_or(|vhost| *name == *vhost));
    let vhosts = asked.map(|name| {
        let mut builder = GraphBuilder::of(view, name);
        dead_letters::add(&mut builder, &ways);
        links::add(&mut builder);
        ladders::fold(builder.graph, view)
    });
    TopologyGraph {
        profile: view.newest().profile,
        vhosts: vhosts.filter(|graph: &VhostGraph| !graph.nodes.is_empty()).collect(),
    }
}
