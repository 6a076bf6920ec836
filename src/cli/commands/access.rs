//! `access`: who may do what, by which pattern.

use crate::cli::ExitCode;
use crate::cli::foresee::looked_at::LookedAt;
use crate::cli::options::AccessOptions;
use crate::cli::terminal::Terminal;
use crate::foresee::access;
use crate::report;
use crate::source::nearest_name;

/// Shows the rights of all users, or of one.
pub fn show(command: &AccessOptions, terminal: &Terminal) -> ExitCode {
    let lacking = "name a topology file, or a broker with --broker: rmqplay access FILE";
    let seen = match LookedAt::read(&command.words, &command.look, lacking, terminal) {
        Ok(seen) => seen,
        Err(code) => return code,
    };
    if !seen.words.is_empty() {
        return terminal.usage("with --broker no file is named: a user is named by --user");
    }
    if let Some(code) = seen.lacks_users(terminal) {
        return code;
    }
    let (all, without) = access(&seen.topology, command.user.as_deref());
    if let Some(user) = command.user.as_ref().filter(|_| all.is_empty() && without.is_empty()) {
        return no_user(user, &seen, terminal);
    }
    match command.look.json {
        true => terminal.print(&report::access_json(&all, &without).to_string()),
        false if all.is_empty() && without.is_empty() => terminal.print("no users and no permissions are declared"),
        false => terminal.print(&report::access_text(&all, &without, terminal.palette)),
    }
    ExitCode::Fine
}

/// Says that there is no such user.
pub(super) fn no_user(user: &str, seen: &LookedAt, terminal: &Terminal) -> ExitCode {
    let users = seen.topology.users.iter().map(|it| it.name.as_str());
    let near = nearest_name(user, users.chain(seen.topology.permissions.iter().map(|it| it.user.as_str())));
    let near = near.map_or_else(String::new, |near| format!(": did you mean `{near}`?"));
    let help = format!("{} shows all users and their rights", seen.command("access"));
    seen.missing(&format!("no user '{user}'{near}"), &help, terminal)
}
