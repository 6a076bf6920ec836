//! The applier against a fake broker: order, refusals in the middle, broken connections.

use crate::fake_broker::FakeBroker;
use crate::samples::{binding, queue, shop, vhost};
use rmqplay::broker::{Ids, Scope};
use rmqplay::model::{Origins, Profile, Topology};
use rmqplay::plan::{Applied, Applier, Observed, plan};

fn apply(desired: &Topology, broker: &mut FakeBroker) -> Applied {
    let plan = plan(desired, &Origins::new(), &Observed::empty(Profile::NEWEST));
    let mut applier = Applier::new(plan, Ids::default());
    broker.play(&mut applier);
    applier.outcome()
}

fn refused(applied: &Applied) -> Vec<String> {
    applied.refused.iter().map(|(object, refusal)| format!("{object}: {}", refusal.text)).collect()
}

#[test]
fn everything_comes_in_the_order_of_an_import() {
    let mut broker = FakeBroker::default();
    let applied = apply(&shop(), &mut broker);
    let expected = "\
user alice
put-vhost /
limit alice max-connections 5
limit / max-queues 50
policy cap
connect runner to /
open 1
exchange game
exchange audit
topic permission alice game
permission alice
queue ttl.q
queue work.q
bind game -> ttl.q
bind game -> work.q
disconnect";
    assert_eq!(broker.asked.join("\n"), expected);
    assert_eq!(applied.refused, []);
    assert_eq!(applied.done.len(), 11);
}

/// The wider right never comes first: an apply that is ended in between leaves nothing that a second one must narrow.
#[test]
fn topic_permissions_on_exchanges_that_are_there_come_before_the_permissions() {
    let observed = Observed { topology: exchange_only(shop()), ..Observed::empty(Profile::NEWEST) };
    let mut broker = FakeBroker::default();
    let mut applier = Applier::new(plan(&shop(), &Origins::new(), &observed), Ids::default());
    broker.play(&mut applier);
    let place = |line: &str| broker.asked.iter().position(|asked| asked == line);
    assert!(place("topic permission alice game").is_some());
    assert!(place("topic permission alice game") < place("permission alice"));
    assert!(place("permission alice") < place("connect runner to /"));
}

/// The account in use needs its permissions for the first connection.
#[test]
fn permissions_of_the_account_in_use_do_not_wait() {
    let observed = Observed { account: "alice".into(), ..Observed::empty(Profile::NEWEST) };
    let mut broker = FakeBroker::default();
    let mut applier = Applier::new(plan(&shop(), &Origins::new(), &observed), Ids::default());
    broker.play(&mut applier);
    let place = |line: &str| broker.asked.iter().position(|asked| asked == line);
    assert!(place("permission alice").is_some());
    assert!(place("permission alice") < place("connect runner to /"));
}

fn exchange_only(of: Topology) -> Topology {
    Topology { exchanges: of.exchanges, vhosts: of.vhosts, ..Topology::default() }
}

#[test]
fn a_refusal_in_the_middle_closes_a_channel_and_stops_nothing() {
    let mut broker =
        FakeBroker::default().refusing("queue ttl.q", Scope::Channel).refusing("policy cap", Scope::Management);
    let applied = apply(&shop(), &mut broker);
    let texts = ["policy 'cap': PRECONDITION_FAILED - policy cap", "queue 'ttl.q': PRECONDITION_FAILED - queue ttl.q"];
    assert_eq!(refused(&applied), texts);
    assert_eq!(applied.done.len(), 9);
    let tail = broker.asked[broker.asked.len() - 6..].join("\n");
    assert_eq!(tail, "queue ttl.q\nopen 2\nqueue work.q\nbind game -> ttl.q\nbind game -> work.q\ndisconnect");
}

#[test]
fn a_refusal_that_closes_the_connection_costs_only_its_own_object() {
    let mut broker = FakeBroker::default().refusing("exchange audit", Scope::Connection);
    let applied = apply(&shop(), &mut broker);
    assert_eq!(refused(&applied), ["exchange 'audit': PRECONDITION_FAILED - exchange audit"]);
    assert_eq!(broker.asked.iter().filter(|line| line.starts_with("connect")).count(), 2);
    assert_eq!(applied.done.len(), 10);
}

#[test]
fn a_queue_that_somebody_else_is_just_making_is_asked_for_again() {
    let mut broker = FakeBroker::default().refusing_as_half_made("queue ttl.q", 3);
    let applied = apply(&shop(), &mut broker);
    assert_eq!(applied.refused, []);
    assert_eq!(applied.done.len(), 11);
    let expected = "\
queue ttl.q
open 2
queue work.q
queue ttl.q
open 3
queue ttl.q
open 4
queue ttl.q
bind game -> ttl.q
bind game -> work.q
disconnect";
    assert_eq!(broker.asked[broker.asked.len() - 11..].join("\n"), expected);
}

#[test]
fn a_queue_whose_node_stays_down_is_refused_after_three_seconds() {
    let mut broker = FakeBroker::default().refusing_as_half_made("queue ttl.q", u32::MAX);
    let applied = apply(&shop(), &mut broker);
    let texts = [
        "queue 'ttl.q': NOT_FOUND - home node 'rabbit@here' of durable queue ttl.q in vhost '/' is down or inaccessible",
    ];
    assert_eq!(refused(&applied), texts);
    assert_eq!(applied.done.len(), 10);
    assert_eq!(broker.asked.iter().filter(|line| *line == "queue ttl.q").count(), 31);
}

