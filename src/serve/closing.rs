//! How a connection ends: by a fault of the client's, by a handshake that fails, by force, or with its socket.
//! Says what RabbitMQ says, and waits as long.

use crate::broker::{Command, Ids, code};
use crate::rules::cut;
use crate::serve::connection::{AwaitedReply, ConnectionPhase, ConnectionStep, ReadingContext, ServedConnection};
use crate::serve::handshake::Stopped;
use crate::serve::hard_error::HardError;
use crate::serve::served_channel::ChannelState;
use crate::wire::AmqpMethod;

/// How long a socket stays open after a login was refused, or a frame could not be read, in real milliseconds.
const SILENT_CLOSE_MS: u64 = 3_000;

/// How often a connection without any deadline is looked at, in real milliseconds.
const UNHURRIED_LOOK_MS: u64 = 1_000;

/// How long close-ok is waited for at most, in real milliseconds.
const CLOSING_MS: u64 = 30_000;

impl ServedConnection {
    /// Closes for a fault of the client's; the simulator forgets it.
    pub(crate) fn fail(&mut self, error: HardError, around: &mut ReadingContext<'_>) -> ConnectionStep {
        match self.phase {
            ConnectionPhase::Running => {
                let step = self.leave(around);
                self.say_close(error.code, &error.text, error.ids, around.now_ms);
                if error.loses_sync {
                    self.linger(around.now_ms);
                }
                step
            }
            ConnectionPhase::Opening => {
                self.say_close(error.code, &error.text, error.ids, around.now_ms);
                ConnectionStep::Rest
            }
            // RabbitMQ does not trust a client that gets the handshake wrong: it says nothing.
            _ => {
                self.linger(around.now_ms);
                ConnectionStep::Rest
            }
        }
    }

    pub(crate) fn stop(&mut self, stopped: Stopped, around: &ReadingContext<'_>) {
        match stopped {
            Stopped::Told(error) => self.say_close(error.code, &error.text, error.ids, around.now_ms),
            Stopped::Refused(error) => {
                self.say_close(error.code, &error.text, error.ids, around.now_ms);
                self.linger(around.now_ms);
            }
            Stopped::Silent => self.linger(around.now_ms),
        }
    }

    /// Has the simulator forget the connection, with all that lives by it.
    fn leave(&mut self, around: &mut ReadingContext<'_>) -> ConnectionStep {
        if !std::mem::take(&mut self.is_open) {
            return ConnectionStep::Rest;
        }
        let request = self.await_reply(around, AwaitedReply::Nothing);
        ConnectionStep::Command(Command::Disconnect { request, connection: self.id }, (0, 0))
    }

    /// Closes a channel for a fault that the simulator does not know of.
    pub(crate) fn close_channel(
        &mut self,
        number: u16,
        reply_code: u16,
        text: &str,
        ids: (u16, u16),
        around: &mut ReadingContext<'_>,
    ) -> ConnectionStep {
        let Some(channel) = self.channels.get_mut(&number) else { return ConnectionStep::Rest };
        channel.state = ChannelState::Closing;
        let channel = channel.id;
        self.say_channel_close(number, reply_code, &cut(format!("{} - {text}", code::name(reply_code))), ids);
        let request = self.await_reply(around, AwaitedReply::Nothing);
        ConnectionStep::Command(Command::CloseChannel { request, channel }, ids)
    }

    pub(crate) fn say_channel_close(
        &mut self,
        number: u16,
        reply_code: u16,
        text: &str,
        (class_id, method_id): (u16, u16),
    ) {
        let method = AmqpMethod::ChannelClose { reply_code, reply_text: text.into(), class_id, method_id };
        self.outbox.method(number, method);
    }

    /// Says connection.close, and waits for close-ok.
    pub(crate) fn say_close(&mut self, reply_code: u16, text: &str, (class_id, method_id): (u16, u16), now_ms: u64) {
        let method = AmqpMethod::ConnectionClose { reply_code, reply_text: text.into(), class_id, method_id };
        self.outbox.method(0, method);
        self.channels.clear();
        self.await_end(now_ms);
    }

