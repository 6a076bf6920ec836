//! Plays shapes on the brokers of `RMQPLAY_TEST_BROKERS`, each in a throw-away vhost that is gone afterwards.

use crate::flow::{Flow, Shape};
use crate::tally::{Tally, repeated, wall_time};
use rmqplay::io::live::{Guard, Live, LiveEnded, LiveLimits, run_live};
use rmqplay::io::{Address, Failure};
use std::time::Duration;

/// Gives each broker's version with its rates; a broker that fails is told and left out.
pub fn play_all(shape: &Shape) -> Vec<(String, Tally)> {
    let urls = std::env::var("RMQPLAY_TEST_BROKERS").unwrap_or_default();
    let mut tallies = Vec::new();
    for url in urls.split(',').filter(|url| !url.trim().is_empty()) {
        match url.parse::<Address>() {
            Err(bad) => println!("  not a broker: {}", bad.message),
            Ok(address) => tallies.extend(play(shape, &address)),
        }
    }
    tallies
}

fn play(shape: &Shape, address: &Address) -> Option<(String, Tally)> {
    // As the command line has it: the client and its connection on one thread each.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().ok()?;
    let mut version = String::new();
    let mut failed = None;
    let tally = repeated(|count| {
        runtime.block_on(play_once(shape, address, count, &mut version)).unwrap_or_else(|failure| {
            failed = Some(failure.to_string());
            Duration::MAX
        })
    });
    match failed {
        None => Some((version, tally)),
        Some(failure) => {
            println!("  {}: {failure}", address.place());
            None
        }
    }
}

async fn play_once(shape: &Shape, address: &Address, count: u64, version: &mut String) -> Result<Duration, Failure> {
    let limits = LiveLimits::default();
    let guard = Guard::set_up(address, &["/".into()], &[]).await?;
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
