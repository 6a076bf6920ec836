//! Bindings, and the keys by which their paths name them (MG-7).

use crate::broker::Method;
use crate::model::{Binding, DestinationKind, Name, Table, Value};
use crate::serve::management::answer::{Answered, ApiAnswer};
use crate::serve::management::call::ManagementCall;
use crate::serve::management::exchanges::{arguments, table};
use crate::serve::management::listing::{listed, shown};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

/// What bindings are sorted by.
const SORTS: [&str; 6] = ["vhost", "source", "type", "destination", "routing_key", "properties_key"];

/// Lists all of the vhosts that the user sees, or of one.
pub(crate) fn list(call: &mut ManagementCall<'_>) -> Answered {
    let mut all = Vec::new();
    for vhost in call.vhosts()? {
        all.extend(of_vhost(call, &vhost));
    }
    listed(call.request, all.iter().map(object).collect(), &SORTS)
}

/// Lists those of a vhost, with those that each queue has to the default exchange.
fn of_vhost(call: &ManagementCall<'_>, vhost: &Name) -> Vec<Binding> {
    let to_default = call.sim().held_queues(vhost);
    let to_default = to_default.iter().map(|held| Binding {
        vhost: vhost.clone(),
        source: "".into(),
        destination: held.declared.name.clone(),
        destination_kind: DestinationKind::Queue,
        routing_key: held.declared.name.clone(),
        arguments: Table::new(),
    });
    to_default.chain(call.sim().held_bindings(vhost)).collect()
}

/// Lists those that lead from the exchange of the path.
pub(crate) fn of_source(call: &mut ManagementCall<'_>) -> Answered {
    let from = call.name("exchange");
    narrowed(call, |it| it.source == from)
}

/// Lists those that lead to the exchange of the path.
pub(crate) fn of_destination(call: &mut ManagementCall<'_>) -> Answered {
    let to = call.name("exchange");
    narrowed(call, |it| it.destination_kind == DestinationKind::Exchange && it.destination == to)
}

/// Lists those that lead to the queue of the path.
pub(crate) fn of_queue(call: &mut ManagementCall<'_>) -> Answered {
    let to = call.name("queue");
    narrowed(call, |it| it.destination_kind == DestinationKind::Queue && it.destination == to)
}

/// Lists those between the two of the path.
pub(crate) fn between(call: &mut ManagementCall<'_>) -> Answered {
    let (source, kind, destination) = ends(call)?;
    narrowed(call, |it| it.source == source && it.destination_kind == kind && it.destination == destination)
}

fn narrowed(call: &mut ManagementCall<'_>, fits: impl Fn(&Binding) -> bool) -> Answered {
    let vhost = call.vhost()?;
    let all = of_vhost(call, &vhost);
    listed(call.request, all.iter().filter(|it| fits(it)).map(object).collect(), &SORTS)
}

/// Reads what the path leads from and to.
fn ends(call: &ManagementCall<'_>) -> Result<(Name, DestinationKind, Name), ApiAnswer> {
    let kind = match call.id("dtype") {
        "q" => DestinationKind::Queue,
        "e" => DestinationKind::Exchange,
        _ => return Err(ApiAnswer::no_object()),
    };
    Ok((call.name("source"), kind, call.name("destination")))
}

fn object(it: &Binding) -> Json {
    json!({
        "source": *it.source, "vhost": *it.vhost, "destination": *it.destination,
        "destination_type": it.destination_kind.as_str(), "routing_key": *it.routing_key,
        "arguments": table(&it.arguments), "properties_key": properties_key(&it.routing_key, &it.arguments),
    })
}

/// Writes the key of a binding's path: the routing key form-encoded, then a mark of the arguments. RabbitMQ's mark is a hash
/// of Erlang's own; clients read it and send it back.
pub(crate) fn properties_key(key: &str, arguments: &Table) -> String {
    if key.is_empty() && arguments.is_empty() {
        return "~".to_owned();
    }
    let encoded = form_encoded(key);
    if arguments.is_empty() {
        return encoded;
    }
    let mut sorted = arguments.clone();
    sorted.sort_keys();
    let digest = Sha256::digest(Value::Table(sorted).to_json().to_string());
    format!("{encoded}~{}", URL_SAFE_NO_PAD.encode(&digest[..4]))
}

fn form_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' => encoded.push('+'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => encoded.push(char::from(byte)),
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}

/// Makes one; says where it is.
pub(crate) fn post(call: &mut ManagementCall<'_>) -> Answered {
    let vhost = call.vhost_to_write()?;
    let body = call.body(&[])?;
    let (source, destination_kind, destination) = ends(call)?;
    let routing_key = body.get("routing_key").and_then(Json::as_str).unwrap_or_default().into();
    let binding = Binding {
        vhost: vhost.clone(),
        source,
        destination,
        destination_kind,
        routing_key,
        arguments: arguments(&body),
    };
    let key = properties_key(&binding.routing_key, &binding.arguments);
    let to =
        percent_encoding::utf8_percent_encode(&binding.destination, percent_encoding::NON_ALPHANUMERIC).to_string();
    call.call(&vhost, Method::Bind(Box::new(binding))).map_err(|refusal| ApiAnswer::of_method(&refusal))?;
    Ok(ApiAnswer::put(false).with("location", format!("{to}/{}", form_encoded(&key).replace("%7E", "~"))))
}

/// Finds the binding that the path names.
fn found(call: &ManagementCall<'_>) -> Result<Binding, ApiAnswer> {
    let vhost = call.vhost()?;
    let (source, kind, destination) = ends(call)?;
    let key = call.id("props");
    let fits = |it: &Binding| {
        it.source == source
            && it.destination_kind == kind
            && it.destination == destination
            && properties_key(&it.routing_key, &it.arguments) == key
    };
    of_vhost(call, &vhost).into_iter().find(fits).ok_or_else(ApiAnswer::no_object)
}

/// Shows one.
pub(crate) fn get(call: &mut ManagementCall<'_>) -> Answered {
    Ok(shown(call.request, object(&found(call)?)))
}

/// Takes one away.
pub(crate) fn delete(call: &mut ManagementCall<'_>) -> Answered {
    let binding = found(call)?;
    let vhost = binding.vhost.clone();
    call.call(&vhost, Method::Unbind(Box::new(binding))).map_err(|refusal| ApiAnswer::of_method(&refusal))?;
    Ok(ApiAnswer::done())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_bindings_are_as_rabbitmq_writes_them() {
        assert_eq!(properties_key("", &Table::new()), "~");
        assert_eq!(properties_key("a b.#", &Table::new()), "a+b.%23");
        assert_eq!(properties_key("*~", &Table::new()), "%2A%7E");
        let arguments: Table = [("x", Value::I64(1))].into_iter().collect();
        assert!(properties_key("k", &arguments).starts_with("k~"));
    }
}
