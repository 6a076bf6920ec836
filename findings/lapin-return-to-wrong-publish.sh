#!/usr/bin/env bash
# lapin gives a returned message to the confirm of another publish.
#
# version    lapin 4.12.3 (with RabbitMQ 3.10.8 and 4.3.6 alike)
# behaviour  With several mandatory publishes waiting for their confirms, an
#            unroutable one may be told as plainly acked, and one that did
#            reach its queue as returned. The counts are right, the pairs not.
# source     A basic.return names no publish. returned_messages.rs keeps returns
#            in a line, and acknowledgement.rs takes the next of the line for
#            whichever confirm it settles; confirms that wait are a hash map, so
#            one ack for several settles them in no order.
# seen       on RabbitMQ 4.3.6, 2026-11-29, three times of three: "2000 unroutable,
#            2000 told as returned, of which N are the wrong publishes", N being
#            54, 27 and 52; 122 on 3.10.8
. "$(dirname "$0")/support/setup.sh"

broker 4.3 4.0 3.10
lapin_program 4.12.3 <<'RUST'
//! Publishes a routable and an unroutable message in turn, without waiting, and compares each confirm with its publish.
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::{BasicProperties, Confirmation, Connection, ConnectionProperties, types::FieldTable};

#[tokio::main]
async fn main() {
    let url = std::env::var("AMQP_URL").unwrap();
    let connection = Connection::connect(&url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let exclusive = QueueDeclareOptions { exclusive: true, ..Default::default() };
    channel.queue_declare("here".into(), exclusive, FieldTable::default()).await.unwrap();
    let mandatory = BasicPublishOptions { mandatory: true, ..Default::default() };
    let (mut unroutable, mut returned, mut wrong) = (0, 0, 0);
    for _ in 0..20 {
        let mut waiting = Vec::new();
        for turn in 0..200 {
            let key = if turn % 2 == 0 { "here" } else { "nowhere" };
            let properties = BasicProperties::default();
            let confirm = channel.basic_publish("".into(), key.into(), mandatory, b"x", properties).await.unwrap();
            waiting.push((key, confirm));
        }
        for (key, confirm) in waiting {
            let told = matches!(confirm.await.unwrap(), Confirmation::Ack(Some(_)));
            unroutable += usize::from(key == "nowhere");
            returned += usize::from(told);
            wrong += usize::from(told && key == "here");
        }
    }
    println!("{unroutable} unroutable, {returned} told as returned, of which {wrong} are the wrong publishes");
    std::process::exit(i32::from(returned != unroutable || wrong == 0));
}
RUST
"$PROGRAM" || changed 'each return came with the confirm of its own publish'
