//! Moves a queue on a live broker: looks, has the next act said, carries it out, looks again.
//! Decides nothing itself; keeps nothing but counts, so that any machine goes on where another was killed.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::broker::{Client, Ids, Method, Refusal, Reply, Scope};
use crate::io::live::{Live, LiveEnded, LiveLimits, NameMapping, run_live};
use crate::io::management::{ManagementClient, Overview};
use crate::io::observe::observe;
use crate::io::{Address, BrokerFailure};
use crate::model::{Name, Queue, QueueKind, Topology};
use crate::plan::{
    FreshCounts, MethodSequence, MoveAct, MoveFacts, MoveStage, MoveStop, MoveTally, Mover, Transfer, TransferOutcome,
};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Between two looks for what others still hold.
const LOOK_PAUSE: Duration = Duration::from_millis(100);
/// After so long the management API's counts of a quorum queue are those of now (MG-13).
const TOTALS_FRESH_AFTER: Duration = Duration::from_secs(6);

/// Why a move ended before its time.
#[derive(Debug)]
pub enum MoveFailure {
    Broker(BrokerFailure),
    Stopped(MoveStop),
}

impl From<BrokerFailure> for MoveFailure {
    fn from(failure: BrokerFailure) -> Self {
        MoveFailure::Broker(failure)
    }
}

/// What a move needs beside the queue.
#[derive(Debug, Clone, Copy)]
pub struct MoveSettings<'a> {
    pub address: &'a Address,
    /// All that the files declare: it tells whether the queue has its new values.
    pub desired: &'a Topology,
    /// Consumers of the queue, and losses of what reaches it by the default exchange, are accepted.
    pub while_publishing: bool,
}

/// Moves a queue to what the file declares, or goes on with a move that was begun; `tell` hears of each stage.
///
/// # Errors
/// The broker fails, or something hinders the move; what was done so far stays, and another call goes on from there.
pub async fn move_queue(
    settings: MoveSettings<'_>,
    queue: &Queue,
    tell: &mut dyn FnMut(MoveStage),
) -> Result<MoveTally, MoveFailure> {
    let management = ManagementClient::new(settings.address)?;
    let mut run = MoveRun {
        settings,
        overview: management.overview().await?,
        management,
        live: Live::open(settings.address, NameMapping::identity(), &LiveLimits::default()).await?,
        ids: Ids::default(),
        emptied: None,
    };
    let mut mover = Mover::new(queue.clone(), settings.while_publishing);
    let moved = run.go_to_the_end(&mut mover, queue, tell).await;
    run.live.close().await;
    moved.map(|()| mover.tally())
}

struct MoveRun<'a> {
    settings: MoveSettings<'a>,
    management: ManagementClient,
    overview: Overview,
    live: Live,
    ids: Ids,
    /// Since when the queue is seen without ready messages.
    emptied: Option<Instant>,
}

impl MoveRun<'_> {
    async fn go_to_the_end(
        &mut self,
        mover: &mut Mover,
        queue: &Queue,
        tell: &mut dyn FnMut(MoveStage),
    ) -> Result<(), MoveFailure> {
        loop {
            let facts = self.look(mover, queue).await?;
            match mover.next(&facts).map_err(MoveFailure::Stopped)? {
                MoveAct::Done => return Ok(()),
                MoveAct::Wait => sleep(LOOK_PAUSE).await,
                MoveAct::Methods { stage, methods } => {
                    tell(stage);
                    match self.ask(&queue.vhost, methods).await? {
                        Ok(replies) => mover.answered(stage, &replies),
                        Err(refusal) => mover.refused(stage, refusal).map_err(MoveFailure::Stopped)?,
                    }
                }
                MoveAct::Carry { stage, order } => {
                    tell(stage);
                    let mut transfer = Transfer::new(order, std::mem::take(&mut self.ids));
                    self.play(&mut transfer).await?;
                    let (outcome, ids): (TransferOutcome, Ids) = transfer.finish();
                    self.ids = ids;
                    mover.carried(stage, &outcome).map_err(MoveFailure::Stopped)?;
                }
            }
        }
    }

    /// Reads all that the next act depends on.
    async fn look(&mut self, mover: &Mover, queue: &Queue) -> Result<MoveFacts, MoveFailure> {
        let vhost = &queue.vhost;
        let observed = observe(&self.management, &self.overview, std::slice::from_ref(vhost)).await?;
        let mut facts = MoveFacts::of(self.settings.desired, queue, &observed);
        // What clients hold unacknowledged is in no passive declare, and would go with the queue.
        let totals = if facts.queue.is_some() || facts.holding.is_some() {
            self.management.queue_totals(vhost).await?
        } else {
            Vec::new()
        };
        let total = |name: &Name| totals.iter().find(|it| it.name == **name).map_or(0, |it| it.total);
        if let Some(old) = &facts.queue {
            facts.counts = self.counts(&old.clone(), total(&queue.name)).await?;
        }
        if let Some(held) = &facts.holding {
            facts.holding_counts = self.counts(&held.clone(), total(&mover.holding().queue)).await?;
        }
        self.age_totals(&mut facts);
        Ok(facts)
    }

    /// The totals of a classic queue are those of now; those of a quorum queue must have had time.
    fn age_totals(&mut self, facts: &mut MoveFacts) {
        let is_classic = |queue: &Option<Queue>| queue.as_ref().is_none_or(|queue| queue.kind() == QueueKind::Classic);
        if facts.counts.ready > 0 {
            self.emptied = None;
        }
        let emptied = *self.emptied.get_or_insert_with(Instant::now);
        facts.counts.is_total_fresh = is_classic(&facts.queue) || emptied.elapsed() >= TOTALS_FRESH_AFTER;
        facts.holding_counts.is_total_fresh = is_classic(&facts.holding);
    }

    /// Counts ready messages and consumers by passive declare, which is exact.
    async fn counts(&mut self, queue: &Queue, total: u64) -> Result<FreshCounts, MoveFailure> {
        let method = Method::CheckQueue { queue: queue.name.clone() };
        match self.ask(&queue.vhost, vec![method]).await? {
            Ok(replies) => match replies.first() {
                Some(Reply::Declared { ready, consumers, .. }) => {
                    Ok(FreshCounts { ready: *ready, consumers: *consumers, total, is_total_fresh: false })
                }
                _ => Ok(FreshCounts::default()),
            },
            Err(refusal) => Err(MoveFailure::Stopped(MoveStop::Refused { stage: MoveStage::Drain, refusal })),
        }
    }

    async fn ask(&mut self, vhost: &Name, methods: Vec<Method>) -> Result<Result<Vec<Reply>, Refusal>, MoveFailure> {
        let mut sequence = MethodSequence::new(vhost.clone(), methods, std::mem::take(&mut self.ids));
        self.play(&mut sequence).await?;
        let (result, ids) = sequence.finish();
        self.ids = ids;
        Ok(result)
    }

    async fn play(&mut self, client: &mut dyn Client) -> Result<(), MoveFailure> {
        let limits = LiveLimits::default();
        match run_live(client, &mut self.live, &limits).await? {
            (_, LiveEnded::Done) => Ok(()),
            (_, LiveEnded::Stuck) => {
                let text = "the broker said nothing more".to_owned();
                let refusal = Refusal::new(Scope::Connection, 0, text);
                Err(MoveFailure::Stopped(MoveStop::Refused { stage: MoveStage::Drain, refusal }))
            }
        }
    }
}