    /// Waits for close-ok, or for the client to close the socket, as long as RabbitMQ does.
    pub(crate) fn await_end(&mut self, now_ms: u64) {
        self.phase = ConnectionPhase::Closed;
        let heartbeat_ms = u64::from(self.agreement.heartbeat_s) * 1_000;
        let wait = if (1..CLOSING_MS).contains(&heartbeat_ms) { heartbeat_ms } else { CLOSING_MS };
        self.deadline_ms = Some(now_ms + wait);
    }

    /// Hears nothing more, and closes the socket after a while.
    fn linger(&mut self, now_ms: u64) {
        self.phase = ConnectionPhase::Lingering;
        self.deadline_ms = Some(now_ms + SILENT_CLOSE_MS);
    }

    /// Closes the socket with nothing said.
    pub(crate) fn drop_now(&mut self) {
        self.outbox.clear();
        self.phase = ConnectionPhase::Over;
    }

    /// Says what ends the connection from outside, as a broker that goes down does.
    pub(crate) fn force_out(&mut self, text: &str, now_ms: u64) {
        match self.phase {
            ConnectionPhase::Running => {
                self.say_close(code::CONNECTION_FORCED, &format!("CONNECTION_FORCED - {text}"), (0, 0), now_ms);
            }
            ConnectionPhase::Closed => {}
            _ => self.phase = ConnectionPhase::Over,
        }
    }

    /// Returns the command by which the simulator hears that the socket is gone, if it knows the connection.
    pub(crate) fn lost(&mut self, ids: &mut Ids) -> Option<Command> {
        self.phase = ConnectionPhase::Over;
        self.outbox.clear();
        if !std::mem::take(&mut self.is_open) {
            return None;
        }
        let request = ids.request();
        self.awaited = Some((request, AwaitedReply::Nothing));
        Some(Command::Cut { request, connection: self.id })
    }

    /// Returns whether its time is over: what it waited for did not come, or two heartbeats were missed.
    pub(crate) fn is_overdue(&self, now_ms: u64) -> bool {
        self.deadline_ms.is_some_and(|deadline| deadline <= now_ms)
            || self.phase == ConnectionPhase::Running
                && !self.is_blocked
                && self.missed_at_ms().is_some_and(|at| at <= now_ms)
    }

    /// Returns whether nothing was sent for half a heartbeat.
    pub(crate) fn owes_heartbeat(&self, now_ms: u64) -> bool {
        self.phase == ConnectionPhase::Running && self.heartbeat_at_ms().is_some_and(|at| at <= now_ms)
    }

    /// Returns when it is to be looked at again, in real milliseconds: after `now_ms`, and with all that are in no hurry.
    pub(crate) fn next_look_ms(&self, now_ms: u64) -> u64 {
        let beats = [self.missed_at_ms(), self.heartbeat_at_ms()].into_iter().flatten();
        let beats = beats.filter(|_| self.phase == ConnectionPhase::Running);
        let soon = (now_ms / UNHURRIED_LOOK_MS + 1) * UNHURRIED_LOOK_MS;
        beats.chain(self.deadline_ms).fold(soon, u64::min).max(now_ms + 1)
    }

    fn missed_at_ms(&self) -> Option<u64> {
        let interval = u64::from(self.agreement.heartbeat_s) * 1_000;
        (interval > 0).then(|| self.received_ms + 2 * interval)
    }

    fn heartbeat_at_ms(&self) -> Option<u64> {
        let interval = u64::from(self.agreement.heartbeat_s) * 1_000;
        (interval > 0).then(|| self.sent_ms + interval / 2)
    }
}

impl ConnectionPhase {
    /// Returns RabbitMQ's word, for texts.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            ConnectionPhase::Header => "handshake",
            ConnectionPhase::Starting => "starting",
            ConnectionPhase::Tuning => "tuning",
            ConnectionPhase::Opening => "opening",
            ConnectionPhase::Running => "running",
            ConnectionPhase::Closed | ConnectionPhase::Lingering | ConnectionPhase::Over => "closed",
        }
    }
}
