//! From method and path to what answers: the routes of RabbitMQ's API, each with what it asks of the user.

use crate::model::Profile;
use crate::serve::management::answer::{Answered, ApiAnswer};
use crate::serve::management::call::ManagementCall;
use crate::serve::management::request::ApiRequest;
use crate::serve::management::rights::EndpointRight::{
    self, Administrator, Any, GlobalParameters, Monitor, OwnUser, Policies, Vhost, VhostVisible,
};
use crate::serve::management::rights::{check, log_in};
use crate::serve::management::{
    bindings, cluster, connections, definitions, exchanges, health, import, limits, messages, parameters, policies,
    queues, users, vhosts,
};
use crate::serve::served_broker::ServedBroker;
use serde_json::json;

type Endpoint = for<'c, 'a> fn(&'c mut ManagementCall<'a>) -> Answered;

/// A route: method, path below `/api` with `:word` for what it names, what it asks of the user, who answers.
type Route = (&'static str, &'static str, EndpointRight, Endpoint);

/// The routes of all versions.
const ROUTES: &[Route] = &[
    ("GET", "overview", Any, cluster::overview),
    ("GET", "whoami", Any, users::whoami),
    ("GET", "cluster-name", Any, cluster::cluster_name),
    ("PUT", "cluster-name", Administrator, cluster::put_cluster_name),
    ("GET", "nodes", Monitor, cluster::nodes),
    ("GET", "nodes/:node", Monitor, cluster::node),
    ("GET", "extensions", Any, cluster::extensions),
    ("GET", "feature-flags", Any, cluster::feature_flags),
    ("GET", "definitions", Administrator, definitions::export),
    ("POST", "definitions", Administrator, import::import),
    ("GET", "definitions/:vhost", Administrator, definitions::export_vhost),
    ("POST", "definitions/:vhost", Administrator, import::import_vhost),
    ("GET", "parameters", Policies, parameters::list),
    ("GET", "parameters/:component", Policies, parameters::list),
    ("GET", "parameters/:component/:vhost", Policies, parameters::list),
    ("GET", "parameters/:component/:vhost/:name", Policies, parameters::get),
    ("PUT", "parameters/:component/:vhost/:name", Policies, parameters::put),
    ("DELETE", "parameters/:component/:vhost/:name", Policies, parameters::delete),
    ("GET", "global-parameters", GlobalParameters, parameters::list_global),
    ("GET", "global-parameters/:name", GlobalParameters, parameters::get_global),
    ("PUT", "global-parameters/:name", GlobalParameters, parameters::put_global),
    ("DELETE", "global-parameters/:name", GlobalParameters, parameters::delete_global),
    ("GET", "policies", Vhost, policies::list),
    ("GET", "policies/:vhost", Vhost, policies::list),
    ("GET", "policies/:vhost/:name", Policies, policies::get),
    ("PUT", "policies/:vhost/:name", Policies, policies::put),
    ("DELETE", "policies/:vhost/:name", Policies, policies::delete),
    ("GET", "operator-policies", Vhost, policies::list_operator),
    ("GET", "operator-policies/:vhost", Vhost, policies::list_operator),
    ("GET", "operator-policies/:vhost/:name", Administrator, policies::get_operator),
    ("PUT", "operator-policies/:vhost/:name", Administrator, policies::put_operator),
    ("DELETE", "operator-policies/:vhost/:name", Administrator, policies::delete_operator),
    ("GET", "vhost-limits", VhostVisible, limits::of_vhosts),
    ("GET", "vhost-limits/:vhost", VhostVisible, limits::of_vhosts),
    ("PUT", "vhost-limits/:vhost/:name", Administrator, limits::put_of_vhost),
    ("DELETE", "vhost-limits/:vhost/:name", Administrator, limits::delete_of_vhost),
    ("GET", "user-limits", Administrator, limits::of_users),
    ("GET", "user-limits/:user", OwnUser, limits::of_users),
    ("PUT", "user-limits/:user/:name", Administrator, limits::put_of_user),
    ("DELETE", "user-limits/:user/:name", Administrator, limits::delete_of_user),
    ("GET", "connections", Any, connections::list),
    ("GET", "connections/username/:username", Any, connections::of_user),
    ("DELETE", "connections/username/:username", Any, connections::delete_of_user),
    ("GET", "connections/:connection", Any, connections::get),
    ("DELETE", "connections/:connection", Any, connections::delete),
    ("GET", "connections/:connection/channels", Any, connections::channels_of_connection),
    ("GET", "channels", Any, connections::channels),
    ("GET", "channels/:channel", Any, connections::channel),
    ("GET", "consumers", Any, connections::consumers),
    ("GET", "consumers/:vhost", Vhost, connections::consumers),
    ("GET", "exchanges", Vhost, exchanges::list),
    ("GET", "exchanges/:vhost", Vhost, exchanges::list),
    ("GET", "exchanges/:vhost/:exchange", Vhost, exchanges::get),
    ("PUT", "exchanges/:vhost/:exchange", Vhost, exchanges::put),
    ("DELETE", "exchanges/:vhost/:exchange", Vhost, exchanges::delete),
    ("POST", "exchanges/:vhost/:exchange/publish", Vhost, messages::publish),
    ("GET", "exchanges/:vhost/:exchange/bindings/source", Vhost, bindings::of_source),
    ("GET", "exchanges/:vhost/:exchange/bindings/destination", Vhost, bindings::of_destination),
    ("GET", "queues", Vhost, queues::list),
    ("GET", "queues/:vhost", Vhost, queues::list),
    ("GET", "queues/:vhost/:queue", Vhost, queues::get),
    ("PUT", "queues/:vhost/:queue", Vhost, queues::put),
    ("DELETE", "queues/:vhost/:queue", Vhost, queues::delete),
    ("GET", "queues/:vhost/:queue/bindings", Vhost, bindings::of_queue),
    ("DELETE", "queues/:vhost/:queue/contents", Vhost, queues::purge),
    ("POST", "queues/:vhost/:queue/get", Vhost, messages::get),
    ("GET", "bindings", Vhost, bindings::list),
    ("GET", "bindings/:vhost", Vhost, bindings::list),
    ("GET", "bindings/:vhost/e/:source/:dtype/:destination", Vhost, bindings::between),
    ("POST", "bindings/:vhost/e/:source/:dtype/:destination", Vhost, bindings::post),
    ("GET", "bindings/:vhost/e/:source/:dtype/:destination/:props", Vhost, bindings::get),
    ("DELETE", "bindings/:vhost/e/:source/:dtype/:destination/:props", Vhost, bindings::delete),
    ("GET", "vhosts", Any, vhosts::list),
    ("GET", "vhosts/:vhost", Administrator, vhosts::get),
    ("PUT", "vhosts/:vhost", Administrator, vhosts::put),
    ("DELETE", "vhosts/:vhost", Administrator, vhosts::delete),
    ("GET", "vhosts/:vhost/permissions", Administrator, users::permissions),
    ("GET", "vhosts/:vhost/topic-permissions", Administrator, users::topic_permissions),
    ("GET", "vhosts/:vhost/connections", Vhost, connections::of_vhost),
    ("GET", "vhosts/:vhost/channels", Vhost, connections::channels_of_vhost),
    ("POST", "users/bulk-delete", Administrator, users::bulk_delete),
    ("GET", "users/without-permissions", Administrator, users::without_permissions),
    ("GET", "users", Administrator, users::list),
    ("GET", "users/:user", Administrator, users::get),
    ("PUT", "users/:user", Administrator, users::put),
    ("DELETE", "users/:user", Administrator, users::delete),
    ("GET", "users/:user/permissions", Administrator, users::permissions),
    ("GET", "users/:user/topic-permissions", Administrator, users::topic_permissions),
    ("GET", "permissions", Administrator, users::permissions),
    ("GET", "permissions/:vhost/:user", Administrator, users::get_permission),
    ("PUT", "permissions/:vhost/:user", Administrator, users::put_permission),
    ("DELETE", "permissions/:vhost/:user", Administrator, users::delete_permission),
    ("GET", "topic-permissions", Administrator, users::topic_permissions),
    ("GET", "topic-permissions/:vhost/:user", Administrator, users::get_topic_permission),
    ("PUT", "topic-permissions/:vhost/:user", Administrator, users::put_topic_permission),
    ("DELETE", "topic-permissions/:vhost/:user", Administrator, users::delete_topic_permission),
    ("DELETE", "topic-permissions/:vhost/:user/:exchange", Administrator, users::delete_topic_permission),
    ("GET", "aliveness-test/:vhost", Vhost, health::aliveness),
    ("GET", "healthchecks/node", Any, health::fine),
    ("GET", "health/checks/alarms", Any, health::fine),
    ("GET", "health/checks/local-alarms", Any, health::fine),
    ("GET", "health/checks/certificate-expiration/:within/:unit", Any, health::fine),
    ("GET", "health/checks/port-listener/:port", Any, health::port_listener),
    ("GET", "health/checks/protocol-listener/:protocols", Any, health::protocol_listener),
    ("GET", "health/checks/virtual-hosts", Any, health::fine),
    ("GET", "health/checks/node-is-quorum-critical", Any, health::single_node),
];

