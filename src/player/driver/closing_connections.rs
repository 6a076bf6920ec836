//! Steps that take connections away: `close_connection`, one after another so that each end is heard, and
//! `restart_broker`, which ends them all.

use crate::broker::{ConnectionId, Management};
use crate::model::{Millis, Name, Scenario, Side};
use crate::player::consumer::instances::ConsumerInstances;
use crate::player::context::Context;
use crate::player::context::command_sequence::Ask;
use crate::player::driver::state::{ClosingConnections, ConsumerRequest, Continuation, Driver, DriverState};
use crate::player::record::timeline::TimelineEvent;
use crate::source::Code;
use std::collections::VecDeque;

impl Driver {
    /// Lists the open connections with whose they are: of consumer instances, and of users that act. The runner's own
    /// are the driver's.
    pub fn open_connections(
        &self,
        scenario: &Scenario,
        consumers: &ConsumerInstances,
    ) -> Vec<(ConnectionId, Vec<Name>)> {
        let mut open = consumers.open_connections(scenario);
        let own = self.connections.iter();
        open.extend(
            own.map(|((user, _), known)| (known.connection, vec![user.clone().unwrap_or_else(|| "driver".into())])),
        );
        open
    }

    pub fn begin_closing(
        &mut self,
        of: &Name,
        by: Side,
        context: &mut Context,
        scenario: &Scenario,
        consumers: &ConsumerInstances,
    ) {
        let open = self.open_connections(scenario, consumers).into_iter().filter(|(_, names)| names.contains(of));
        let connections: VecDeque<ConnectionId> = open.map(|(connection, _)| connection).collect();
        if connections.is_empty() {
            let message = format!("{of} has no open connection");
            context.failed(Code::StepNotConnected, message, self.span(scenario), vec![]);
            return;
        }
        match by {
            Side::Broker => self.close_next(connections, context, scenario),
            Side::Client => self.hang_up(connections, context),
            Side::Network => self.lose_network(connections, context),
        }
    }

    fn close_next(&mut self, mut left: VecDeque<ConnectionId>, context: &mut Context, scenario: &Scenario) {
        let Some(at) = left.pop_front() else { return self.end_step(None, context, scenario) };
        let close = Ask::Manage(Management::CloseConnection { connection: at });
        self.ask([close], Continuation::ConnectionClosed(ClosingConnections { at, left }));
    }

    /// Waits until the end of the connection is heard, then takes the next.
    pub fn go_on_closing(
        &mut self,
        closing: ClosingConnections,
        context: &mut Context,
        scenario: &Scenario,
        consumers: &ConsumerInstances,
    ) -> bool {
        if self.open_connections(scenario, consumers).iter().any(|(connection, _)| *connection == closing.at) {
            self.doing = DriverState::ClosingConnections(closing);
            return false;
        }
        self.close_next(closing.left, context, scenario);
        true
    }

    /// Closes politely from this side.
    fn hang_up(&mut self, connections: VecDeque<ConnectionId>, context: &mut Context) {
        connections.iter().for_each(|connection| self.forget_connection(*connection, context));
        self.ask(connections.iter().map(|connection| Ask::Disconnect(*connection)), Continuation::EndStep);
        self.request = Some(ConsumerRequest::HangUp(connections));
    }

    /// Lets the network lose connections: they are gone here, and stand on the broker.
    fn lose_network(&mut self, connections: VecDeque<ConnectionId>, context: &mut Context) {
        connections.iter().for_each(|connection| self.forget_connection(*connection, context));
        self.ask(connections.iter().map(|connection| Ask::Isolate(*connection)), Continuation::EndStep);
        self.request = Some(ConsumerRequest::Drift(connections));
    }

    pub fn begin_restart(&mut self, context: &mut Context) {
        self.restarting = true;
        context.record(TimelineEvent::Restarting);
        // How long a broker is away is its own affair: no time of the scenario passes.
        self.ask([Ask::Manage(Management::Restart { down_for: Millis(0) })], Continuation::Restarted);
    }
}
