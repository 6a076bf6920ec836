//! Steps that take connections away: `close_connection`, one after another so that each end is heard, and
//! `restart_broker`, which ends them all.

use crate::broker::{ConnectionId, Management};
use crate::model::{Millis, Name, Side};
use crate::player::asker::Role;
use crate::player::context::Player;
use crate::player::driver::command_sequence::{Ask, CommandSequence};
use crate::player::driver::state::ClosingConnections;
use crate::player::driver::state::{Continuation, DriverState};
use crate::player::record::timeline::{ConsumerEnd, TimelineEvent};
use crate::source::Code;
use std::collections::VecDeque;

impl Player {
    /// Lists the open connections with whose they are: of consumer instances, and of users that act. The runner's own
    /// are the driver's.
    pub(crate) fn open_connections(&self) -> Vec<(ConnectionId, Vec<Name>)> {
        let mut open: Vec<(ConnectionId, Vec<Name>)> = Vec::new();
        for actor in self.actors.iter().filter(|actor| !actor.is_connecting()) {
            let Some(connection) = actor.connection else { continue };
            let consumer = &self.scenario.consumers[actor.consumer];
            let names = [Some(consumer.name.clone()), Some(actor.name.clone()), consumer.actor.clone()];
            let names = names.into_iter().flatten();
            match open.iter_mut().find(|(known, _)| *known == connection) {
                Some((_, known)) => known.extend(names),
                None => open.push((connection, names.collect())),
            }
        }
        let links = self.driver.links.iter();
        open.extend(
            links.map(|((user, _), link)| (link.connection, vec![user.clone().unwrap_or_else(|| "driver".into())])),
        );
        open
    }

    pub(crate) fn begin_closing(&mut self, of: &Name, by: Side) {
        let open = self.open_connections().into_iter().filter(|(_, names)| names.contains(of));
        let connections: VecDeque<ConnectionId> = open.map(|(connection, _)| connection).collect();
        if connections.is_empty() {
            let span = self.driver.span(&self.scenario);
            self.failed(Code::StepNotConnected, format!("{of} has no open connection"), span, vec![]);
            return;
        }
        match by {
            Side::Broker => self.sever_next(connections),
            Side::Client => self.hang_up(&connections),
        }
    }

    fn sever_next(&mut self, mut left: VecDeque<ConnectionId>) {
        let Some(at) = left.pop_front() else { return self.end_step(None) };
        let program = CommandSequence::new([Ask::Manage(Management::CloseConnection { connection: at })]);
        self.driver.doing =
            DriverState::CommandSequence(program, Continuation::Severed(ClosingConnections { at, left }));
    }

    /// Waits until the end of the connection is heard, then takes the next.
    pub(crate) fn go_on_severing(&mut self, severing: ClosingConnections) -> bool {
        if self.open_connections().iter().any(|(connection, _)| *connection == severing.at) {
            self.driver.doing = DriverState::ClosingConnections(severing);
            return false;
        }
        self.sever_next(severing.left);
        true
    }

    /// Closes politely from this side.
    fn hang_up(&mut self, connections: &VecDeque<ConnectionId>) {
        for connection in connections {
            let user = self.actors.iter().position(|actor| actor.connection == Some(*connection));
            if let Some(index) = user {
                self.lost_connection(*connection, index, ConsumerEnd::ClosesConnection);
            }
            self.forget_link(*connection);
        }
        let program = CommandSequence::new(connections.iter().map(|connection| Ask::Disconnect(*connection)));
        self.driver.doing = DriverState::CommandSequence(program, Continuation::EndStep);
    }

    pub(crate) fn begin_restart(&mut self) {
        self.driver.restarting = true;
        self.record(TimelineEvent::Restarting);
        // How long a broker is away is its own affair: no time of the scenario passes.
        let program = CommandSequence::new([Ask::Manage(Management::Restart { down_for: Millis(0) })]);
        self.driver.doing = DriverState::CommandSequence(program, Continuation::Restarted);
    }

    /// Forgets a connection of the driver; what the runner took over it to read is the broker's again.
    pub(crate) fn forget_link(&mut self, connection: ConnectionId) {
        let is_runner = |name: &Option<Name>| name.is_none();
        let vhosts: Vec<Name> = (self.driver.links.iter())
            .filter(|((user, _), link)| is_runner(user) && link.connection == connection)
            .map(|((_, vhost), _)| vhost.clone())
            .collect();
        self.driver.links.retain(|_, link| link.connection != connection);
        self.channels.retain(|_, (of, role)| *of != connection || *role != Role::Driver);
        if !self.driver.is_frozen() {
            vhosts.iter().for_each(|vhost| self.ledger.let_go(vhost));
        }
    }
}
