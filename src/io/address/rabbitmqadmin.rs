//! The brokers that rabbitmqadmin knows: its file's nodes and its environment variables, made addresses.
//! It speaks to the management API only, so that the AMQP port is the usual distance away. Never repeats a password.

use crate::io::address::node_file::{NodeSection, sections};
use crate::io::address::options::TlsOptions;
use crate::io::address::url::Address;
use crate::io::files::Disk;
use crate::language::suggest;
use crate::model::Secret;
use crate::source::Help;
use reqwest::Url;
use std::fmt;

/// The variable that names the file.
const FILE_VARIABLE: &str = "RABBITMQADMIN_CONFIG_FILE_PATH";

/// Where it is otherwise, in the home folder.
const FILE: &str = ".rabbitmqadmin.conf";

/// Its variables, each with the key of the file that it stands for.
const VARIABLES: [(&str, &str); 8] = [
    ("RABBITMQADMIN_TARGET_HOST", "hostname"),
    ("RABBITMQADMIN_TARGET_PORT", "port"),
    ("RABBITMQADMIN_BASE_URI", "base_uri"),
    ("RABBITMQADMIN_API_PATH_PREFIX", "path_prefix"),
    ("RABBITMQADMIN_TARGET_VHOST", "virtual_host"),
    ("RABBITMQADMIN_USERNAME", "username"),
    ("RABBITMQADMIN_PASSWORD", "password"),
    ("RABBITMQADMIN_USE_TLS", "tls"),
];

/// The variable that names a node of the file.
const NODE_VARIABLE: &str = "RABBITMQADMIN_NODE_ALIAS";

/// Why rabbitmqadmin's settings give no address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadNode {
    /// What is wrong, in one line.
    pub message: String,
    /// What to write instead, where that is known.
    pub help: Option<Help>,
}

impl BadNode {
    /// Says in front where it is wrong.
    fn at(self, place: &str) -> Self {
        Self { message: format!("{place}: {}", self.message), ..self }
    }
}

impl From<String> for BadNode {
    fn from(message: String) -> Self {
        Self { message, help: None }
    }
}

impl fmt::Display for BadNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, "\n  help: {help}"))
    }
}

/// Returns the address of a node.
///
/// # Errors
/// The file is not there or not readable, has no such node, or the node has a value that cannot be.
pub fn node(name: &str, disk: &Disk) -> Result<Address, BadNode> {
    address_of(&section(name, disk)?).map_err(|why| format!("{}: node `{name}`: {why}", shown_path(disk)).into())
}

/// Lists the names of the nodes; none where the file is not there or cannot be read.
pub fn nodes(disk: &Disk) -> Vec<String> {
    read(disk).map(|sections| sections.into_iter().map(|section| section.name).collect()).unwrap_or_default()
}

/// Returns the address that rabbitmqadmin's variables tell; `None` when none is set.
pub(crate) fn of_variables(disk: &Disk) -> Option<Result<Address, BadNode>> {
    let set = |name: &str| disk.variable(name).filter(|value| !value.trim().is_empty());
    let alias = set(NODE_VARIABLE);
    let values: Vec<_> = VARIABLES.iter().filter_map(|(name, key)| Some((*key, set(name)?))).collect();
    if alias.is_none() && values.is_empty() {
        return None;
    }
    let base = alias.map_or(Ok(NodeSection::default()), |alias| section(&alias, disk));
    Some(base.map_err(|bad| bad.at(NODE_VARIABLE)).and_then(|mut section| {
        values.into_iter().for_each(|(key, value)| section.set(key, value));
        address_of(&section).map_err(|why| BadNode::from(why).at("RABBITMQADMIN_…"))
    }))
}

fn section(name: &str, disk: &Disk) -> Result<NodeSection, BadNode> {
    let sections = read(disk)?;
    if let Some(section) = sections.iter().find(|section| section.name == name) {
        return Ok(section.clone());
    }
    let names = sections.iter().map(|section| &*section.name);
    let help = suggest(name, names, "there are");
    Err(BadNode { message: format!("{} has no node `{name}`", shown_path(disk)), help: Some(help) })
}

