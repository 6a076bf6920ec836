//! The live broker as a value: connections, channels, what is under way and what is watched.
//! Opened once per cell; two clients may use it one after another (the applier, then the player).

use crate::broker::{ChannelId, ConnectionId, Management, MotionTracker, Refusal, RequestId};
use crate::io::address::Address;
use crate::io::failure::BrokerFailure;
use crate::io::live::amqp::channel::LiveChannel;
use crate::io::live::amqp::connection::{LiveConnection, LiveConnectionState};
use crate::io::live::amqp::dial::Target;
use crate::io::live::batch::EventBatch;
use crate::io::live::job::{Done, Job};
use crate::io::live::limits::LiveLimits;
use crate::io::live::observe::quiet::Quiet;
use crate::io::live::observe::watch::Watches;
use crate::io::live::vhosts::names::NameMapping;
use crate::io::live::wait::Crowd;
use crate::io::management::{ManagementClient, Overview};
use crate::model::{Moment, Name};
use futures_util::stream::FuturesUnordered;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// How many cut connections are held: lapin says goodbye when it drops one, which a crash must not.
const GRAVES: usize = 64;

/// A live broker as the adapter drives it.
pub struct Live {
    pub(crate) address: Address,
    pub(crate) management: ManagementClient,
    pub(crate) names: NameMapping,
    pub(crate) limits: LiveLimits,
    overview: Overview,
    clock: Instant,
    pub(crate) links: BTreeMap<ConnectionId, LiveConnection>,
    pub(crate) lines: BTreeMap<ChannelId, LiveChannel>,
    pub(crate) jobs: FuturesUnordered<Job>,
    /// Ended when first polled.
    pub(crate) done: VecDeque<Done>,
    /// Requests without an answer: since when, doing what.
    pub(crate) waiting: BTreeMap<RequestId, AwaitedAnswer>,
    pub(crate) acts: VecDeque<(RequestId, Management)>,
    pub(crate) acting: bool,
    /// What is asked of the management API just now.
    pub(crate) act: String,
    /// What the runner could not put for want of the tag `policymaker`.
    pub(crate) not_policymaker: Option<String>,
    /// The broker is being stopped and started at the client's wish: that nobody answers is no failure.
    pub(crate) restarting: bool,
    pub(crate) watches: Watches,
    pub(crate) quiet: Option<Quiet>,
    pub(crate) motion: MotionTracker,
    pub(crate) batch: EventBatch,
    /// Found while reading; told after all else was read.
    pub(crate) dying: Vec<(ChannelId, Refusal)>,
    pub(crate) lost: Vec<(ConnectionId, Refusal)>,
    /// Ends of channels that their connections told of, without a name.
    pub(crate) heard: Vec<(ConnectionId, Refusal)>,
    pub(crate) ended: Vec<(ChannelId, Name)>,
    /// Consumers that the broker cancelled and may still send messages to.
    pub(crate) dismissed: Vec<(ChannelId, Name)>,
    pub(crate) failure: Option<BrokerFailure>,
    /// When duties were last done, and whether they have been put off since.
    pub(crate) duties_done: Instant,
    pub(crate) owes_duties: bool,
    pub(crate) crowd: Crowd,
    graves: VecDeque<(Option<LiveConnection>, Vec<LiveChannel>)>,
}

/// A request without an answer.
pub(crate) struct AwaitedAnswer {
    pub(crate) since: Instant,
    pub(crate) doing: String,
    /// It has a time limit of its own, or none.
    pub(crate) patient: bool,
}

impl Live {
    /// Asks the broker who it is and makes the adapter; connections come with the client's commands. The clock
    /// stands at 0.
    ///
    /// # Errors
    /// When the management API is not there or refuses the login. AMQP is first used by the client's first `Connect`
    /// (see [`check_login`](crate::io::live::check_login) to ask before).
    pub async fn open(address: &Address, names: NameMapping, limits: &LiveLimits) -> Result<Self, BrokerFailure> {
        let overview = ManagementClient::new(address)?.overview().await?;
        Self::of_known(address, names, limits, overview)
    }

    /// Makes the adapter for a broker that has said who it is.
    ///
    /// # Errors
    /// When no client of the management API can be made.
    pub fn of_known(
        address: &Address,
        names: NameMapping,
        limits: &LiveLimits,
        overview: Overview,
    ) -> Result<Self, BrokerFailure> {
        let motion = MotionTracker::new(names.is_lent());
        Ok(Self {
            address: address.clone(),
            management: ManagementClient::new(address)?,
            names,
            limits: limits.clone(),
            overview,
            clock: Instant::now(),
            links: BTreeMap::new(),
            lines: BTreeMap::new(),
            jobs: FuturesUnordered::new(),
            done: VecDeque::new(),
            waiting: BTreeMap::new(),
            acts: VecDeque::new(),
            acting: false,
            act: String::new(),
            not_policymaker: None,
            restarting: false,
            watches: Watches::default(),
            quiet: None,
            motion,
            batch: EventBatch::default(),
            dying: Vec::new(),
            lost: Vec::new(),
            heard: Vec::new(),
            ended: Vec::new(),
            dismissed: Vec::new(),
            failure: None,
            duties_done: Instant::now(),
            owes_duties: false,
            crowd: Crowd::default(),
            graves: VecDeque::new(),
        })
    }

