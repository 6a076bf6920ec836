//! Carries changes out one after another, each request after the answer of the one before: deletions and replacements.
//! What is gone already counts as deleted. Goes on with the next object after a refusal; never retries one.

use crate::broker::{
    ChannelId, Client, Command, ConnectionId, Event, Ids, Management, Method, Refusal, Reply, RequestId, Scope, code,
};
use crate::model::{Millis, Moment, Name, Object};
use crate::plan::apply::applier::Applied;
use crate::plan::{Change, Write};
use std::collections::VecDeque;

/// How often a connection may break before the rest of its vhost is refused.
const BREAKS_MAX: u32 = 3;

/// How long the first message of a stream is waited for. One that is there comes within a few milliseconds.
const STREAM_LOOK: Millis = Millis(1_000);

/// One object with what is left to ask for it.
#[derive(Debug)]
struct Task {
    object: Object,
    writes: VecDeque<Write>,
}

/// Plays changes in their order.
#[derive(Debug)]
pub struct Stepwise {
    ids: Ids,
    tasks: VecDeque<Task>,
    link: Option<StepwiseLink>,
    asked: Option<PendingRequest>,
    look: StreamLook,
    breaks: u32,
    applied: Applied,
}

/// The connection and the channel to the vhost at work.
#[derive(Debug)]
struct StepwiseLink {
    vhost: Name,
    connection: ConnectionId,
    channel: Option<ChannelId>,
}

/// Whether the first message of a stream is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum StreamLook {
    #[default]
    None,
    /// It came before the broker said that the consumer stands.
    Seen,
    Until(Moment),
}

/// What waits for an answer.
#[derive(Debug)]
enum PendingRequest {
    Connect(RequestId),
    Open(RequestId, ChannelId),
    Write(RequestId, Write),
    Leave(RequestId),
}

impl Stepwise {
    /// Prepares to carry changes out.
    pub fn new(changes: &[Change], ids: Ids) -> Self {
        let with_writes = changes.iter().filter(|change| !change.writes.is_empty());
        let task = |change: &Change| Task { object: change.object.clone(), writes: change.writes.clone().into() };
        Self {
            ids,
            tasks: with_writes.map(task).collect(),
            link: None,
            asked: None,
            look: StreamLook::None,
            breaks: 0,
            applied: Applied::default(),
        }
    }

    /// Returns what came of it.
    pub fn outcome(self) -> Applied {
        self.applied
    }

    /// Connects, opens a channel, or asks for the next write; without anything left, leaves.
    fn next(&mut self) -> Option<Command> {
        let wanted = self.tasks.front().and_then(|task| match task.writes.front() {
            Some(Write::Call(_)) => task.object.vhost().cloned(),
            _ => None,
        });
        let is_elsewhere = self.link.as_ref().is_some_and(|link| wanted.as_ref().is_some_and(|it| *it != link.vhost));
        if is_elsewhere || self.tasks.is_empty() {
            return self.leave();
        }
        if let Some(vhost) = wanted {
            let Some(link) = &self.link else {
                let (request, connection) = (self.ids.request(), self.ids.connection());
                self.link = Some(StepwiseLink { vhost: vhost.clone(), connection, channel: None });
                self.asked = Some(PendingRequest::Connect(request));
                return Some(Command::Connect { request, connection, user: None, vhost, heartbeat: None });
            };
            if link.channel.is_none() {
                let (request, channel) = (self.ids.request(), self.ids.channel());
                self.asked = Some(PendingRequest::Open(request, channel));
                return Some(Command::OpenChannel { request, channel, connection: link.connection, confirms: true });
            }
        }
        let write = self.tasks.front_mut()?.writes.pop_front()?;
        let request = self.ids.request();
        self.asked = Some(PendingRequest::Write(request, write.clone()));
        match write {
            Write::Manage(act) => Some(Command::Manage { request, act }),
            Write::Call(method) => {
                let channel = self.link.as_ref().and_then(|link| link.channel)?;
                Some(Command::Call { request, channel, method })
            }
        }
    }

    fn leave(&mut self) -> Option<Command> {
        let connection = self.link.take()?.connection;
        let request = self.ids.request();
        self.asked = Some(PendingRequest::Leave(request));
        Some(Command::Disconnect { request, connection })
    }