fn read(disk: &Disk) -> Result<Vec<NodeSection>, String> {
    let path = path(disk).ok_or(format!("HOME is not set: give the file of nodes by {FILE_VARIABLE}"))?;
    let bytes = disk.read(&path).map_err(|error| format!("cannot read {path}: {error}"))?;
    let text = String::from_utf8(bytes).map_err(|_| format!("{path} is not UTF-8"))?;
    sections(&text).map_err(|(line, why)| format!("{path}:{line}: {why}"))
}

fn path(disk: &Disk) -> Option<String> {
    let home = || disk.variable("HOME").filter(|home| !home.is_empty());
    match disk.variable(FILE_VARIABLE).filter(|path| !path.is_empty()) {
        Some(path) => match path.strip_prefix("~/") {
            Some(below) => Some(format!("{}/{below}", home()?)),
            None => Some(path),
        },
        None => Some(format!("{}/{FILE}", home()?)),
    }
}

fn shown_path(disk: &Disk) -> String {
    path(disk).unwrap_or_else(|| FILE.to_owned())
}

/// Where the management API is.
struct ManagementPlace {
    tls: bool,
    host: String,
    port: u16,
    /// Without the `/api` at its end.
    prefix: String,
}

/// Makes an address of a section.
fn address_of(section: &NodeSection) -> Result<Address, String> {
    let place = place_of(section)?;
    let default = Address::default();
    // Behind a proxy on port 443 or 80 the distance says nothing.
    let amqp = place.port.checked_sub(10_000).filter(|port| *port > 0);
    let port = amqp.unwrap_or(if place.tls { 5671 } else { default.port });
    let text = |keys: &[&str]| section.get(keys).filter(|value| !value.is_empty()).map(str::to_owned);
    let address = Address {
        tls: place.tls,
        user: text(&["username"]).unwrap_or(default.user),
        password: text(&["password"]).map_or(default.password, Secret::new),
        host: place.host.clone(),
        port,
        vhost: text(&["virtual_host", "vhost"]),
        tls_options: TlsOptions {
            ca_file: text(&["ca_certificate_bundle_path", "ssl_ca_cert_file"]),
            cert_file: text(&["client_certificate_file_path", "ssl_cert_file"]),
            key_file: text(&["client_private_key_file_path", "ssl_key_file"]),
            unchecked: text(&["ssl_insecure"]).map_or(Ok(false), |value| truth("ssl_insecure", &value))?,
            server_name: None,
        },
        ..Address::default()
    };
    if amqp.is_some() && place.prefix.is_empty() {
        return Ok(address);
    }
    let scheme = if place.tls { "https" } else { "http" };
    let url = format!("{scheme}://{}:{}{}", address.shown_host(), place.port, place.prefix);
    address.with_management(&url).map_err(|bad| bad.message)
}

fn place_of(section: &NodeSection) -> Result<ManagementPlace, String> {
    let prefix = section.get(&["path_prefix"]).unwrap_or_default();
    let without_api = |path: &str| {
        let path = path.trim_end_matches('/');
        let path = path.strip_suffix("/api").unwrap_or(path);
        if path.is_empty() || path.starts_with('/') { path.to_owned() } else { format!("/{path}") }
    };
    if let Some(uri) = section.get(&["base_uri"]) {
        let bad = || "`base_uri` is not a URL like https://rabbit.example:15671".to_owned();
        let url = Url::parse(uri).map_err(|_| bad())?;
        let host = url.host_str().ok_or_else(bad)?.trim_matches(['[', ']']).to_owned();
        let tls = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return Err(bad()),
        };
        let path = if prefix.is_empty() { url.path() } else { prefix };
        let port = url.port().unwrap_or(if tls { 15671 } else { 15672 });
        return Ok(ManagementPlace { tls, host, port, prefix: without_api(path) });
    }
    let flagged = section.get(&["tls", "use_tls", "ssl"]).map_or(Ok(false), |value| truth("tls", value))?;
    let tls = flagged || section.get(&["scheme"]).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
    let port = match section.get(&["port"]) {
        None => {
            if tls {
                15671
            } else {
                15672
            }
        }
        Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or("`port` is not a port")?,
    };
    let host = section.get(&["hostname"]).filter(|host| !host.is_empty()).unwrap_or("localhost");
    if host.contains(['/', '@', ' ']) {
        return Err("`hostname` is not the name of a host".to_owned());
    }
    Ok(ManagementPlace { tls, host: host.trim_matches(['[', ']']).to_owned(), port, prefix: without_api(prefix) })
}