    /// Returns version, node and exchange types, as of the opening.
    pub fn overview(&self) -> &Overview {
        &self.overview
    }

    /// Returns the management client, for reading beside a run.
    pub fn management(&self) -> &ManagementClient {
        &self.management
    }

    /// Returns what the runner could not put for want of the tag `policymaker`: `put policy 'p'`.
    pub fn not_policymaker(&self) -> Option<&str> {
        self.not_policymaker.as_deref()
    }

    /// Returns the name mapping.
    pub fn names(&self) -> &NameMapping {
        &self.names
    }

    /// Returns the moment: milliseconds since the opening, or since the clock was restarted.
    pub fn now(&self) -> Moment {
        Moment(self.clock.elapsed().as_millis() as u64)
    }

    /// Begins anew for the next client: the clock at 0, no connection, channel or watch of the last one.
    pub fn restart_clock(&mut self) {
        self.forget();
        self.clock = Instant::now();
    }

    /// Closes everything politely, within a time limit. Not needed before the guard sweeps.
    pub async fn close(mut self) {
        let open: Vec<_> = std::mem::take(&mut self.links).into_values().filter_map(|link| link.dialed).collect();
        let mut closes: FuturesUnordered<_> =
            (open.iter()).map(|dialed| async { dialed.connection.close(200, "OK".into()).await.is_ok() }).collect();
        let all = async { while futures_util::StreamExt::next(&mut closes).await.is_some() {} };
        // What does not close in time is closed by the end of its vhost or of the process.
        let _ = timeout(Duration::from_secs(2), all).await;
    }

    /// Returns how long the run has been going on.
    pub(crate) fn elapsed(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.clock)
    }

    fn forget(&mut self) {
        self.motion.restart();
        self.jobs.clear();
        self.done.clear();
        self.waiting.clear();
        self.acts.clear();
        self.acting = false;
        self.restarting = false;
        self.watches = Watches::default();
        self.quiet = None;
        self.batch = EventBatch::default();
        self.crowd = Crowd::default();
        self.dying.clear();
        self.lost.clear();
        self.heard.clear();
        self.ended.clear();
        self.dismissed.clear();
        // Channels first: their goodbyes go over the connections.
        self.lines.clear();
        self.links.clear();
    }

    /// Returns a moment of the run as the clock's instant.
    pub(crate) fn instant_of(&self, moment: Moment) -> Instant {
        let far = Duration::from_secs(365 * 24 * 3600);
        self.clock + Duration::from_millis(moment.0).min(self.clock.elapsed() + far)
    }

    /// Submits work: polled once now, so that its frames enter in the order of the commands.
    pub(crate) fn start(&mut self, mut job: Job) {
        let mut context = Context::from_waker(Waker::noop());
        match job.as_mut().poll(&mut context) {
            Poll::Ready(done) => self.done.push_back(done),
            Poll::Pending => self.jobs.push(job),
        }
    }

    /// Returns where to connect to in a declared vhost; as the runner or as a declared user.
    pub(crate) fn target(&self, vhost: &Name, user: Option<&Name>, label: String) -> Target {
        let (login, password) = match user {
            None => (self.address.user.clone(), Some(self.address.password.clone())),
            Some(user) => (self.names.user(user).to_string(), self.names.password(user)),
        };
        Target {
            address: self.address.clone(),
            user: login,
            // Nobody knows the password of a user that is not ours: let the broker say so.
            mechanisms: if user.is_none() { self.address.mechanisms.clone() } else { Vec::new() },
            password: password.unwrap_or_else(|| crate::model::Secret::new("")),
            vhost: self.names.vhost(vhost).to_string(),
            label,
            frame_max: self.limits.frame_max,
            heartbeat: None,
            limit: self.limits.answer,
        }
    }

    /// Names a connection so that the broker's list can be searched for it.
    pub(crate) fn label(&self) -> String {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        format!("rmqplay {} {}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
    }

    /// Holds a cut connection and its channels for a while.
    pub(crate) fn bury(&mut self, link: Option<LiveConnection>, lines: Vec<LiveChannel>) {
        self.graves.push_back((link, lines));
        if self.graves.len() > GRAVES {
            self.graves.pop_front();
        }
    }

    /// Returns whether nothing that was asked is unanswered: requests (but for quiet itself), publishes, backlogs.
    pub(crate) fn is_idle(&self) -> bool {
        let asked = |request| self.quiet.as_ref().is_some_and(|quiet| quiet.requests.contains(request));
        self.waiting.keys().all(asked)
            && self.lines.values().all(LiveChannel::is_idle)
            && self.links.values().all(|link| {
                let state = &link.state;
                matches!(state, LiveConnectionState::Open | LiveConnectionState::Isolated | LiveConnectionState::Gone)
            })
    }

    /// Returns whether the client may be asked for more.
    pub(crate) fn has_room(&self) -> bool {
        let waiting: usize = self.lines.values().map(|line| line.backlog.len()).sum();
        waiting < self.limits.backlog_max && self.failure.is_none()
    }
}
