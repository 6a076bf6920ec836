//! The broker's own counters at its Prometheus endpoint, where the plugin `rabbitmq_prometheus` listens.
//! Finds it among the listeners that the management API tells; reads its text, and nothing out of it.

use crate::io::failure::BrokerFailure;
use crate::io::management::client::ManagementClient;
use serde_json::Value as Json;

/// Where the plugin listens, on the host of the management API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrometheusEndpoint {
    port: u16,
    tls: bool,
}

impl PrometheusEndpoint {
    /// Finds it in an answer to `/overview`.
    pub(super) fn of(overview: &Json) -> Option<Self> {
        let listeners = overview.get("listeners")?.as_array()?;
        let endpoint = |listener: &Json| {
            let protocol = listener.get("protocol")?.as_str()?;
            let tls = match protocol {
                "http/prometheus" => false,
                "https/prometheus" => true,
                _ => return None,
            };
            Some(Self { port: u16::try_from(listener.get("port")?.as_u64()?).ok()?, tls })
        };
        // One without TLS needs no certificate.
        let all: Vec<Self> = listeners.iter().filter_map(endpoint).collect();
        all.iter().find(|endpoint| !endpoint.tls).or(all.first()).copied()
    }
}

impl ManagementClient {
    /// Reads all that the broker counted since it began.
    ///
    /// # Errors
    /// As those of every request; the failure names the endpoint.
    pub async fn counters(&self, endpoint: PrometheusEndpoint) -> Result<String, BrokerFailure> {
        self.get_elsewhere(if endpoint.tls { "https" } else { "http" }, endpoint.port, "/metrics").await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_found_among_the_listeners() {
        let found = |listeners: &str| {
            let overview = serde_json::from_str(&format!("{{\"listeners\":{listeners}}}")).expect("JSON");
            PrometheusEndpoint::of(&overview)
        };
        let secured = "{\"protocol\":\"https/prometheus\",\"port\":15691}";
        let plain = "{\"protocol\":\"http/prometheus\",\"port\":15692}";
        let amqp = "{\"protocol\":\"amqp\",\"port\":5672}";
        assert_eq!(found(&format!("[{amqp},{secured},{plain}]")), Some(PrometheusEndpoint { port: 15692, tls: false }));
        assert_eq!(found(&format!("[{secured}]")), Some(PrometheusEndpoint { port: 15691, tls: true }));
        assert_eq!(found(&format!("[{amqp}]")), None);
    }
}
