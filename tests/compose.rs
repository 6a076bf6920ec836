//! docker-compose.yml offers a broker of each profile, the workflow and its `default` those that the tests' own script
//! starts, at the same ports; the files are read here, not started.
#![expect(clippy::disallowed_methods, reason = "tests read files and environment")]

use rmqplay::model::Profile;
use serde_yaml::Value;
use std::path::Path;

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect(name)
}

/// Reads a line of the script such as `declare -rA AMQP_PORT=([3.10]=5310 [4.0]=5400)`.
fn table_of_script(script: &str, name: &str) -> Vec<(String, String)> {
    let start = format!("{name}=(");
    let line = script.lines().find_map(|line| line.split_once(&start)).expect(name).1;
    let entries = line.split(')').next().expect("a closing bracket").split_whitespace();
    let pair = |entry: &str| {
        let (version, value) = entry.trim_start_matches('[').split_once("]=").expect("[version]=value");
        (version.to_owned(), value.to_owned())
    };
    entries.map(pair).collect()
}

/// Returns the services of docker-compose.yml that a profile of it starts.
fn services_of(compose: &Value, profile: &str) -> Vec<String> {
    let services = compose["services"].as_mapping().expect("services").iter();
    let starts = |service: &Value| {
        service["profiles"].as_sequence().expect("profiles").iter().any(|name| name.as_str() == Some(profile))
    };
    let started = services.filter(|(_, service)| starts(service));
    started.map(|(name, _)| name.as_str().expect("a name").to_owned()).collect()
}

fn service_name(version: &str) -> String {
    format!("rabbitmq-{}", version.replace('.', "-"))
}

#[test]
fn compose_offers_each_profile_and_by_default_the_versions_and_ports_of_the_script() {
    let compose: Value = serde_yaml::from_str(&read("docker-compose.yml")).expect("valid YAML");
    let played = table_of_script(&read("tests/brokers/brokers"), "AMQP_PORT");
    let ports = table_of_script(&read("tests/on-each-version"), "AMQP_PORT");
    let versions: Vec<&str> = ports.iter().map(|(version, _)| version.as_str()).collect();
    assert_eq!(versions, Profile::ALL.map(|profile| profile.to_string()));
    assert_eq!(services_of(&compose, "all"), versions.iter().map(|it| service_name(it)).collect::<Vec<_>>());
    let defaults: Vec<String> = played.iter().map(|(version, _)| service_name(version)).collect();
    assert_eq!(services_of(&compose, "default"), defaults);
    for (version, port) in ports {
        let name = service_name(&version);
        assert_eq!(services_of(&compose, &version), [name.as_str()]);
        let service = &compose["services"][name.as_str()];
        let measured: Profile = version.parse().expect("a profile");
        let by_script = played.iter().find(|(other, _)| *other == version);
        let tag = if by_script.is_some() { version.clone() } else { measured.release() };
        assert_eq!(service["image"].as_str(), Some(format!("rabbitmq:{tag}-management").as_str()), "{name}");
        assert!(by_script.is_none_or(|(_, own)| *own == port), "{name}: another port than the script's");
        let amqp: u32 = port.parse().expect("a port");
        let wanted = [format!("127.0.0.1:{amqp}:5672"), format!("127.0.0.1:{}:15672", amqp + 10_000)];
        let offered: Vec<&str> =
            service["ports"].as_sequence().expect("ports").iter().filter_map(Value::as_str).collect();
        assert_eq!(offered, wanted, "{name}");
        let health = &service["healthcheck"];
        let test = health["test"][1].as_str().unwrap_or_default();
        assert!(test.contains("rabbitmq-diagnostics"), "{name}: no health check");
        for bound in ["interval", "timeout", "retries", "start_period"] {
            assert!(!health[bound].is_null(), "{name}: the health check has no {bound}");
        }
    }
}

#[test]
fn the_workflow_offers_what_compose_offers() {
    let compose: Value = serde_yaml::from_str(&read("docker-compose.yml")).expect("valid YAML");
    let workflow: Value = serde_yaml::from_str(&read(".github/workflows/tests.yaml")).expect("valid YAML");
    let job = &workflow["jobs"]["on-rabbitmq"];
    let (wanted, offered) = (&compose["services"], &job["services"]);
    let services = offered.as_mapping().expect("services").keys();
    let names: Vec<&str> = services.map(|name| name.as_str().expect("a name")).collect();
    assert_eq!(names, services_of(&compose, "default"));
    let brokers = job["env"]["RMQPLAY_TEST_BROKERS"].as_str().expect("the brokers of the tests");
    for name in names {
        let (wanted, offered) = (&wanted[name], &offered[name]);
        assert_eq!(offered["image"], wanted["image"], "{name}");
        // A workflow's runner has no neighbours: its ports need no address.
        let ports = |service: &Value| -> Vec<String> {
            let ports = service["ports"].as_sequence().expect("ports").iter().filter_map(Value::as_str);
            ports.map(|port| port.trim_start_matches("127.0.0.1:").to_owned()).collect()
        };
        assert_eq!(ports(offered), ports(wanted), "{name}");
        let amqp = ports(offered)[0].split(':').next().expect("a port").to_owned();
        assert!(brokers.contains(&format!("@127.0.0.1:{amqp}")), "{name} is not in RMQPLAY_TEST_BROKERS");
        let health = &wanted["healthcheck"];
        let options = offered["options"].as_str().expect("options");
        let command = health["test"][1].as_str().expect("a health check");
        assert!(options.contains(&format!("--health-cmd \"{command}\"")), "{name}: {options}");
        for bound in ["interval", "timeout", "retries", "start_period"] {
            let value = match &health[bound] {
                Value::Number(number) => number.to_string(),
                text => text.as_str().expect(bound).to_owned(),
            };
            let option = format!("--health-{} {value}", bound.replace('_', "-"));
            assert!(options.contains(&option), "{name}: no {option} in {options}");
        }
    }
}
