//! Transactions of the users who do steps: over a channel of their own, on which they publish, get and settle from the first
//! `tx: select` on (TX-1 to TX-7).

use crate::broker::{ChannelId, Method, Refusal};
use crate::model::{Scenario, Step, TransactionAct};
use crate::player::context::Context;
use crate::player::context::command_sequence::Ask;
use crate::player::context::held::HeldState;
use crate::player::driver::connections::user_of;
use crate::player::driver::held::let_go;
use crate::player::driver::state::{Continuation, Driver};

impl Driver {
    /// Returns the channel on which the user of a step has transactions.
    pub fn transaction_of(&self, step: &Step) -> Option<ChannelId> {
        self.transactions.get(&user_of(step)).map(|(_, channel)| *channel)
    }

    pub fn begin_transaction_step(&mut self, step: &Step, act: TransactionAct, context: &mut Context) {
        let user = user_of(step);
        let (mut asks, channel) = match self.transaction_of(step) {
            Some(channel) => (Vec::new(), channel),
            None => {
                let (mut asks, _) = self.connect(user.clone(), context);
                let Some(connection) = self.connections.get(&user).map(|known| known.connection) else { return };
                let channel = context.ids.channel();
                context.channels.open(channel, connection, context.owner());
                asks.push(Ask::OpenPlain { channel, connection });
                if act == TransactionAct::Select {
                    self.transactions.insert(user.clone(), (connection, channel));
                    self.held.channels.insert(user, (connection, channel));
                }
                (asks, channel)
            }
        };
        let method = match act {
            TransactionAct::Select => Method::TxSelect,
            TransactionAct::Commit => Method::TxCommit,
            TransactionAct::Rollback => Method::TxRollback,
        };
        asks.push(Ask::Call { channel, method });
        self.ask(asks, Continuation::Transacted(channel, act));
    }

    /// Ends a step: what the transaction settled is settled now, or in hand again.
    pub fn transacted(
        &mut self,
        channel: ChannelId,
        act: TransactionAct,
        refusal: Option<Refusal>,
        context: &mut Context,
        scenario: &Scenario,
    ) {
        if refusal.is_none() && act != TransactionAct::Select {
            let of_channel = self.held.by_name.values_mut().filter(|one| one.channel == channel);
            for one in of_channel {
                let Some(settlement) = one.in_transaction.take() else { continue };
                match act {
                    TransactionAct::Rollback => one.state = HeldState::InHand,
                    TransactionAct::Select | TransactionAct::Commit => let_go(one, settlement, context),
                }
            }
        }
        self.settled_held(channel, refusal, context, scenario);
    }
}
