//! Plays shapes on the brokers of `RMQPLAY_TEST_BROKERS`, each in a throw-away vhost that is gone afterwards.

use crate::flow::{Flow, Shape};
use crate::tally::{Play, Tally, in_rounds, wall_time};
use rmqplay::io::live::{Live, LiveEnded, LiveLimits, TestVhosts, run_live};
use rmqplay::io::{Address, BrokerFailure};
use std::time::Duration;

/// One of the brokers, as far as it is known by now.
pub struct Broker {
    pub address: Address,
    pub version: String,
    failed: Option<String>,
}

/// Returns each broker's version with its rates; a broker that fails is told and left out.
pub fn play_all(shape: &Shape) -> Vec<(String, Tally)> {
    // As the command line has it: the client and its connection on one thread each.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.unwrap_or_else(|error| panic!("no runtime: {error}"));
    let mut brokers = brokers();
    let play = |broker: &mut Broker, count| {
        let played = play_once(shape, &broker.address, count, &mut broker.version);
        runtime.block_on(played).unwrap_or_else(|failure| {
            broker.failed = Some(failure.to_string());
            Duration::MAX
        })
    };
    let mut plays: Vec<Play> = brokers.iter_mut().map(|broker| Box::new(|count| play(broker, count)) as Play).collect();
    let tallies = in_rounds(&mut plays);
    drop(plays);
    for Broker { address, failed, .. } in &brokers {
        if let Some(failure) = failed {
            println!("  {}: {failure}", address.place());
        }
    }
    let played = brokers.into_iter().zip(tallies).filter(|(broker, _)| broker.failed.is_none());
    played.map(|(broker, tally)| (broker.version, tally)).collect()
}

/// Lists them.
pub fn brokers() -> Vec<Broker> {
    let urls = std::env::var("RMQPLAY_TEST_BROKERS").unwrap_or_default();
    let mut brokers = Vec::new();
    for url in urls.split(',').filter(|url| !url.trim().is_empty()) {
        match url.parse::<Address>() {
            Err(bad) => println!("  not a broker: {}", bad.message),
            Ok(address) => brokers.push(Broker { address, version: String::new(), failed: None }),
        }
    }
    brokers
}

async fn play_once(
    shape: &Shape,
    address: &Address,
    count: u64,
    version: &mut String,
) -> Result<Duration, BrokerFailure> {
    let limits = LiveLimits::default();
    let guard = TestVhosts::set_up(address, &["/".into()], &[]).await?;
    let played = async {
        let mut live = Live::open(address, guard.names(), &limits).await?;
        version.clone_from(&live.overview().full_version);
        let mut flow = Flow::new(shape, count, wall_time);
        let (_, ended) = run_live(&mut flow, &mut live, &limits).await?;
        assert_eq!(ended, LiveEnded::Done);
        live.close().await;
        Ok(flow.took())
    };
    let played = played.await;
    guard.sweep().await?;
    played
}