fn truth(key: &str, value: &str) -> Result<bool, String> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" | "" => Ok(false),
        _ => Err(format!("`{key}` is neither true nor false")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Each line is a node's section and the address that it means, its management URL behind it.
    const TABLE: &str = "\
hostname = \"h\" | amqp://guest@h:5672 http://h:15672
hostname = \"h\"; port = 15400; username = \"u\"; vhost = \"a/b\" | amqp://u@h:5400/a%2Fb http://h:15400
hostname = \"h\"; tls = true; ca_certificate_bundle_path = \"/ca.pem\" | amqps://guest@h:5671?cacertfile=/ca.pem https://h:15671
scheme = \"https\"; hostname = \"::1\"; port = 443; path_prefix = \"/rabbit/api\" | amqps://guest@[::1]:5671 https://[::1]/rabbit
base_uri = \"https://h:15671\"; virtual_host = \"v\" | amqps://guest@h:5671/v https://h:15671
base_uri = \"http://h:8080/mq/api/\" | amqp://guest@h:5672 http://h:8080/mq
ssl = True; ssl_cert_file = c.pem; ssl_key_file = k.pem; ssl_insecure = True | amqps://guest@localhost:5671?certfile=c.pem&keyfile=k.pem&verify=verify_none https://localhost:15671
port = x | ! `port` is not a port
tls = maybe | ! `tls` is neither true nor false
base_uri = \"ftp://h\" | ! `base_uri` is not a URL like https://rabbit.example:15671";

    #[test]
    fn nodes_are_addresses() {
        for line in TABLE.lines() {
            let (keys, wanted) = line.split_once(" | ").expect("two columns");
            let read = sections(&format!("[n]\n{}", keys.replace("; ", "\n"))).expect("a section");
            let said = match address_of(&read[0]) {
                Ok(address) => format!("{} {}", address.argument(), address.management_url().expect("a URL")),
                Err(why) => format!("! {why}"),
            };
            assert_eq!(said, wanted, "{keys}");
        }
    }

    #[test]
    fn variables_go_before_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = "[staging]\nhostname = \"s\"\npassword = \"s3cret\"\n";
        crate::io::write_atomically(&folder.path().join(".rabbitmqadmin.conf"), text).expect("written");
        let home = folder.path().display().to_string();
        let disk = |set: &[(&str, &str)]| {
            let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
            let set = set.iter().copied().chain([("HOME", &*home)]).map(owned);
            Disk::at("", BTreeMap::from_iter(set))
        };
        assert!(of_variables(&disk(&[])).is_none());
        let both = disk(&[("RABBITMQADMIN_NODE_ALIAS", "staging"), ("RABBITMQADMIN_TARGET_PORT", "15430")]);
        let address = of_variables(&both).expect("set").expect("an address");
        assert_eq!((address.to_string().as_str(), address.password.expose()), ("amqp://guest@s:5430", "s3cret"));
        assert_eq!(nodes(&disk(&[])), ["staging"]);
        let missing = node("stagin", &disk(&[])).expect_err("no such node");
        assert_eq!(missing.help, Some(Help::did_you_mean("staging")));
    }
}