    /// Ends the object at work.
    fn settle(&mut self, result: Result<(), Refusal>) {
        let Some(task) = self.tasks.pop_front() else { return };
        match result {
            Ok(()) => self.applied.done.push(task.object),
            Err(refusal) => self.applied.refused.push((task.object, refusal)),
        }
    }

    fn answered(&mut self, write: &Write, reply: Result<Reply, Refusal>) {
        let refusal = match reply {
            Ok(Reply::Declared { ready, consumers, .. }) if is_look(write) && ready + consumers > 0 => {
                let text = format!(
                    "it was empty and unused when the plan was made, and has {ready} messages and {consumers} consumers now"
                );
                Some(Refusal::new(Scope::Management, code::PRECONDITION_FAILED, text))
            }
            Ok(_) => None,
            Err(refusal) => Some(refusal),
        };
        let Some(refusal) = refusal else {
            if self.tasks.front().is_some_and(|task| task.writes.is_empty()) {
                self.settle(Ok(()));
            }
            return;
        };
        self.lose(refusal.scope);
        if refusal.code == code::NOT_FOUND && deletes(write) {
            // Somebody else was faster. What is left, making it anew, does not need the old one.
            let Some(task) = self.tasks.front_mut() else { return };
            while task.writes.front().is_some_and(deletes) {
                task.writes.pop_front();
            }
            if task.writes.is_empty() {
                self.settle(Ok(()));
            }
            return;
        }
        self.settle(Err(refusal));
    }

    /// A stream that was taken for empty gave a message: it stays, with all that is left to do to it.
    fn is_not_empty(&mut self) {
        self.look = StreamLook::None;
        // Its consumer ends with the connection; what comes next takes another channel.
        self.lose(Scope::Channel);
        let text = "it was empty when the plan was made, as far as its count tells, and has messages now".to_owned();
        self.settle(Err(Refusal::new(Scope::Management, code::PRECONDITION_FAILED, text)));
    }

    /// Refuses an object whose emptiness was being looked at when the connection or the channel ended.
    fn ended_while_looking(&mut self, cause: &Refusal) -> bool {
        if self.wake_at().is_none() {
            return false;
        }
        self.look = StreamLook::None;
        self.lose(cause.scope);
        self.settle(Err(cause.clone()));
        true
    }

    /// Forgets what a refusal closed.
    fn lose(&mut self, scope: Scope) {
        match scope {
            Scope::Channel => {
                if let Some(link) = &mut self.link {
                    link.channel = None;
                }
            }
            Scope::Connection => self.link = None,
            Scope::Management => {}
        }
    }

    /// Nothing can be asked of a vhost: all that is left of it is refused.
    fn give_up_vhost(&mut self, refusal: &Refusal) {
        let Some(vhost) = self.tasks.front().and_then(|task| task.object.vhost().cloned()) else { return };
        let needs_it = |task: &Task| {
            task.object.vhost() == Some(&vhost) && task.writes.iter().any(|write| matches!(write, Write::Call(_)))
        };
        let (given_up, left): (Vec<Task>, Vec<Task>) = self.tasks.drain(..).partition(needs_it);
        self.tasks = left.into();
        // A vhost that is gone has taken what was in it along.
        let is_gone = refusal.code == code::NOT_ALLOWED && refusal.text.contains("not found");
        for task in given_up {
            if is_gone && task.writes.iter().all(deletes) {
                self.applied.done.push(task.object);
            } else {
                self.applied.refused.push((task.object, refusal.clone()));
            }
        }
    }

    /// The connection is gone without an answer to what waited for one.
    fn broken(&mut self, cause: &Refusal) {
        if self.ended_while_looking(cause) {
            return;
        }
        self.link = None;
        self.breaks += 1;
        match self.asked.take() {
            Some(PendingRequest::Write(_, write @ Write::Call(_))) if self.breaks < BREAKS_MAX => {
                if let Some(task) = self.tasks.front_mut() {
                    task.writes.push_front(write);
                }
            }
            Some(PendingRequest::Write(_, Write::Call(_)) | PendingRequest::Connect(_) | PendingRequest::Open(..)) => {
                self.give_up_vhost(cause)
            }
            Some(other @ PendingRequest::Write(_, Write::Manage(_))) => self.asked = Some(other),
            Some(PendingRequest::Leave(_)) | None => {}
        }
    }
}

