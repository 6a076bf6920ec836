//! What a live broker counts itself while a run goes on, read at its Prometheus endpoint for `--metrics`.
//! What cannot be read is said, and is no failure: what the runner saw is measured all the same.

use crate::cli::run_reporter::RunReporter;
use crate::io::management::{ManagementClient, Overview, PrometheusEndpoint};
use crate::io::{Address, BrokerFailure};
use crate::report::BrokerCounters;

/// A broker whose counters were read before the run.
pub(crate) struct CountingBroker {
    client: ManagementClient,
    endpoint: PrometheusEndpoint,
    before: BrokerCounters,
}

impl CountingBroker {
    /// Reads the counters before the first cell plays; `None` where nobody asks, or they cannot be read.
    pub async fn begin(
        stage: &RunReporter<'_>,
        address: &Address,
        overview: &Overview,
        broker: &str,
    ) -> Option<CountingBroker> {
        stage.command.suite.metrics.as_ref()?;
        let Some(endpoint) = overview.prometheus else {
            stage.error(&format!(
                "note: {broker} has no Prometheus endpoint, so the metrics hold what the runner saw\n  help: \
                 `rabbitmq-plugins enable rabbitmq_prometheus` on the broker adds what it counts itself"
            ));
            return None;
        };
        let client = ManagementClient::new(address).ok()?;
        match client.counters(endpoint).await {
            Ok(text) => {
                let before = BrokerCounters::read(broker, &text);
                if before.is_empty() {
                    stage.error(&format!("note: the Prometheus endpoint of {broker} tells no counters of messages"));
                    return None;
                }
                Some(CountingBroker { client, endpoint, before })
            }
            Err(failure) => {
                tell(stage, broker, &failure);
                None
            }
        }
    }

    /// Reads them again once all cells have played.
    pub async fn end(self, stage: &RunReporter<'_>) {
        let broker = &self.before.broker;
        match self.client.counters(self.endpoint).await {
            Ok(text) => stage.take_counters(BrokerCounters::read(broker, &text).since(&self.before)),
            Err(failure) => tell(stage, broker, &failure),
        }
    }
}

fn tell(stage: &RunReporter<'_>, broker: &str, failure: &BrokerFailure) {
    stage.error(&format!("note: what {broker} counts itself could not be read: {failure}\n  help: {}", failure.hint));
}
