//! Health checks: a simulated broker is well.

use crate::broker::Method;
use crate::model::Profile;
use crate::serve::management::answer::{Answered, ApiAnswer};
use crate::serve::management::call::ManagementCall;
use crate::serve::management::cluster::listeners;
use crate::serve::management::listing::shown;
use serde_json::{Value as Json, json};

/// Says that all is well.
pub(crate) fn fine(call: &mut ManagementCall<'_>) -> Answered {
    Ok(shown(call.request, json!({"status": "ok"})))
}

/// Says so of what concerns several nodes.
pub(crate) fn single_node(call: &mut ManagementCall<'_>) -> Answered {
    Ok(shown(call.request, json!({"status": "ok", "reason": "single node cluster"})))
}

/// Looks whether the broker listens at a port.
pub(crate) fn port_listener(call: &mut ManagementCall<'_>) -> Answered {
    let Ok(port) = call.id("port").parse::<u16>() else {
        return Err(ApiAnswer::bad_request("Invalid port"));
    };
    let ports: Vec<Json> = listeners(call).iter().map(|it| it["port"].clone()).collect();
    match ports.contains(&json!(port)) {
        true => Ok(shown(call.request, json!({"status": "ok", "port": port}))),
        false => Err(failed(json!({
            "status": "failed", "reason": "No active listener", "missing": port, "ports": ports,
        }))),
    }
}

/// Looks whether the broker speaks a protocol.
pub(crate) fn protocol_listener(call: &mut ManagementCall<'_>) -> Answered {
    let mut protocols: Vec<String> =
        listeners(call).iter().filter_map(|it| it["protocol"].as_str().map(str::to_owned)).collect();
    protocols.sort();
    protocols.dedup();
    let wanted = call.id("protocols").to_owned();
    let spoken = |wanted: &str| {
        let known_as = match wanted.to_lowercase().as_str() {
            "amqp091" | "amqp0.9.1" | "amqp0-9-1" | "amqp0_9_1" | "amqp10" | "amqp1.0" | "amqp1-0" | "amqp1_0" => {
                "amqp"
            }
            "amqps" => "amqp/ssl",
            "http1" | "http1.1" | "http_api" | "management" | "management_ui" | "ui" => "http",
            other => other,
        }
        .to_owned();
        protocols.contains(&known_as).then_some(known_as)
    };
    let no_listener = |missing: Json| {
        let reason = "No active listener";
        failed(json!({"status": "failed", "reason": reason, "missing": missing, "protocols": protocols}))
    };
    // 4.3 takes several, of which one is enough.
    if call.profile() >= Profile::V4_3 {
        let wanted: Vec<&str> = wanted.split(',').collect();
        return match wanted.iter().any(|wanted| spoken(wanted).is_some()) {
            true => Ok(shown(call.request, json!({"status": "ok", "protocols": protocols}))),
            false => Err(no_listener(json!(wanted))),
        };
    }
    match spoken(&wanted) {
        Some(protocol) => Ok(shown(call.request, json!({"status": "ok", "protocol": protocol}))),
        None => Err(no_listener(json!(wanted))),
    }
}

fn failed(body: Json) -> ApiAnswer {
    ApiAnswer { status: 503, ..ApiAnswer::json(body) }
}

/// Declares a queue, as the test of RabbitMQ does, and says that all is well.
pub(crate) fn aliveness(call: &mut ManagementCall<'_>) -> Answered {
    let vhost = call.vhost()?;
    let queue = crate::model::Queue {
        vhost: vhost.clone(),
        name: "aliveness-test".into(),
        durable: call.broker.differences().transient_queues_denied,
        auto_delete: false,
        exclusive: false,
        arguments: crate::model::Table::new(),
    };
    call.call(&vhost, Method::DeclareQueue(Box::new(queue))).map_err(|refusal| ApiAnswer::of_channel(&refusal))?;
    fine(call)
}
