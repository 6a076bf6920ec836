//! An `apply` killed at random moments: the next one goes on, and then nothing is left to do.
//! `RMQPLAY_APPLY_KILLS` (3) makes it longer.

use crate::brokers::{self, Broker};
use crate::harness::Checked;
use crate::random::Random;
use crate::{number, program};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const VHOST: &str = "moving.killed-apply";
/// How many queues, each with a binding.
const QUEUES: usize = 300;

/// Kills applies of a whole vhost with policies, limits and a user's rights in it.
pub fn killed_apply(broker: &Broker) -> Checked {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("many.yaml");
    std::fs::write(&file, topology()).expect("a file");
    let rmqplay = |command: &str| {
        let mut program = program::rmqplay();
        program.arg(command).arg(&file).args(["--broker", &broker.url]);
        program
    };
    let kills = number("RMQPLAY_APPLY_KILLS", 3);
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_nanos() as u64;
    let mut random = Random::new(seed);
    let mut undisturbed = Duration::ZERO;
    let mut ended = 0;
    for round in 0..=kills {
        delete_vhost(broker);
        let mut case = format!("{}, round {round} of seed {seed}", broker.version);
        // The first round is left alone, and tells how long one takes.
        if round > 0 {
            // A busy machine is not as fast each time: most kills shall come before the end.
            let after = Duration::from_micros(random.below(undisturbed.as_micros() as u64 * 2 / 3));
            case.push_str(&format!(": killed after {after:?} of {undisturbed:?}"));
            let mut child = rmqplay("apply").stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("rmqplay runs");
            std::thread::sleep(after);
            child.kill().expect("killed");
            ended += u64::from(!child.wait().expect("it ends").success());
        }
        let since = Instant::now();
        let (fine, said) = program::finish(&mut rmqplay("apply"));
        if round == 0 {
            undisturbed = since.elapsed();
        }
        if !fine {
            return Err(format!("{case}: the second apply\n{said}"));
        }
        let (fine, said) = program::finish(&mut rmqplay("plan"));
        if !fine || !said.contains("nothing to do") {
            return Err(format!("{case}: a plan afterwards\n{said}"));
        }
    }
    delete_vhost(broker);
    if ended * 3 < kills {
        return Err(format!("only {ended} of {kills} kills came before the end"));
    }
    brokers::say(&format!(
        "{}: {ended} of {kills} applies of {QUEUES} queues killed before their end; each second one went on, and then nothing \
         was left to do",
        broker.version
    ));
    Ok(())
}

/// Writes a vhost with all that an apply puts into one.
fn topology() -> String {
    let mut text = format!(
        "vhost: {VHOST}\nvhosts: [{{name: {VHOST}, limits: {{max-queues: 1000}}}}]\nexchanges: [{{name: orders, type: topic}}]\n\
         policies:\n  - {{name: short, pattern: \"^q1\", apply-to: queues, definition: {{max-length: 10}}}}\n  - {{name: ttl, \
         pattern: \"^q2\", apply-to: queues, definition: {{message-ttl: 5000}}}}\nqueues:\n"
    );
    for n in 0..QUEUES {
        let binding = format!("{{source: orders, routing_key: \"k{n}.#\"}}");
        text.push_str(&format!("  - {{name: q{n}, bindings: [{binding}]}}\n"));
    }
    text
}

fn delete_vhost(broker: &Broker) {
    let (head, port) = broker.url.trim_end_matches('/').rsplit_once(':').expect("a port");
    let port: u32 = port.parse().expect("a port at the end");
    let url = format!("{}:{}/api/vhosts/{VHOST}", head.replacen("amqp", "http", 1), port + 10_000);
    let _ = Command::new("curl").args(["-s", "-X", "DELETE", "--max-time", "60", &url]).output().expect("curl runs");
}
