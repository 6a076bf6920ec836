//! What can join a run under way: a scenario on the same broker, whose variables are the fields of a form.
//! Its consumers start and its steps are done at the moment at which it joins; how a run of its own would end does not matter.

use crate::model::{Act, Cell, Consumer, Name, Scenario, Step, Topology};
use crate::player::Player;
use crate::source::{Sources, Span};
use serde_json::{Value as Json, json};

/// One field of the form of a part.
#[derive(Debug, Clone, PartialEq)]
pub struct PartField {
    /// The variable.
    pub name: String,
    /// What its file says, and how else it may be: text, number, a list, …
    pub value: Json,
}

/// A scenario that can join.
#[derive(Debug, Clone, PartialEq)]
pub struct PlayPart {
    /// Its title.
    pub title: String,
    /// Its file, as it was named.
    pub file: String,
    /// Its variables, in file order.
    pub fields: Vec<PartField>,
}

impl PlayPart {
    pub(crate) fn json(&self) -> Json {
        let fields = self.fields.iter().map(|field| json!({"name": field.name, "value": field.value}));
        json!({"title": self.title, "file": self.file, "fields": fields.collect::<Vec<_>>()})
    }
}

/// A part as it joins: loaded with what was chosen, and all texts that were read until then.
#[derive(Debug, Clone)]
pub struct JoinedPart {
    /// What joins.
    pub cell: Cell,
    /// The texts of the run and of the part.
    pub sources: Sources,
}

/// Lists what a part adds to a topology; what is there already is left out.
fn added(part: &Topology, own: &Topology) -> Topology {
    let exchanges = part
        .exchanges
        .iter()
        .filter(|one| !own.exchanges.iter().any(|known| (&known.vhost, &known.name) == (&one.vhost, &one.name)));
    let queues = part.queues.iter().filter(|one| own.queue(&one.vhost, &one.name).is_none());
    let bindings = part.bindings.iter().filter(|one| !own.bindings.contains(one));
    let policies = part
        .policies
        .iter()
        .filter(|one| !own.policies.iter().any(|known| (&known.vhost, &known.name) == (&one.vhost, &one.name)));
    Topology {
        exchanges: exchanges.cloned().collect(),
        queues: queues.cloned().collect(),
        bindings: bindings.cloned().collect(),
        policies: policies.cloned().collect(),
        ..Topology::default()
    }
}

/// Makes the steps that declare objects, in an order in which each finds what it needs.
fn declaring(objects: &Topology, span: Span) -> Vec<Step> {
    let step =
        |vhost: &Name, act: Act| Step { span, act, actor: None, vhost: vhost.clone(), refused: None, pace: None };
    let exchanges = objects.exchanges.iter().map(|one| step(&one.vhost, Act::DeclareExchange(Box::new(one.clone()))));
    let queues = objects.queues.iter().map(|one| step(&one.vhost, Act::DeclareQueue(Box::new(one.clone()))));
    let bindings = objects.bindings.iter().map(|one| step(&one.vhost, Act::Bind(Box::new(one.clone()))));
    let policies = objects
        .policies
        .iter()
        .map(|one| step(&one.vhost, Act::SetPolicy { policy: Box::new(one.clone()), operator: false }));
    exchanges.chain(queues).chain(bindings).chain(policies).collect()
}

/// Lets a part join a run: declares what it adds, starts its consumers, and does its steps.
///
/// # Errors
/// It needs what cannot be had of a broker under way, or a name of its own is taken.
pub(crate) fn join(part: &Scenario, player: &mut Player) -> Result<(), String> {
    let own = player.scenario();
    let vhosts = own.vhosts();
    if let Some(other) = part.vhosts().iter().find(|vhost| !vhosts.contains(vhost)) {
        return Err(format!("it needs vhost {other}, which the run does not have"));
    }
    let is_known = |name: &Name| own.topology.users.iter().any(|user| user.name == *name);
    if let Some(user) = part.topology.users.iter().find(|user| !is_known(&user.name)) {
        return Err(format!("it needs user {}, whom the run does not have", user.name));
    }
    let is_taken = |one: &&Consumer| own.consumers.iter().any(|known| known.name == one.name);
    if let Some(taken) = part.consumers.iter().find(is_taken) {
        return Err(format!("{} is there already: give another name", taken.name));
    }
    let span = part.all_steps().map(|step| step.span).chain(part.consumers.iter().map(|one| one.span)).next();
    let span = span.unwrap_or_else(|| Span::in_no_file(0));
    let objects = added(&part.topology, &own.topology);
    let mut steps = declaring(&objects, span);
    for consumer in part.consumers.iter().filter(|consumer| !consumer.start_manually) {
        let (act, vhost) = (Act::Start(consumer.name.clone()), consumer.queue.vhost.clone());
        steps.push(Step { span: consumer.span, act, actor: None, vhost, refused: None, pace: None });
    }
    steps.extend(part.steps.iter().cloned());
    player.add_objects(&objects, &part.origins);
    player.add_consumers(&part.consumers);
    player.do_by_hand(steps);
    Ok(())
}