#[test]
fn a_broken_connection_is_opened_again() {
    let mut broker = FakeBroker::default().breaking_on("queue ttl.q");
    let applied = apply(&shop(), &mut broker);
    assert_eq!(refused(&applied), ["queue 'ttl.q': broken pipe"]);
    assert_eq!(applied.done.len(), 10);
}

#[test]
fn a_vhost_that_cannot_be_reached_refuses_what_lives_in_it() {
    let mut desired = shop();
    let mut far = queue("far.q", &[]);
    far.vhost = "far".into();
    desired.vhosts.push(vhost("far"));
    desired.queues.push(far);
    let mut broker = FakeBroker::default().refusing("vhost far", Scope::Connection);
    let applied = apply(&desired, &mut broker);
    assert_eq!(refused(&applied), ["queue 'far.q': PRECONDITION_FAILED - vhost far"]);
    assert_eq!(applied.done.len(), 12);
}

#[test]
fn many_objects_go_over_many_channels_and_each_group_waits_for_the_one_before() {
    let names: Vec<String> = (0..100).map(|n| format!("q{n}")).collect();
    let desired = Topology {
        queues: names.iter().map(|name| queue(name, &[])).collect(),
        bindings: names.iter().map(|name| binding("amq.topic", name, name)).collect(),
        ..Topology::default()
    };
    let mut broker = FakeBroker::default().refusing("queue q10", Scope::Channel);
    let applied = apply(&desired, &mut broker);
    assert_eq!(refused(&applied), ["queue 'q10': PRECONDITION_FAILED - queue q10"]);
    assert_eq!(applied.done.len(), 200);
    assert_eq!(broker.in_flight_max, 125, "four queues on each of 25 channels, while as many more are opened");
    let asked = |name: &str| broker.asked.iter().filter(|line| *line == name).count();
    assert_eq!((asked("queue q9"), asked("queue q10")), (1, 1));
    assert_eq!(asked("queue q11"), 2, "it stood behind the refused one on its channel, and is asked again");
    let first_bind = broker.asked.iter().position(|line| line.starts_with("bind")).expect("binds");
    let last_queue = broker.asked.iter().rposition(|line| line.starts_with("queue")).expect("queues");
    assert!(last_queue < first_bind);
}

#[test]
fn of_several_under_way_the_one_that_closes_the_connection_is_found() {
    let names: Vec<String> = (0..100).map(|n| format!("q{n}")).collect();
    let desired = Topology { queues: names.iter().map(|name| queue(name, &[])).collect(), ..Topology::default() };
    let mut broker = FakeBroker::default().refusing("queue q50", Scope::Connection);
    let applied = apply(&desired, &mut broker);
    assert_eq!(refused(&applied), ["queue 'q50': PRECONDITION_FAILED - queue q50"]);
    assert_eq!(applied.done.len(), 100);
    let mut broker = FakeBroker::default().breaking_on("queue q50");
    let applied = apply(&desired, &mut broker);
    assert_eq!(applied.refused, [], "it broke once, and then no more");
    assert_eq!(applied.done.len(), 101);
}

#[test]
fn a_limit_of_channels_means_fewer_channels_and_costs_no_object() {
    let names: Vec<String> = (0..300).map(|n| format!("q{n}")).collect();
    let desired = Topology { queues: names.iter().map(|name| queue(name, &[])).collect(), ..Topology::default() };
    for limit in [1, 5, 40] {
        let mut broker = FakeBroker::default().with_channels_max(limit);
        let applied = apply(&desired, &mut broker);
        assert_eq!((applied.refused, applied.done.len()), (Vec::new(), 301), "{limit} channels");
        let connects = broker.asked.iter().filter(|line| line.starts_with("connect")).count();
        assert!((2..=7).contains(&connects), "{connects} connections for {limit} channels");
    }
}

#[test]
fn a_broker_that_takes_no_channel_at_all_is_given_up() {
    let desired = Topology { queues: vec![queue("q", &[])], ..Topology::default() };
    let mut broker = FakeBroker::default().with_channels_max(0);
    let applied = apply(&desired, &mut broker);
    assert_eq!(refused(&applied), ["queue 'q': number of channels opened has reached the limit"]);
}

#[test]
fn what_needs_no_amqp_opens_no_connection() {
    let shop = shop();
    let desired =
        Topology { topic_permissions: shop.topic_permissions, policies: shop.policies, ..Topology::default() };
    let mut observed = Observed::empty(Profile::NEWEST);
    observed.topology.vhosts = vec![vhost("/")];
    let mut applier = Applier::new(plan(&desired, &Origins::new(), &observed), Ids::default());
    let mut broker = FakeBroker::default();
    broker.play(&mut applier);
    assert_eq!(broker.asked, ["topic permission alice game", "policy cap"]);
}

#[test]
fn nothing_to_do_is_done_at_once() {
    let mut broker = FakeBroker::default();
    assert_eq!(apply(&Topology::default(), &mut broker), Applied::default());
    assert!(broker.asked.is_empty());
}
