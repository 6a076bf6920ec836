//! Faults as they happen: what is done to connections, commands and events, and a broker that goes down and comes back.

use crate::broker::{Client, Command, Confirmation, Event, Ids, Management, Refusal, RequestId, Scope, code};
use crate::model::{Millis, Moment};
use crate::plan::{Applier, Observed, plan};
use crate::rules::cut;
use crate::serve::faults::clients::Whom;
use crate::serve::faults::waiting::{RESTART_REQUEST, ends_connection};
use crate::serve::served_broker::ServedBroker;
use crate::sim::Sim;
use crate::simulate::{Limits, simulate};

/// A request whose answer is not needed.
const UNHEARD_REQUEST: RequestId = RequestId(u64::MAX - 1);

impl ServedBroker {
    /// Closes connections as the management API does; returns how many.
    pub(crate) fn close_connections(&mut self, whom: &Whom, now_ms: u64) -> usize {
        let met = self.server.find_clients(whom);
        for (_, connection) in &met {
            // One that is gone by now needs no closing.
            let _ = self.manage(now_ms, Management::CloseConnection { connection: *connection });
        }
        met.len()
    }

    /// Cuts connections without a word; returns how many.
    pub(crate) fn drop_connections(&mut self, whom: &Whom) -> usize {
        let met = self.server.find_clients(whom);
        met.iter().for_each(|(socket, _)| self.server.drop_client(*socket));
        met.len()
    }

    /// Says that no connection is meant, and what connections there are.
    pub(crate) fn nobody_is(&self, whom: &Whom) -> String {
        let names = self.server.client_names();
        match (whom, names.as_slice()) {
            (_, []) => "nobody is connected".to_owned(),
            (Whom::Named(name), names) => {
                format!("no connection, and no user of one, is called `{name}`; there are: {}", names.join(", "))
            }
            (Whom::All, _) => "no connection is open yet".to_owned(),
        }
    }

    /// Sets or clears an alarm of a resource.
    pub(crate) fn set_alarm(&mut self, resource: &'static str, is_on: bool) {
        self.server.set_alarm(resource, is_on);
    }

    /// Stops the broker for a while, with its disk or without: then it comes back with what it was started with.
    pub(crate) fn restart(&mut self, keeps_disk: bool, down_for: Millis, now_ms: u64) -> Result<(), String> {
        if self.sim.is_down() {
            return Err("the broker is down already".to_owned());
        }
        let now = self.clock.moment(now_ms);
        if !keeps_disk {
            if self.has_scenario() {
                return Err("a scenario plays here, which a broker without its disk would not know: use `disk: true`"
                    .to_owned());
            }
            self.sim.handle(
                now,
                Command::Manage { request: UNHEARD_REQUEST, act: Management::Restart { down_for: Millis(0) } },
            );
            self.hand_out(now);
            self.sim = self.sim_anew(now);
        }
        self.sim.handle(now, Command::Manage { request: RESTART_REQUEST, act: Management::Restart { down_for } });
        self.server.set_down(true);
        self.hand_out(now);
        Ok(())
    }

    /// Makes a broker that holds what this one was started with.
    fn sim_anew(&self, now: Moment) -> Sim {
        let mut sim = Sim::new(self.edition).with_epoch(self.second_of(Moment(0)));
        sim.advance(now);
        let planned = plan(&self.begun_with.0, &self.begun_with.1, &Observed::empty(self.edition.profile));
        let mut applier = Applier::new(planned, Ids::default());
        simulate(&mut applier, &mut sim, now, &Limits::default());
        sim.with_insights(self.journal.is_some())
    }

    /// Meets a command of an outside client with a fault; returns whether one did.
    pub(crate) fn meet_fault(&mut self, now: Moment, command: &Command) -> bool {
        if !self.faults.meets_commands() {
            return false;
        }
        let refusal = self.server.method_at_hand().and_then(|ids| self.faults.refusal_of(ids));
        if let Some((number, text)) = refusal {
            return self.refuse(now, command, number, &text);
        }
        match command {
            Command::Publish { publish, .. } if self.server.awaits_confirm(*publish) && self.faults.nacks_next() => {
                let publish = *publish;
                self.pass_on(now, Event::Confirmed { publish, confirmation: Confirmation::Nack });
                true
            }
            _ => false,
        }
    }

    fn refuse(&mut self, now: Moment, command: &Command, number: u16, text: &str) -> bool {
        let text = cut(format!("{} - {text}", code::name(number)));
        let scope = if ends_connection(number) { Scope::Connection } else { Scope::Channel };
        let cause = Refusal::new(scope, number, text);
        let (request, channel) = match command {
            Command::Connect { request, .. } => {
                self.pass_on(now, Event::Reply { request: *request, reply: Err(cause) });
                return true;
            }
            Command::OpenChannel { request, connection, .. } => {
                self.pass_on(now, Event::Reply { request: *request, reply: Err(cause.clone()) });
                self.end_connection(now, *connection, cause);
                return true;
            }
            Command::Call { request, channel, .. } => (Some(*request), *channel),
            Command::Publish { channel, .. } | Command::Settle { channel, .. } => (None, *channel),
            _ => return false,
        };
        if let Some(request) = request {
            self.pass_on(now, Event::Reply { request, reply: Err(cause.clone()) });
        }
        match (scope, self.server.connection_of(channel)) {
            (Scope::Connection, Some(connection)) => self.end_connection(now, connection, cause),
            _ => {
                self.sim.handle(now, Command::CloseChannel { request: UNHEARD_REQUEST, channel });
                self.pass_on(now, Event::ChannelClosed { channel, cause });
            }
        }
        true
    }

    fn end_connection(&mut self, now: Moment, connection: crate::broker::ConnectionId, cause: Refusal) {
        self.sim.handle(now, Command::Disconnect { request: UNHEARD_REQUEST, connection });
        self.pass_on(now, Event::ConnectionClosed { connection, cause });
    }

    /// Passes an event on to its client, late where deliveries are to be.
    pub(crate) fn pass_on(&mut self, now: Moment, event: Event) {
        self.observe_event(now, &event);
        let event = match event {
            Event::Delivered { channel, ref consumer, .. } if self.faults.delays() => {
                let queue = self.observer.queue_of(channel, consumer).cloned();
                self.faults.keep_back(now, channel, queue.as_ref(), event)
            }
            event => Some(event),
        };
        if let Some(event) = event {
            self.server.handle_event(now, event);
        }
    }

    /// Passes on the deliveries whose time has come.
    pub(crate) fn pass_on_due(&mut self, now: Moment) {
        while let Some(event) = self.faults.take_due(now) {
            self.server.handle_event(now, event);
        }
    }
}
