//! Writes out `retry:` of a queue: the ladder of delays, and the broker-only loop.
//! Takes what a file says; gives exchange, wait queues and bindings. Names carry the delay, so that a change adds a queue.

use crate::language::decode::collect::Collected;
use crate::language::decode::map_decoder::{Diagnostics, MapDecoder, each};
use crate::language::decode::read;
use crate::language::decode::read::{DecodeError, Read};
use crate::language::decode::topology::arguments::Arguments;
use crate::language::syntax::tree::{Entry, Node, NodeKind, Style};
use crate::model::{Binding, DestinationKind, Exchange, Ladder, Millis, Name, Origin, Queue, Table, Value};
use crate::rules::SHORT_STRING_BYTES_MAX;
use crate::source::{Code, Problem, Span};

/// The routing key that leads to where messages go that were tried often enough.
const PARKED: &str = "parked";

/// A read `retry:`.
#[derive(Debug, Clone)]
pub struct RetryDeclaration {
    rungs: Rungs,
    /// Where messages go that were tried often enough.
    then: Option<Name>,
    place: Span,
}

/// A read `retry:` that still has to declare its queues, when all written objects are known.
pub type PendingRetry = (Queue, RetryDeclaration);

#[derive(Debug, Clone)]
enum Rungs {
    /// `delays`: the consumer chooses the rung.
    Delays(Vec<Rung>),
    /// `every`: the broker leads to one wait queue and back.
    Every(Rung),
}

/// One delay, with the words that the names of its wait queue and its key end in: as the file writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rung {
    delay: Millis,
    written: String,
}

/// Reads `{delays, then}` or `{every, then}`.
pub fn read(entry: &Entry, queue: Option<&str>, desk: &mut Diagnostics) -> Option<RetryDeclaration> {
    let mut fields = MapDecoder::of("retry", "`retry`", &entry.value, desk)?;
    let delays =
        fields.node("delays").map(|node| each("`delays`", node, desk, |node, desk| desk.read("a delay", node, rung)));
    let empty = fields.node("delays").filter(|node| matches!(&node.kind, NodeKind::List(rungs) if rungs.is_empty()));
    let every = fields.opt("every", desk, rung);
    let then = fields.opt("then", desk, read::name);
    if let Some(node) = empty {
        let problem = Problem::new(Code::TopologyRetry, "`retry` has no delay").at(node.span, "an empty list");
        desk.add(problem.help("write `delays: [5s, 30s]`, or leave `retry` out"));
    }
    if let (Some(then), Some(node)) = (then.as_deref().filter(|then| Some(*then) == queue), fields.node("then")) {
        let message = format!("`then` of queue '{then}' leads back to it: its messages would never be at rest");
        let problem = Problem::new(Code::TopologyRetry, message).at(node.span, "the queue itself");
        desk.add(problem.help("name another queue, where messages wait for a person: `then: work.parked`"));
    }
    let faulty = every.is_none() && fields.has("every");
    fields.finish(desk);
    let place = entry.key_span.to(entry.value.span);
    let rungs = match (delays, every) {
        (Some(delays), None) => Rungs::Delays(delays),
        (None, Some(every)) => Rungs::Every(every),
        (None, None) if faulty => return None,
        (both, _) => {
            let found = if both.is_some() { "both" } else { "neither" };
            let message = format!("`retry` takes `delays` or `every`, found {found}");
            let help = "`delays: [5s, 30s]`: the consumer's action `retry` climbs; `every: 5s`: the broker loops alone";
            desk.add(Problem::new(Code::TopologyRetry, message).at(entry.key_span, "choose one").help(help));
            return None;
        }
    };
    Some(RetryDeclaration { rungs, then, place })
}

/// Reads the length of a rung; without any there is nothing to wait for.
fn rung(node: &Node) -> Read<Rung> {
    match read::duration(node)? {
        Millis(0) => Err(DecodeError::Value {
            message: "cannot be zero".into(),
            help: Some("write how long a message waits; `requeue` brings it back at once".into()),
        }),
        delay => {
            // What a template made was not written by anybody.
            let written = node.as_text().filter(|_| node.style != Style::Rendered);
            let written = written.map_or_else(|| delay.to_string(), str::to_owned);
            Ok(Rung { delay, written: written.split_whitespace().collect() })
        }
    }
}

/// Returns the name of the wait queue of a delay: `work.q.retry.5s`.
fn wait_name(queue: &Queue, rung: &Rung) -> Name {
    format!("{}.retry.{}", queue.name, rung.written).into()
}

impl RetryDeclaration {
    /// Sets what the loop needs on the queue itself.
    pub fn dress(&self, queue: &mut Queue, arguments: &mut Arguments, desk: &mut Diagnostics) {
        if let Rungs::Every(rung) = &self.rungs {
            let taken = ["x-dead-letter-exchange", "x-dead-letter-routing-key"];
            if let Some(first) = taken.iter().find_map(|name| arguments.places.get(*name)) {
                let message = "`retry: {every}` dead-letters into its wait queue: the queue has no other dead letters";
                let problem =
                    Problem::new(Code::TopologyArgumentTwice, message).at(self.place, "leads to the wait queue");
                let help = "leave `dead_letter` out; or write \
                            `retry: {delays: [5s]}`, which leaves dead letters alone";
                return desk.add(problem.at(*first, "leads elsewhere").help(help));
            }
            arguments.set("x-dead-letter-exchange", Value::from(""), self.place, desk);
            let back = Value::from(&*wait_name(queue, rung));
            arguments.set("x-dead-letter-routing-key", back, self.place, desk);
            queue.arguments = arguments.table.clone();
        }
    }