fn is_call(asked: &PendingRequest) -> bool {
    matches!(asked, PendingRequest::Write(_, Write::Call(_)))
}

/// Returns whether a write only looks.
fn is_look(write: &Write) -> bool {
    matches!(write, Write::Call(Method::CheckQueue { .. }))
}

/// Returns whether a write asks for the first message of a stream.
fn reads(write: &Write) -> bool {
    matches!(write, Write::Call(Method::Consume { .. }))
}

/// Returns whether a write is done when its object is not there.
fn deletes(write: &Write) -> bool {
    match write {
        Write::Call(method) => matches!(
            method,
            Method::CheckQueue { .. }
                | Method::Qos { .. }
                | Method::Consume { .. }
                | Method::DeleteQueue { .. }
                | Method::DeleteExchange { .. }
                | Method::Unbind(_)
        ),
        Write::Manage(act) => matches!(
            act,
            Management::DeleteVhost { .. }
                | Management::DeleteUser { .. }
                | Management::ClearPermission { .. }
                | Management::ClearTopicPermission { .. }
                | Management::ClearPolicy { .. }
                | Management::ClearParameter { .. }
                | Management::ClearGlobalParameter { .. }
                | Management::ClearVhostLimit { .. }
        ),
    }
}

impl Client for Stepwise {
    fn poll_command(&mut self, now: Moment) -> Option<Command> {
        if self.asked.is_some() || self.wake_at().is_some_and(|until| now < until) {
            return None;
        }
        self.look = StreamLook::None;
        self.next()
    }

    fn handle_event(&mut self, now: Moment, event: Event) {
        match event {
            Event::Reply { request, reply } => {
                let reply = reply.map_err(Refusal::without_entities);
                match self.asked.take() {
                    Some(PendingRequest::Connect(asked)) if asked == request => {
                        if let Err(refusal) = reply {
                            self.link = None;
                            self.give_up_vhost(&refusal);
                        }
                    }
                    Some(PendingRequest::Open(asked, channel)) if asked == request => match reply {
                        Ok(_) => {
                            if let Some(link) = &mut self.link {
                                link.channel = Some(channel);
                            }
                        }
                        Err(refusal) => {
                            self.lose(refusal.scope);
                            self.give_up_vhost(&refusal);
                        }
                    },
                    Some(PendingRequest::Write(asked, write)) if asked == request => {
                        let is_reading = reads(&write) && reply.is_ok();
                        match self.look {
                            StreamLook::Seen if is_reading => return self.is_not_empty(),
                            _ if is_reading => self.look = StreamLook::Until(now + STREAM_LOOK),
                            _ => self.look = StreamLook::None,
                        }
                        self.answered(&write, reply);
                    }
                    Some(PendingRequest::Leave(asked)) if asked == request => {}
                    other => self.asked = other,
                }
            }
            Event::Delivered { channel, .. }
                if self.link.as_ref().is_some_and(|link| link.channel == Some(channel)) =>
            {
                match &self.asked {
                    Some(PendingRequest::Write(_, write)) if reads(write) => self.look = StreamLook::Seen,
                    None if self.wake_at().is_some() => self.is_not_empty(),
                    _ => {}
                }
            }
            Event::ConnectionClosed { connection, cause }
                if self.link.as_ref().is_some_and(|link| link.connection == connection) =>
            {
                self.broken(&cause);
            }
            Event::ChannelClosed { channel, cause } => {
                if let Some(link) = self.link.as_mut().filter(|link| link.channel == Some(channel)) {
                    link.channel = None;
                    if self.ended_while_looking(&cause) {
                        return;
                    }
                    if let Some(PendingRequest::Write(_, write @ Write::Call(_))) =
                        self.asked.take_if(|asked| is_call(asked))
                    {
                        self.answered(&write, Err(Refusal { scope: Scope::Management, ..cause }));
                    }
                }
            }
            _ => {}
        }
    }

    fn wake_at(&self) -> Option<Moment> {
        match self.look {
            StreamLook::Until(moment) => Some(moment),
            StreamLook::None | StreamLook::Seen => None,
        }
    }

    fn is_done(&self) -> bool {
        self.tasks.is_empty() && self.link.is_none() && self.asked.is_none()
    }
}
