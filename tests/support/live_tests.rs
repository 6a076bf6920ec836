//! Live tests of programs with `harness = false`, named `live::VERSION::…`, and `alone::VERSION::…` where nothing else
//! may use the broker. Where no broker is listed, one test is reported as ignored, with the reason, or fails if required.

use super::brokers::{self, Broker};
use libtest_mimic::{Completion, Trial};

/// Returns the tests of all brokers, those of different brokers in turn.
pub fn per_broker(what: &'static str, of_one: impl Fn(&Broker) -> Vec<Trial>) -> Vec<Trial> {
    let mut lists: Vec<_> = brokers::listed().iter().map(|broker| of_one(broker).into_iter()).collect();
    if lists.is_empty() {
        return vec![Trial::ignorable_test(format!("live::{what}"), move || {
            // Fails if they are required.
            brokers::brokers(what);
            Ok(Completion::ignored_with("NOT RUN: RMQPLAY_TEST_BROKERS is not set"))
        })];
    }
    let mut tests = Vec::new();
    while lists.iter().any(|list| list.len() > 0) {
        tests.extend(lists.iter_mut().filter_map(Iterator::next));
    }
    tests
}
