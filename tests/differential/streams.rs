//! What sequences do with streams, in every fourth seed above the first ten thousand: some queues are streams, readers begin at
//! offsets of each kind, and at the end each stream is read from its first offset. Words of the conformance files. Where dead
//! letters may come in numbers, several messages can make one chunk: those sequences ask for no last chunk and no filter.

use super::generator::{Generator, TRANSACTIONS_FROM};
use super::words::QueueMade;

/// Returns whether some queues of a sequence are streams: every fourth seed from there on.
pub fn draws_streams(seed: u64) -> bool {
    seed >= TRANSACTIONS_FROM && seed % 4 == 1
}

/// Returns whether each message of a seed's streams is a chunk of its own: no dead letters come into them.
pub fn has_single_chunks(seed: u64) -> bool {
    draws_streams(seed) && seed % 8 == 1
}

impl QueueMade {
    /// Returns whether it is declared as a stream.
    pub fn is_stream(&self) -> bool {
        self.text.contains("x-queue-type=stream")
    }
}

impl Generator {
    /// Declares a stream, with arguments that it takes mostly.
    pub fn new_stream(&mut self, n: usize) -> String {
        let name = format!("q{n}");
        let mut text = format!("declare queue {name} x-queue-type=stream");
        if self.chance.percent(50) {
            let limits = ["x-max-age=1h", "x-max-age=7D", "x-max-length-bytes=1000000", "x-max-length-bytes=0"];
            text.push_str(&format!(" {}", self.chance.pick(&limits)));
        }
        if self.chance.percent(10) {
            let others = [
                "x-stream-max-segment-size-bytes=1000000",
                "x-stream-filter-size-bytes=32",
                "x-initial-cluster-size=1",
                "x-unknown=1",
                "x-max-age=5x",
                "x-max-length=5",
                "x-overflow=drop-head",
                "x-stream-filter-size-bytes=7",
            ];
            text.push_str(&format!(" {}", self.chance.pick(&others)));
        }
        if self.chance.percent(2) {
            text.push_str(self.chance.pick(&[" exclusive", " auto-delete", " transient"]));
        }
        self.queues.push(QueueMade { name, text: text.clone() });
        text
    }

    /// Names a stream, if there is one.
    fn some_stream(&mut self) -> Option<String> {
        let streams: Vec<String> =
            self.queues.iter().filter(|queue| queue.is_stream()).map(|it| it.name.clone()).collect();
        self.chance.one(&streams).cloned()
    }

    /// Names a queue that is taken from: seldom a stream, which ends the connection for that.
    pub fn some_queue_to_take(&mut self) -> String {
        let queue = self.some_queue();
        let is_stream = self.queues.iter().any(|made| made.name == queue && made.is_stream());
        if !is_stream || self.chance.percent(8) {
            return queue;
        }
        let others: Vec<String> =
            self.queues.iter().filter(|queue| !queue.is_stream()).map(|it| it.name.clone()).collect();
        self.chance.one(&others).cloned().unwrap_or_else(|| "missing".to_owned())
    }

    /// Returns an operation on a stream.
    pub fn stream_operation(&mut self) -> Vec<String> {
        let Some(stream) = self.some_stream() else { return vec!["check exchange e1".to_owned()] };
        match self.chance.below(100) {
            0..=44 => vec![self.publish_to(&stream)],
            45..=84 => self.new_reader(&stream),
            85..=88 => vec![format!("check queue {stream}")],
            89..=91 => {
                let other = self.chance.pick(&["x-max-age=2h", "x-max-length-bytes=5000", "x-max-age=60m", ""]);
                vec![format!("declare queue {stream} x-queue-type=stream {other}").trim().to_owned()]
            }
            92..=94 => vec![format!("delete queue {stream} {}", self.chance.pick(&["if-empty", "if-unused"]))],
            95..=97 => {
                self.named += 1;
                let keys = [
                    "max-age=1D",
                    "max-length-bytes=900000",
                    "max-age=30D max-length-bytes=1000",
                    "message-ttl=90000000",
                ];
                let keys = self.chance.pick(&keys);
                vec![format!("policy p{} ^q {keys} priority:{}", self.named, self.named)]
            }
            _ => vec![self.chance.pick(&["get", "purge"]).to_owned() + " " + &stream],
        }
    }

    /// Publishes to a stream, with headers of which it loses some.
    fn publish_to(&mut self, stream: &str) -> String {
        self.published += 1;
        let mut text = format!("p1: publish \"\" {stream} id=m{}", self.published);
        if self.single_chunks && self.chance.percent(50) {
            let values = ["red", "blue", "red", "green"];
            text.push_str(&format!(" h.x-stream-filter-value={}", self.chance.pick(&values)));
        }
        if self.chance.percent(30) {
            let headers = [
                "h.k=1 h.j=v",
                "h.list=[1, 2]",
                "h.x-list=[1, a]",
                "h.table={a: 1}",
                "h.x-table={a: 1}",
                "h.x-stream-offset=77",
                "h.CC=[a]",
                "h.x-death=[{queue: q, reason: expired, count: 1l}]",
            ];
            text.push_str(&format!(" {}", self.chance.pick(&headers)));
        }
        if self.chance.percent(10) {
            text.push_str(self.chance.pick(&[" ttl=1400", " priority=4", " mode=1", " type=note"]));
        }
        text
    }

    /// Returns the steps that begin a reader of a stream.
    fn new_reader(&mut self, stream: &str) -> Vec<String> {
        self.named += 1;
        let (channel, consumer) = (format!("k{}", self.named), format!("r{}", self.named));
        let mut texts = Vec::new();
        if !self.chance.percent(4) {
            texts.push(format!("{channel}: qos {}", self.chance.pick(&["1", "2", "3", "100"])));
        }
        let mut text = format!("{channel}: consume {stream} {consumer}");
        if self.chance.percent(90) {
            text.push_str(&format!(" x-stream-offset={}", self.offset()));
        }
        if self.single_chunks && self.chance.percent(30) {
            let filters = [
                "x-stream-filter=red",
                "x-stream-filter=[red, green]",
                "x-stream-filter=blue x-stream-match-unfiltered=true",
                "x-stream-filter=none",
            ];
            text.push_str(&format!(" {}", self.chance.pick(&filters)));
        }
        if self.chance.percent(5) {
            text.push_str(self.chance.pick(&[" exclusive", " x-priority=1", " no-ack"]));
        }
        let habit = self.chance.pick(&["0", "0", "0", "5"]).parse().unwrap_or(0);
        self.consumers.push((channel, consumer, habit));
        texts.push(text);
        texts
    }

    fn offset(&mut self) -> String {
        match self.chance.below(20) {
            0..=7 => "first".to_owned(),
            8..=9 => "next".to_owned(),
            10..=15 => self.chance.below(8).to_string(),
            16 => self.chance.pick(&["1h", "1D", "2Y"]).to_owned(),
            17 => self.chance.pick(&["FIRST", "5x", "-3", "\"\"", "true"]).to_owned(),
            _ if self.single_chunks => "last".to_owned(),
            _ => "first".to_owned(),
        }
    }

    /// Returns the steps that read a whole stream.
    pub fn read_stream(&mut self, stream: &str) -> [String; 2] {
        self.named += 1;
        let reader = format!("d{}", self.named);
        [format!("{reader}: qos 1000"), format!("{reader}: consume {stream} {reader} x-stream-offset=first")]
    }
}
