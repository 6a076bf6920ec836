//! How `get` steps take messages that stay in hand, and how steps settle them. What is held goes back when its channel ends.

use crate::broker::{ChannelId, Command, ConnectionId, Delivery, Method, Refusal, Reply, Settlement};
use crate::model::{Act, HeldSettlement, Name, QueueName, Scenario, Step};
use crate::player::consumer::instances::ConsumerInstances;
use crate::player::context::Context;
use crate::player::context::command_sequence::{Ask, CommandSequence};
use crate::player::context::held::{HeldMessage, HeldState};
use crate::player::driver::connections::user_of;
use crate::player::driver::state::{ConsumerRequest, Continuation, Driver, DriverState};
use crate::player::message::anonymous_messages::Fate;
use crate::player::record::timeline::{ConsumerEnd, TimelineEvent};
use crate::source::Code;

impl Driver {
    /// Takes a message that stays in hand.
    pub fn begin_holding(&mut self, step: &Step, queue: &QueueName, name: &Name, context: &mut Context) {
        if let Some(held) = self.held.by_name.get(name).filter(|held| held.state == HeldState::InHand) {
            let message = format!("`{name}` is taken: {} is in hand under this name", held.message);
            let failure = context.failed(Code::StepHeld, message, step.span, vec![]);
            failure.help("settle it first, or take the next message under another name");
            return;
        }
        let user = user_of(step);
        let (mut asks, channel) = match self.held.channel_of(&user) {
            Some(channel) => (Vec::new(), channel),
            None => {
                let (asks, Some(channel)) = self.channel_asks(step, context) else { return };
                if let Some(known) = self.connections.get(&user) {
                    self.held.channels.insert(user, (known.connection, channel));
                }
                (asks, channel)
            }
        };
        let method = Method::Get { queue: queue.name.clone(), no_ack: false };
        asks.push(Ask::Call { channel, method });
        self.ask(asks, Continuation::Hold);
    }

    /// Keeps what the broker gave, under the name that the step says.
    pub fn end_get(&mut self, sequence: CommandSequence, context: &mut Context, scenario: &Scenario) {
        if let Some(refusal) = sequence.refusal {
            // With it went the channel, or it never came to be.
            let holder = self.current_step(scenario).and_then(|step| self.held.channel_of(&user_of(step)));
            holder.into_iter().for_each(|channel| self.lose_held(channel, &refusal, context));
            return self.end_step(Some(&refusal), context, scenario);
        }
        let Some(step) = self.current_step(scenario) else { return };
        let Act::Get { queue, held_as: Some(name), .. } = &step.act else { return };
        let got = sequence.replies.into_iter().find_map(|reply| match reply {
            Reply::Got(got) => got,
            _ => None,
        });
        let channel = self.held.channel_of(&user_of(step));
        let Some((got, channel)) = got.zip(channel) else {
            let message = format!("nothing to hold as `{name}`: no message is ready in {}", queue.name);
            let help = "wait until one is there: `expect: {queue: …, ready: 1, within: 5s}` before it";
            context.failed(Code::StepHeld, message, step.span, vec![]).help(help);
            return;
        };
        let Delivery { tag, redelivered, .. } = got.delivery;
        let (message, alike) = context.names.of_delivery(queue, &got.delivery);
        context.ledger.held(queue, &message, &got.delivery);
        context.record(TimelineEvent::Delivered {
            consumer: step.who(),
            queue: queue.clone(),
            name: message.clone(),
            redelivered,
            message: std::sync::Arc::clone(&got.delivery.message),
        });
        let (queue, who, state) = (queue.clone(), step.who(), HeldState::InHand);
        self.held.by_name.insert(
            name.clone(),
            HeldMessage { channel, tag, queue, message, alike, who, state, in_transaction: None },
        );
        self.end_step(None, context, scenario);
    }