    /// Declares what stands beside the queue.
    pub fn declare(&self, queue: &Queue, into: &mut Collected, desk: &mut Diagnostics) {
        // What stands beside the queue is written nowhere but in `retry`.
        let origin = Origin::new(self.place, [("retry".into(), self.place)]);
        self.check_names(queue, desk);
        let delays = match &self.rungs {
            Rungs::Delays(delays) => delays.clone(),
            Rungs::Every(rung) => vec![rung.clone()],
        };
        // The same delay in other words leads to the queue of the first.
        let mut distinct: Vec<Rung> = Vec::new();
        let climbed: Vec<Rung> = delays
            .into_iter()
            .map(|rung| {
                let known = distinct.iter().find(|known| known.delay == rung.delay).cloned();
                known.unwrap_or_else(|| {
                    into.queue(wait_queue(queue, &rung), origin.clone(), desk);
                    distinct.push(rung.clone());
                    rung
                })
            })
            .collect();
        if let Some(then) = &self.then
            && into.topology.queue(&queue.vhost, then).is_none()
        {
            let parked = Queue { name: then.clone(), arguments: same_type(queue), ..plain(queue) };
            into.queue(parked, origin.clone(), desk);
        }
        if matches!(self.rungs, Rungs::Delays(_)) {
            self.declare_exchange(queue, (&climbed, &distinct), &origin, into, desk);
        }
    }

    /// The names beside the queue are longer than its own.
    fn check_names(&self, queue: &Queue, desk: &mut Diagnostics) {
        let rungs = match &self.rungs {
            Rungs::Delays(rungs) => rungs.as_slice(),
            Rungs::Every(rung) => std::slice::from_ref(rung),
        };
        let longest = rungs.iter().map(|rung| wait_name(queue, rung).len()).max().unwrap_or(0);
        if longest > SHORT_STRING_BYTES_MAX {
            let message = format!(
                "a wait queue's name would be {longest} bytes long, and AMQP carries at most {SHORT_STRING_BYTES_MAX}"
            );
            desk.add(
                Problem::new(Code::TopologyRetry, message)
                    .at(self.place, "named by its delay")
                    .help("shorten the queue's name"),
            );
        }
    }

    fn declare_exchange(
        &self,
        queue: &Queue,
        (climbed, distinct): (&[Rung], &[Rung]),
        origin: &Origin,
        into: &mut Collected,
        desk: &mut Diagnostics,
    ) {
        let (vhost, name): (Name, Name) = (queue.vhost.clone(), format!("{}.retry", queue.name).into());
        let exchange = Exchange {
            vhost: vhost.clone(),
            name: name.clone(),
            kind: "direct".into(),
            durable: true,
            auto_delete: false,
            internal: false,
            arguments: Table::new(),
        };
        into.exchange(exchange, origin.clone(), desk);
        let climbed = climbed.iter().map(|rung| rung.written.as_str().into()).collect();
        let parked = self.then.as_ref().map(|_| PARKED.into());
        into.climbed.insert(queue.id(), Ladder { exchange: name.clone(), rungs: climbed, parked });
        let rungs = distinct.iter().map(|rung| (wait_name(queue, rung), rung.written.clone()));
        let parked = self.then.iter().map(|then| (then.clone(), PARKED.to_owned()));
        for (destination, key) in rungs.chain(parked) {
            let binding = Binding {
                vhost: vhost.clone(),
                source: name.clone(),
                destination,
                destination_kind: DestinationKind::Queue,
                routing_key: key.into(),
                arguments: Table::new(),
            };
            into.binding(binding, origin.clone(), desk);
        }
    }
}

/// Returns a durable queue in the same vhost without name and arguments.
fn plain(queue: &Queue) -> Queue {
    let (vhost, name, arguments) = (queue.vhost.clone(), Name::from(""), Table::new());
    Queue { vhost, name, durable: queue.durable, auto_delete: false, exclusive: false, arguments }
}

fn same_type(queue: &Queue) -> Table {
    let kind = queue.arguments.get("x-queue-type").cloned();
    kind.map(|kind| ("x-queue-type".to_owned(), kind)).into_iter().collect()
}

fn wait_queue(queue: &Queue, rung: &Rung) -> Queue {
    let mut arguments = same_type(queue);
    arguments.insert("x-message-ttl".into(), Value::I64(i64::try_from(rung.delay.0).unwrap_or(i64::MAX)));
    arguments.insert("x-dead-letter-exchange".into(), Value::from(""));
    arguments.insert("x-dead-letter-routing-key".into(), Value::from(&*queue.name));
    Queue { name: wait_name(queue, rung), arguments, ..plain(queue) }
}
