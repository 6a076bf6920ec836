#!/usr/bin/env bash
# lapin answers the close of a channel before it has written the channel's
# publishes, and loses the whole connection by that.
#
# version    lapin 4.12.3 (with RabbitMQ 3.10.8 and 4.3.6 alike)
# behaviour  One publish to a missing exchange, among many that are still to be
#            written, should cost the channel (404). In a part of the tries
#            it costs the connection: 504, "expected 'channel.open'".
# source     frames.rs has two lines of frames, and publishes wait in the one of
#            low priority; channel.rs puts channel.close-ok into the other.
#            Publishes that are written behind it belong to a channel that the
#            broker has closed by then. The rest is dropped only after the
#            close-ok was written, which is what makes it a race.
# seen       on RabbitMQ 4.3.6, 2026-11-29, three times of three: "connection N of
#            200 ended: ... CHANNEL_ERROR - expected 'channel.open'", N being 16, 1
#            and 11
. "$(dirname "$0")/support/setup.sh"

broker 4.3 4.0 3.10
lapin_program 4.12.3 <<'RUST'
//! Opens connections until one is lost by a publish to a missing exchange, 200 at most.
use futures_util::{FutureExt, StreamExt};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Connection, ConnectionProperties, Event};
use std::time::Duration;

const PUBLISHES: usize = 5_000;
const CONNECTIONS: usize = 200;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    for number in 1..=CONNECTIONS {
        if let Some(reason) = lost().await {
            println!("connection {number} of {CONNECTIONS} ended: {reason}");
            return;
        }
    }
    println!("{CONNECTIONS} channels were closed, and no connection");
    std::process::exit(1);
}

/// Returns why the connection ended, or nothing when it only lost its channel.
async fn lost() -> Option<String> {
    let url = std::env::var("AMQP_URL").unwrap();
    let connection = Connection::connect(&url, ConnectionProperties::default()).await.unwrap();
    let mut events = connection.events_listener();
    let channel = connection.create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let mut waiting = Vec::new();
    for number in 0..PUBLISHES {
        let exchange = if number == PUBLISHES / 10 { "missing" } else { "amq.fanout" };
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        match channel.basic_publish(exchange.into(), "".into(), options, &[b'x'; 1_000], properties).await {
            Ok(confirm) => waiting.push(confirm),
            Err(_) => break,
        }
    }
    for confirm in waiting {
        let _ = confirm.await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    if connection.create_channel().await.is_ok() {
        let _ = connection.close(200, "".into()).await;
        return None;
    }
    let mut reason = "without a reason".to_owned();
    while let Some(Some(event)) = events.next().now_or_never() {
        if let Event::Error(error) = event {
            reason = error.to_string();
        }
    }
    Some(reason)
}
RUST
seen=$("$PROGRAM") || changed "$seen"
echo "$seen"
[[ $seen == *"CHANNEL_ERROR - expected 'channel.open'"* ]] || changed "$seen"
