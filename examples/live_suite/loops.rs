//! The rivals of the bulk scenario: lapin without rmqplay, moving as many messages of the same size over a queue.
//! Each publishes in a window of 1,000 unconfirmed and consumes with a prefetch of 1,000, on two channels.

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
    QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

const WINDOW: usize = 1_000;
const BODY: &[u8] = b"a body of sixty-four bytes, as long as that of the rival's loop.";

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Steps publishes and acks as rmqplay does: frames are handed over at once, answers are taken as they come.
pub fn stepped(url: &str, count: u32) -> Option<Duration> {
    told(url, |stage| async move {
        let Stage { publishing, consuming, mut consumer, queue } = stage;
        let mut pending = FuturesUnordered::new();
        let (mut sent, mut confirmed, mut acked) = (0, 0, 0);
        while confirmed < count || acked < count {
            while sent < count && pending.len() < WINDOW {
                sent += 1;
                let (channel, queue) = (publishing.clone(), queue.clone());
                let mut publish = Box::pin(async move {
                    let options = BasicPublishOptions::default();
                    channel.basic_publish("".into(), queue.as_str().into(), options, BODY, durable()).await?.await
                });
                match publish.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    Poll::Ready(confirm) => confirmed += u32::from(confirm.is_ok()),
                    Poll::Pending => pending.push(publish),
                }
            }
            tokio::select! {
                Some(confirm) = pending.next() => confirmed += u32::from(confirm.is_ok()),
                Some(delivery) = consumer.next() => {
                    let ack = consuming.basic_ack(delivery?.delivery_tag, BasicAckOptions::default());
                    let _ = pin!(ack).poll(&mut Context::from_waker(Waker::noop()));
                    acked += 1;
                }
            }
        }
        Ok(())
    })
}

/// Does it as most programs do: a task that awaits each publish, a task that awaits each ack.
pub fn awaiting(url: &str, count: u32) -> Option<Duration> {
    told(url, |stage| async move {
        let Stage { publishing, consuming: _, mut consumer, queue } = stage;
        let publisher = tokio::spawn(async move {
            let mut confirms = Vec::with_capacity(WINDOW);
            for _ in 0..count {
                let options = BasicPublishOptions::default();
                confirms
                    .push(publishing.basic_publish("".into(), queue.as_str().into(), options, BODY, durable()).await?);
                if confirms.len() == WINDOW {
                    for confirm in confirms.drain(..) {
                        confirm.await?;
                    }
                }
            }
            for confirm in confirms {
                confirm.await?;
            }
            Ok::<(), lapin::Error>(())
        });
        for _ in 0..count {
            let delivery = consumer.next().await.ok_or("the consumer ended")??;
            delivery.ack(BasicAckOptions::default()).await?;
        }
        publisher.await??;
        Ok(())
    })
}

/// What a loop works with.
struct Stage {
    publishing: Channel,
    consuming: Channel,
    consumer: Consumer,
    queue: String,
}

/// Sets the stage in the broker's default vhost, times the loop, and deletes its queue.
fn told<W: Future<Output = Result<(), Failed>>>(url: &str, work: impl FnOnce(Stage) -> W) -> Option<Duration> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().ok()?;
    let took = runtime.block_on(async {
        let connection = Connection::connect(url, ConnectionProperties::default()).await?;
        let (publishing, consuming) = (connection.create_channel().await?, connection.create_channel().await?);
        publishing.confirm_select(ConfirmSelectOptions::default()).await?;
        let queue = format!("rmqplay.bulk.{}", std::process::id());
        let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        publishing.queue_declare(queue.as_str().into(), durable, FieldTable::default()).await?;
        consuming.basic_qos(WINDOW as u16, BasicQosOptions::default()).await?;
        let options = BasicConsumeOptions::default();
        let consumer =
            consuming.basic_consume(queue.as_str().into(), "loop".into(), options, FieldTable::default()).await?;
        let began = Instant::now();
        let done = work(Stage { publishing, consuming, consumer, queue: queue.clone() }).await;
        let took = began.elapsed();
        let sweeping = connection.create_channel().await?;
        sweeping.queue_delete(queue.as_str().into(), QueueDeleteOptions::default()).await?;
        connection.close(200, "done".into()).await?;
        done.map(|()| took)
    });
    took.inspect_err(|error: &Failed| println!("    a loop failed: {error}")).ok()
}

/// Returns the properties that a scenario's publish has: persistent.
fn durable() -> BasicProperties {
    BasicProperties::default().with_delivery_mode(2)
}
