//! `route`: which queues get a message, by which bindings, and what becomes of it then. Nothing is published.

use crate::cli::ExitCode;
use crate::cli::commands::access::no_user;
use crate::cli::foresee::looked_at::{LookedAt, in_vhost, missing_help};
use crate::cli::options::RouteOptions;
use crate::cli::terminal::Terminal;
use crate::foresee::{AskedRoute, TopologyView, route};
use crate::language::plain_value;
use crate::model::{Name, Table, Value};
use crate::report;
use crate::rules::SHORT_STRING_BYTES_MAX;
use serde_json::json;

/// Follows a message.
pub fn show(command: &RouteOptions, terminal: &Terminal) -> ExitCode {
    let lacking = "name a topology file, an exchange and a routing key: rmqplay route FILE EXCHANGE KEY";
    let seen = match LookedAt::read(&command.words, &command.look, lacking, terminal) {
        Ok(seen) => seen,
        Err(code) => return code,
    };
    let [exchange, key] = seen.words.as_slice() else {
        return terminal.usage(&format!(
            "name an exchange and a routing key; \"\" is the default exchange, and a key may be empty\n  help: {} shows all \
             exchanges",
            seen.command("effective")
        ));
    };
    if key.len() > SHORT_STRING_BYTES_MAX {
        let message = format!(
            "the routing key is {} bytes long, and AMQP carries at most {SHORT_STRING_BYTES_MAX}\n  help: {} shows what is \
             declared, `rmqplay help route` what a key may be",
            key.len(),
            seen.command("effective")
        );
        return terminal.usage(&message);
    }
    // So the broker calls it in permissions.
    let exchange = if exchange == "amq.default" { "" } else { exchange };
    let headers = match headers(&command.headers) {
        Ok(headers) => headers,
        Err(message) => return terminal.usage(&message),
    };
    let vhost = command.vhost.as_deref();
    if let Some(code) = command.user.as_ref().and_then(|_| seen.lacks_users(terminal)) {
        return code;
    }
    if let Some(code) = seen.lacks_all(vhost, terminal) {
        return code;
    }
    let known = |user: &str| {
        let topology = &seen.topology;
        topology.users.iter().any(|it| &*it.name == user) || topology.permissions.iter().any(|it| &*it.user == user)
    };
    if let Some(user) = command.user.as_deref().filter(|user| !known(user)) {
        return no_user(user, &seen, terminal);
    }
    if let Some(code) = vhost.and_then(|named| seen.no_vhost(named, terminal)) {
        return code;
    }
    let shows_all = format!("{} shows all exchanges", seen.command("effective"));
    let vhost = match vhost_of(&seen, exchange, vhost) {
        Ok(vhost) => vhost,
        Err(message) => {
            // It may be where the account may not look.
            let lacking = seen.lacks_some(vhost, terminal);
            return match lacking {
                ExitCode::Fine => seen.missing(&message, &shows_all, terminal),
                _ => lacking,
            };
        }
    };
    let asked = AskedRoute { vhost: &vhost, exchange, key, headers: headers.as_ref(), user: command.user.as_deref() };
    let versions = seen.versions();
    let mut results = Vec::new();
    for (profile, versions) in &versions {
        let Some(view) = TopologyView::new(&seen.topology, &seen.origins, versions) else { continue };
        results.extend(route(&view, &asked).map(|routed| (*profile, routed)));
    }
    let groups = report::by_versions(results);
    if groups.is_empty() {
        return seen.missing(&format!("no exchange '{exchange}'"), &shows_all, terminal);
    }
    for (profiles, routed) in &groups {
        if command.look.json {
            let names: Vec<String> = profiles.iter().map(ToString::to_string).collect();
            terminal.print(&json!({ "versions": names, "route": report::route_json(routed) }).to_string());
            continue;
        }
        if groups.len() > 1 {
            terminal.print(&terminal.palette.dim(&report::versions_in_words(profiles)));
        }
        terminal.print(&report::route_text(routed, terminal.palette));
    }
    ExitCode::Fine
}

/// Finds the vhost that is meant: the one named, or the only one with that exchange.
fn vhost_of(seen: &LookedAt, exchange: &str, named: Option<&str>) -> Result<Name, String> {
    let vhosts = seen.topology.vhost_names();
    let is_predeclared = exchange.is_empty() || exchange.starts_with("amq.");
    let has = |vhost: &&Name| {
        is_predeclared || seen.topology.exchanges.iter().any(|it| it.vhost == **vhost && &*it.name == exchange)
    };
    let having: Vec<&Name> =
        vhosts.iter().filter(|vhost| named.is_none_or(|named| **vhost == *named)).filter(has).collect();
    match having.as_slice() {
        [one] => Ok((*one).clone()),
        [] => {
            let exchanges = seen.topology.exchanges.iter().map(|it| (&it.vhost, it.name.as_str()));
            let near = missing_help(exchange, named, exchanges).unwrap_or_default();
            Err(format!("no exchange '{exchange}'{}{near}", in_vhost(named)))
        }
        several => {
            let there: Vec<String> = several.iter().map(|vhost| format!("'{vhost}'")).collect();
            Err(format!("exchange '{exchange}' is in several vhosts: say --vhost, of {}", there.join(", ")))
        }
    }
}

/// Reads `--header NAME=VALUE`; a value is what it would be in a file.
fn headers(given: &[String]) -> Result<Option<Table>, String> {
    let mut table = Table::new();
    for text in given {
        let Some((name, value)) = text.split_once('=') else {
            return Err(format!("--header takes NAME=VALUE, not `{text}`; `rmqplay help route` has an example"));
        };
        let value = match plain_value(value) {
            Some(serde_json::Value::Number(number)) if number.is_i64() => {
                Value::I64(number.as_i64().unwrap_or_default())
            }
            Some(serde_json::Value::Number(number)) => Value::F64(number.as_f64().unwrap_or_default()),
            Some(serde_json::Value::Bool(flag)) => Value::Bool(flag),
            _ => Value::from(value),
        };
        table.insert(name.into(), value);
    }
    Ok((!table.is_empty()).then_some(table))
}
