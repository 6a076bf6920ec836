//! A move beside clients that hold messages, with `--while-publishing`: whatever it comes to, nothing is lost, and once they
//! are gone the same command goes on to its end.

use crate::brokers::{self, Broker};
use crate::harness::Checked;
use crate::{Stage, doubled, number, program};
use lapin::options::{BasicConsumeOptions, BasicGetOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, Consumer};
use std::time::Duration;

const MESSAGES: u64 = 50;

/// Who holds a message.
#[derive(Clone, Copy, PartialEq)]
enum Holder {
    /// It took one by basic.get, and is no consumer.
    Getter,
    Consumer,
    Exclusive,
    SingleActive,
}

/// Moves queues of both kinds beside holders: beside each of them where more than a few kills are asked for, as each case
/// waits for what is held.
pub fn beside_consumers(broker: &Broker) -> Checked {
    let all = [Holder::Getter, Holder::Consumer, Holder::Exclusive, Holder::SingleActive];
    let cases: Vec<(&str, Holder)> = if number("RMQPLAY_MOVE_KILLS", 3) > 3 {
        ["classic", "quorum"].into_iter().flat_map(|kind| all.map(|holder| (kind, holder))).collect()
    } else {
        let classic = [Holder::Getter, Holder::Exclusive, Holder::SingleActive].map(|holder| ("classic", holder));
        classic.into_iter().chain([("quorum", Holder::Consumer)]).collect()
    };
    cases.into_iter().try_for_each(|(kind, holder)| beside(broker, kind, holder))
}

fn beside(broker: &Broker, kind: &str, holder: Holder) -> Checked {
    let more = if holder == Holder::SingleActive { "single_active_consumer: true, " } else { "" };
    let stage = Stage::with(broker, "consumers", kind, more);
    stage.fill(MESSAGES);
    let held = stage.runtime.block_on(hold(&stage, holder));
    let mut command = stage.apply("new.yaml", &["--replace", "move", "--while-publishing"]);
    let output = command.output().expect("rmqplay runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let (code, expected) = match (kind, holder) {
        (_, Holder::SingleActive) => (4, "gives its messages to one of them alone"),
        ("classic", Holder::Exclusive) => (3, "in exclusive use"),
        _ => (4, "are with clients that have not acknowledged them"),
    };
    let name = ["a getter", "a consumer", "an exclusive consumer", "a single active consumer"][holder as usize];
    let case = format!("{} {kind} beside {name}", broker.version);
    if output.status.code() != Some(code) || !said.contains(expected) {
        return Err(format!("{case}: ended with {:?}:\n{said}", output.status.code()));
    }
    stage.runtime.block_on(async {
        held.connection.close(200, "OK".into()).await.expect("closed");
        // The broker hears of it, and a quorum queue counts anew.
        tokio::time::sleep(Duration::from_millis(500)).await;
    });
    let (fine, said) = program::finish(&mut stage.apply("new.yaml", &["--replace", "move", "--while-publishing"]));
    if !fine {
        return Err(format!("{case}, afterwards:\n{said}"));
    }
    let twice = doubled(&stage.contents(), MESSAGES, &case)?;
    stage.clear();
    brokers::say(&format!("{case}: ended with {}, went on without it; none of {MESSAGES} lost, {twice} twice", code));
    Ok(())
}

/// A connection that holds at least one message unacknowledged.
struct Held {
    connection: Connection,
    _channel: Channel,
    _consumer: Option<Consumer>,
}

async fn hold(stage: &Stage, holder: Holder) -> Held {
    let (connection, channel) = stage.channel().await;
    channel.basic_qos(1, BasicQosOptions::default()).await.expect("a prefetch");
    let mut consumer = None;
    if holder == Holder::Getter {
        let got = channel.basic_get("work".into(), BasicGetOptions { no_ack: false }).await.expect("an answer");
        assert!(got.is_some(), "a message");
    } else {
        let options = BasicConsumeOptions { exclusive: holder == Holder::Exclusive, ..BasicConsumeOptions::default() };
        let consumed = channel.basic_consume("work".into(), "holder".into(), options, FieldTable::default()).await;
        consumer = Some(consumed.expect("a consumer"));
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    Held { connection, _channel: channel, _consumer: consumer }
}