    /// Settles what is held under a name, and waits until the broker has taken that.
    pub fn begin_settling(
        &mut self,
        step: &Step,
        name: &Name,
        how: HeldSettlement,
        multiple: bool,
        context: &mut Context,
    ) {
        let held = self.held.by_name.get(name).filter(|held| held.state != HeldState::Returned);
        let Some((channel, tag)) = held.map(|held| (held.channel, held.tag)) else {
            let why = match self.held.by_name.get(name) {
                Some(held) => format!("{} went back to {} when its channel ended", held.message, held.queue.name),
                None => "no step has taken a message under this name".to_owned(),
            };
            let message = format!("nothing is in hand as `{name}`: {why}");
            context.failed(Code::StepHeld, message, step.span, vec![]);
            return;
        };
        let settlement = settlement_of(how);
        context.outbox.send(Command::Settle { channel, tag, multiple, settlement });
        let meant = self.held.by_name.values_mut().filter(|one| {
            one.channel == channel && (one.tag == tag || multiple && one.tag < tag) && one.state == HeldState::InHand
        });
        let mut meant: Vec<&mut HeldMessage> = meant.collect();
        meant.sort_by_key(|one| one.tag);
        let is_held = self.transactions.values().any(|(_, of)| *of == channel);
        for one in meant {
            one.state = HeldState::Settled;
            match is_held {
                true => one.in_transaction = Some(settlement),
                false => let_go(one, settlement, context),
            }
            let (consumer, message) = (one.who.clone(), one.message.clone());
            context.record(TimelineEvent::Settled { consumer, message, settlement });
        }
        // The broker does not answer a settlement; what it answers after it says that the settlement was taken.
        let fence = Method::Qos { prefetch: 0, global: false };
        self.ask([Ask::Call { channel, method: fence }], Continuation::Settled(channel));
    }

    /// Ends a settlement: with the reason for which the broker closed the channel, if it did.
    pub fn settled_held(
        &mut self,
        channel: ChannelId,
        refusal: Option<Refusal>,
        context: &mut Context,
        scenario: &Scenario,
    ) {
        let why = self.held.ended.take().filter(|(ended, _)| *ended == channel).map(|(_, cause)| cause);
        self.end_step(refusal.map(|refusal| why.unwrap_or(refusal)).as_ref(), context, scenario);
    }

    /// Has the broker requeue what is in hand over the channels that a name means: of consumers, and of who holds what
    /// steps took.
    pub fn recover(
        &mut self,
        of: &Name,
        requeue: bool,
        context: &mut Context,
        scenario: &Scenario,
        consumers: &ConsumerInstances,
    ) {
        let Some(step) = self.current_step(scenario) else { return };
        let mut channels = consumers.channels_of(of, scenario);
        let holders = self.held.channels.iter().filter(|((user, _), _)| match user {
            Some(user) => user == of,
            None => &**of == "driver",
        });
        channels.extend(holders.map(|(_, (_, channel))| *channel));
        self.call_over(channels.clone(), of, &Method::Recover { requeue }, step, context);
        // Where it is refused, the connection ends and tells what became of them.
        if requeue && let DriverState::CommandSequence(..) = self.doing {
            give_back(self.held.recover(&channels), None, context);
            self.request = Some(ConsumerRequest::Recover(channels));
        }
    }

    /// What is held over a channel is the broker's again: the channel is gone.
    pub fn lose_held(&mut self, channel: ChannelId, cause: &Refusal, context: &mut Context) {
        if self.held.channels.values().any(|(_, known)| *known == channel) {
            self.held.ended = Some((channel, cause.clone()));
        }
        give_back(self.held.lose(|_, one| one == channel), Some(ConsumerEnd::LosesChannel), context);
    }

    /// The same, of a whole connection that is closed from this side.
    pub fn lose_held_of(&mut self, connection: ConnectionId, context: &mut Context) {
        give_back(self.held.lose(|one, _| one == connection), Some(ConsumerEnd::ClosesConnection), context);
    }
}

/// Takes note that a settlement is carried out.
pub(crate) fn let_go(one: &HeldMessage, settlement: Settlement, context: &mut Context) {
    let returns = matches!(settlement, Settlement::Nack { requeue: true } | Settlement::Reject { requeue: true });
    context.ledger.let_go_of(&one.queue, returns);
    if let Some(alike) = one.alike.filter(|_| settlement != Settlement::Ack) {
        context.names.ended(&one.queue, alike, if returns { Fate::Returned } else { Fate::Rejected });
    }
}

fn give_back(mut lost: Vec<&mut HeldMessage>, how: Option<ConsumerEnd>, context: &mut Context) {
    lost.sort_by_key(|one| one.tag);
    let who = lost.first().map(|one| one.who.clone());
    for one in lost {
        one.state = HeldState::Returned;
        one.in_transaction = None;
        context.ledger.let_go_of(&one.queue, true);
        if let Some(alike) = one.alike {
            context.names.ended(&one.queue, alike, Fate::Returned);
        }
    }
    if let Some((consumer, how)) = who.zip(how) {
        context.record(TimelineEvent::Gone { consumer, how });
    }
}

fn settlement_of(how: HeldSettlement) -> Settlement {
    match how {
        HeldSettlement::Ack => Settlement::Ack,
        HeldSettlement::Nack { requeue } => Settlement::Nack { requeue },
        HeldSettlement::Reject { requeue } => Settlement::Reject { requeue },
    }
}
