//! What sequences do in transactions, in every fourth seed above the first ten thousand: publishes, gets, consumers and
//! settlements of two channels, commits and rollbacks. Words of the conformance files.

use super::generator::Generator;

impl Generator {
    /// Returns an operation of a channel that has transactions; a channel that has none yet selects them first.
    pub fn transaction(&mut self) -> Vec<String> {
        let channel = self.chance.pick(&["t1", "t1", "t2"]);
        let one = |text: String| vec![format!("{channel}: {text}")];
        if !self.rehearsal.player.held.transactions.contains_key(channel) {
            return match self.chance.below(12) {
                0 => one("tx commit".to_owned()),
                1 => one("tx rollback".to_owned()),
                _ => one("tx select".to_owned()),
            };
        }
        match self.chance.below(100) {
            0..=34 => one(self.publish_bare()),
            35..=49 => {
                let queue = self.some_queue();
                let flag = if self.chance.percent(15) { " no-ack" } else { "" };
                one(format!("get {queue}{flag}"))
            }
            50..=54 => {
                self.named += 1;
                let (queue, prefetch) = (self.some_queue(), 1 + self.chance.below(3));
                let consumer = format!("c{}", self.named);
                [one(format!("qos {prefetch}")), one(format!("consume {queue} {consumer}"))].concat()
            }
            55..=80 => one("tx commit".to_owned()),
            81..=92 => one("tx rollback".to_owned()),
            93 => one("tx select".to_owned()),
            94 => one("confirm select".to_owned()),
            95 => one("recover".to_owned()),
            96..=97 => vec!["k1: tx select".to_owned()],
            _ => vec![format!("close {channel}")],
        }
    }

    /// A publish of any kind, without its channel.
    fn publish_bare(&mut self) -> String {
        let text = self.publish();
        text.split_once(": ").map_or(text.clone(), |(_, bare)| bare.to_owned())
    }
}
