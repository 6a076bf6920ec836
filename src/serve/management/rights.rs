//! Who may use the API, and which part of it (MG-14).

use crate::model::{Name, Profile};
use crate::serve::management::answer::ApiAnswer;
use crate::serve::management::call::ManagementCall;
use crate::serve::management::request::ApiRequest;
use crate::serve::served_broker::ServedBroker;

/// What a route asks of a user beside a tag that lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndpointRight {
    /// Nothing.
    Any,
    Monitor,
    Administrator,
    /// Rights in the vhost of the path.
    Vhost,
    /// The same, or to see all vhosts.
    VhostVisible,
    /// Policies and parameters of the vhost of the path.
    Policies,
    GlobalParameters,
    /// The user of the path is the one who asks.
    OwnUser,
}

/// The tags that let in.
const TAGS: [&str; 4] = ["administrator", "monitoring", "policymaker", "management"];

/// Finds out who asks: the user and its tags.
///
/// # Errors
/// Nobody, not with this password, or without a tag.
pub(crate) fn log_in(broker: &ServedBroker, request: &ApiRequest) -> Result<(Name, Vec<String>), ApiAnswer> {
    let realm = "Basic realm=\"RabbitMQ Management\"";
    let Some((name, password)) = request.login() else {
        let nobody = ApiAnswer { status: 401, headers: Vec::new(), body: None };
        return Err(nobody.with("www-authenticate", realm));
    };
    let user = broker.sim().held_user(&name).filter(|_| broker.server.accounts.fits(&name, &password));
    let Some(user) = user else {
        return Err(match broker.edition().profile {
            Profile::V3_10 => ApiAnswer::error(401, "not_authorized", "Login failed").with("www-authenticate", realm),
            _ => ApiAnswer::error(401, "not_authorized", "Not_Authorized"),
        });
    };
    if !user.tags.iter().any(|tag| TAGS.contains(&tag.as_str())) {
        return Err(ApiAnswer::not_authorised("Not management user"));
    }
    Ok((user.name.clone(), user.tags.to_vec()))
}

/// Checks what a route asks of the user.
///
/// # Errors
/// The user lacks it.
pub(crate) fn check(call: &ManagementCall<'_>, right: EndpointRight) -> Result<(), ApiAnswer> {
    let is_admin = call.has_tag(&["administrator"]);
    let refused = |holds: bool, text: &str| if holds { Ok(()) } else { Err(ApiAnswer::not_authorised(text)) };
    match right {
        EndpointRight::Any => Ok(()),
        EndpointRight::Monitor => refused(call.has_tag(&["administrator", "monitoring"]), "Not monitor user"),
        EndpointRight::Administrator => refused(is_admin, "Not administrator user"),
        EndpointRight::Vhost if is_admin => Ok(()),
        EndpointRight::Vhost => check_vhost(call, "User not authorised to access virtual host"),
        EndpointRight::VhostVisible if call.has_tag(&["administrator", "monitoring"]) => Ok(()),
        EndpointRight::VhostVisible => check_vhost(call, "User not authorised to access virtual host"),
        EndpointRight::Policies if is_admin => Ok(()),
        EndpointRight::Policies => {
            let text = "User not authorised to access object";
            refused(call.has_tag(&["policymaker"]), text)?;
            check_vhost(call, text)
        }
        EndpointRight::GlobalParameters => {
            refused(call.has_tag(&["administrator", "policymaker"]), "User not authorised to access object")
        }
        EndpointRight::OwnUser if call.profile() < Profile::V4_3 => Ok(()),
        EndpointRight::OwnUser => {
            refused(is_admin || call.id("user") == &*call.user, "User not authorised to access object")
        }
    }
}

/// Checks that the user has rights in the vhost of the path, where that names one that is there.
fn check_vhost(call: &ManagementCall<'_>, text: &str) -> Result<(), ApiAnswer> {
    let Ok(vhost) = call.vhost() else { return Ok(()) };
    match call.is_member(&vhost) {
        true => Ok(()),
        // 4.3 does not tell who may not see it that it is there.
        false if call.profile() >= Profile::V4_3 => Err(ApiAnswer::error(404, "not_found", "Not Found")),
        false => Err(ApiAnswer::not_authorised(text)),
    }
}