/// The routes that came, with the version that brought them.
const LATER: &[(Profile, Route)] = &[
    (Profile::V3_13, ("GET", "deprecated-features", Any, cluster::deprecated_features)),
    (Profile::V3_13, ("GET", "deprecated-features/used", Any, cluster::deprecated_in_use)),
    (Profile::V4_0, ("GET", "version", Any, cluster::version)),
    (Profile::V4_0, ("GET", "health/checks/is-in-service", Any, health::fine)),
    (Profile::V4_0, ("GET", "health/checks/ready-to-serve-clients", Any, health::fine)),
    (Profile::V4_0, ("GET", "health/checks/below-node-connection-limit", Any, health::fine)),
    (Profile::V4_1, ("POST", "vhosts/:vhost/deletion/protection", Administrator, vhosts::protect)),
    (Profile::V4_1, ("DELETE", "vhosts/:vhost/deletion/protection", Administrator, vhosts::protect)),
    (Profile::V4_1, ("GET", "health/checks/quorum-queues-without-elected-leaders/all-vhosts", Any, health::fine)),
];

/// Answers a request at a real millisecond.
pub fn answer_management(broker: &mut ServedBroker, now_ms: u64, request: &ApiRequest) -> ApiAnswer {
    let parts = request.parts().unwrap_or_default();
    let profile = broker.edition().profile;
    let later = LATER.iter().filter(|(since, _)| profile >= *since).map(|(_, route)| route);
    let fitting: Vec<(&Route, Vec<(&'static str, String)>)> =
        ROUTES.iter().chain(later).filter_map(|route| Some((route, named_by(route.1, &parts)?))).collect();
    let method = if request.method == "HEAD" { "GET" } else { request.method.as_str() };
    if parts == ["auth"] && profile < Profile::V4_2 {
        return if method == "GET" { login_page(profile) } else { ApiAnswer::wrong_method() };
    }
    if fitting.is_empty() {
        // What is no route of the API is looked for among files, which can be read only (MG-16).
        return if method == "GET" { ApiAnswer::no_object() } else { ApiAnswer::wrong_method() };
    }
    let answer = match fitting.iter().find(|(route, _)| route.0 == method) {
        None => ApiAnswer::wrong_method(),
        Some((route, ids)) => match log_in(broker, request) {
            Err(refused) => refused,
            Ok((user, tags)) => {
                let call = &mut ManagementCall { broker, now_ms, request, ids: ids.clone(), user, tags };
                let (_, _, right, endpoint) = route;
                check(call, *right).and_then(|()| endpoint(call)).unwrap_or_else(|refused| refused)
            }
        },
    };
    match profile >= Profile::V4_3 {
        true => answer.with("allow", allowed(fitting.iter().map(|(route, _)| route.0))),
        false => answer,
    }
}

/// Tells the login page, before anybody logs in, that there is no other way than a password (MG-16).
fn login_page(profile: Profile) -> ApiAnswer {
    ApiAnswer::json(match profile {
        Profile::V3_10 => json!({"enable_uaa": false, "uaa_client_id": "", "uaa_location": ""}),
        _ => json!({"oauth_enabled": false}),
    })
}

/// Returns what the words of a path name, where the path is of its kind.
fn named_by(path: &'static str, parts: &[String]) -> Option<Vec<(&'static str, String)>> {
    let words: Vec<&'static str> = path.split('/').collect();
    if words.len() != parts.len() {
        return None;
    }
    let mut named = Vec::new();
    for (word, part) in words.into_iter().zip(parts) {
        match word.strip_prefix(':') {
            Some(word) => named.push((word, part.clone())),
            None if word == part => {}
            None => return None,
        }
    }
    Some(named)
}

/// Lists the methods of a path, in RabbitMQ's order.
fn allowed(methods: impl Iterator<Item = &'static str>) -> String {
    let known: Vec<&str> = methods.collect();
    let order = ["GET", "PUT", "POST", "DELETE"].into_iter().filter(|method| known.contains(method));
    let head = known.contains(&"GET").then_some("HEAD");
    head.into_iter().chain(order).chain(["OPTIONS"]).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_what_they_are_about() {
        let parts = ["queues".to_owned(), "/".to_owned(), "q".to_owned()];
        assert_eq!(
            named_by("queues/:vhost/:queue", &parts),
            Some(vec![("vhost", "/".to_owned()), ("queue", "q".to_owned())])
        );
        assert_eq!(named_by("queues/:vhost", &parts), None);
        assert_eq!(allowed(["DELETE", "GET"].into_iter()), "HEAD, GET, DELETE, OPTIONS");
    }
}
