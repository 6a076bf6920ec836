//! A client that speaks frames and writes down what is said: to the served broker without sockets, or to a live one.

use rmqplay::model::{
    Credential, Message, Origins, Permission, Properties, Secret, Table, Topology, User, Value, Vhost,
};
use rmqplay::rules::Edition;
use rmqplay::serve::{ApiRequest, ServedBroker, SocketFate, SocketId, answer_management};
use rmqplay::wire::{
    AmqpMethod, ContentHeader, FrameKind, PROTOCOL_HEADER, decode_method, decode_properties, encode_content,
    encode_method, split_frame,
};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// How long a live broker that has answered has nothing more to say.
const QUIET: Duration = Duration::from_millis(120);

/// How long a live broker has to begin its answer, if there is one.
const ANSWER: Duration = Duration::from_millis(700);

/// The way to a broker.
pub trait Link {
    /// Begins a new connection.
    fn connect(&mut self);
    /// Sends bytes and returns what comes of them, and whether the connection is closed then.
    fn exchange(&mut self, bytes: &[u8]) -> (Vec<u8>, bool);
    /// The vhost to use.
    fn vhost(&self) -> String;
    /// A vhost in which guest may configure, write and read `mine` and nothing else, and one in which it has no rights.
    fn narrow_and_closed(&self) -> [String; 2];
    /// Sees to it that there are those two.
    fn make_narrow_and_closed(&mut self) {}
    /// Has the management API close the connection.
    fn end_by_management(&mut self, reason: Option<&str>);
}

/// The served broker, without a socket between.
pub struct Served {
    pub host: ServedBroker,
    socket: SocketId,
    pub now_ms: u64,
}

impl Served {
    pub fn new(edition: Edition) -> Self {
        let mut host = ServedBroker::new(edition, &rights(), &Origins::new(), 1_700_000_000);
        let socket = host.server.accept("client", 0);
        Self { host, socket, now_ms: 0 }
    }
}

impl Served {
    /// Speaks to a broker that is made already.
    pub fn of(mut host: ServedBroker) -> Self {
        host.turn(0);
        let socket = host.server.accept("client", 0);
        Self { host, socket, now_ms: 0 }
    }

    /// Begins another connection, beside the one that there is.
    pub fn another(&mut self) {
        self.socket = self.host.server.accept("another client", self.now_ms);
    }

    /// Names the socket of the present connection.
    pub fn socket(&self) -> SocketId {
        self.socket
    }
}

impl Link for Served {
    fn connect(&mut self) {
        self.host.server.lose(self.socket);
        self.host.turn(self.now_ms);
        self.socket = self.host.server.accept("client", self.now_ms);
    }

    fn exchange(&mut self, bytes: &[u8]) -> (Vec<u8>, bool) {
        self.host.server.receive(self.socket, bytes, self.now_ms);
        let mut said = Vec::new();
        loop {
            let more = self.host.turn(self.now_ms);
            let output = self.host.server.output(self.socket).to_vec();
            self.host.server.sent(self.socket, output.len(), self.now_ms);
            if output.is_empty() && !more && !self.host.server.has_work() {
                break;
            }
            said.extend_from_slice(&output);
        }
        (said, self.host.server.fate(self.socket) == SocketFate::CloseWhenSent)
    }

    fn vhost(&self) -> String {
        "/".to_owned()
    }

    fn narrow_and_closed(&self) -> [String; 2] {
        ["narrow".to_owned(), "closed".to_owned()]
    }

    fn end_by_management(&mut self, reason: Option<&str>) {
        let mut ask = |method: &str, path: String| {
            let (method, authorization) = (method.to_owned(), Some("Basic Z3Vlc3Q6Z3Vlc3Q=".to_owned()));
            let reason = reason.map(str::to_owned);
            let request = ApiRequest { method, path, authorization, reason, ..ApiRequest::default() };
            answer_management(&mut self.host, self.now_ms, &request)
        };
        let open = ask("GET", "/api/connections".to_owned()).body.expect("a list");
        let name = open[0]["name"].as_str().expect("a name");
        assert_eq!(ask("DELETE", format!("/api/connections/{}", name.replace(' ', "%20"))).status, 204);
    }
}

/// What guest may do in three vhosts.
fn rights() -> Topology {
    let permission = |vhost: &str, pattern: &str| Permission {
        user: "guest".into(),
        vhost: vhost.into(),
        configure: pattern.into(),
        write: pattern.into(),
        read: pattern.into(),
    };
    let guest = User {
        name: "guest".into(),
        credential: Some(Credential::Password(Secret::new("guest"))),
        tags: vec!["administrator".to_owned()],
        limits: BTreeMap::new(),
    };
    let vhost = |name: &str| Vhost { name: name.into(), ..Vhost::default() };
    Topology {
        vhosts: ["/", "narrow", "closed"].into_iter().map(vhost).collect(),
        users: vec![guest],
        permissions: vec![permission("/", ".*"), permission("narrow", "^mine$")],
        ..Topology::default()
    }
}

/// A live broker.
pub struct Live {
    management: String,
    vhost: String,
    /// There are the two other vhosts too.
    has_three: bool,
    remote: Remote,
}

impl Live {
    /// Makes a vhost of its own; `place` is `HOST:PORT`, the management API lies 10000 further.
    pub fn new(place: &str) -> Self {
        let (host, port) = place.rsplit_once(':').expect("a port");
        let management = format!("{host}:{}", port.parse::<u16>().expect("a port") + 10_000);
        let vhost =
            format!("rmqplay-serve-{}-{:?}", std::process::id(), std::thread::current().id()).replace(['(', ')'], "");
        let live = Self { management, vhost, has_three: false, remote: Remote::new(place) };
        live.manage("PUT", &format!("/api/vhosts/{}", live.vhost), "");
        live.permit(&live.vhost, ".*");
        live
    }

    fn permit(&self, vhost: &str, pattern: &str) {
        let patterns = format!(r#"{{"configure":"{pattern}","write":"{pattern}","read":"{pattern}"}}"#);
        self.manage("PUT", &format!("/api/permissions/{vhost}/guest"), &patterns);
    }

    fn manage(&self, method: &str, path: &str, body: &str) {
        let answer = self.managed(method, path, "", body);
        assert!(answer.starts_with("HTTP/1.1 20"), "{method} {path}: {answer}");
    }

    /// Sends a request, with more lines of its head, and returns the whole answer.
    fn managed(&self, method: &str, path: &str, lines: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.management).expect("a management API");
        let length = body.len();
        let head = "Host: localhost\r\nAuthorization: Basic Z3Vlc3Q6Z3Vlc3Q=\r\nContent-Type: application/json";
        let request = format!(
            "{method} {path} HTTP/1.1\r\n{head}\r\n{lines}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.manage("DELETE", &format!("/api/vhosts/{}", self.vhost), "");
        if self.has_three {
            for vhost in self.narrow_and_closed() {
                self.manage("DELETE", &format!("/api/vhosts/{vhost}"), "");
            }
        }
    }
}

/// A broker behind a socket.
pub struct Remote {
    place: String,
    stream: TcpStream,
}

impl Remote {
    /// Connects to `HOST:PORT`.
    pub fn new(place: &str) -> Self {
        Self { place: place.to_owned(), stream: TcpStream::connect(place).expect("a broker") }
    }
}

impl Link for Remote {
    fn connect(&mut self) {
        self.stream = TcpStream::connect(&self.place).expect("a broker");
    }

    fn exchange(&mut self, bytes: &[u8]) -> (Vec<u8>, bool) {
        // WrittenAnswer to a connection that is closed already, it is lost.
        let _ = self.stream.write_all(bytes);
        self.stream.set_read_timeout(Some(ANSWER)).expect("a timeout");
        let (mut said, mut part) = (Vec::new(), [0; 65_536]);
        let end = Instant::now() + Duration::from_secs(20);
        while Instant::now() < end {
            match self.stream.read(&mut part) {
                Ok(0) => return (said, true),
                Ok(count) => {
                    said.extend_from_slice(&part[..count]);
                    self.stream.set_read_timeout(Some(QUIET)).expect("a timeout");
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => break,
                Err(_) => return (said, true),
            }
        }
        (said, false)
    }

    fn vhost(&self) -> String {
        "/".to_owned()
    }

    fn narrow_and_closed(&self) -> [String; 2] {
        ["narrow".to_owned(), "closed".to_owned()]
    }

    fn end_by_management(&mut self, _: Option<&str>) {
        unreachable!("only AMQP is spoken there");
    }
}

impl Link for Live {
    fn connect(&mut self) {
        self.remote.connect();
    }

    fn exchange(&mut self, bytes: &[u8]) -> (Vec<u8>, bool) {
        self.remote.exchange(bytes)
    }

    fn vhost(&self) -> String {
        self.vhost.clone()
    }

    fn narrow_and_closed(&self) -> [String; 2] {
        [format!("{}-narrow", self.vhost), format!("{}-closed", self.vhost)]
    }

    fn make_narrow_and_closed(&mut self) {
        let [narrow, closed] = self.narrow_and_closed();
        for vhost in [&narrow, &closed] {
            self.manage("PUT", &format!("/api/vhosts/{vhost}"), "");
        }
        self.permit(&narrow, "^mine$");
        // Whoever makes a vhost may be given rights in it.
        self.permit(&closed, ".*");
        self.manage("DELETE", &format!("/api/permissions/{closed}/guest"), "");
        self.has_three = true;
    }

    fn end_by_management(&mut self, reason: Option<&str>) {
        let socket = &self.remote.stream;
        let [own, other] = [socket.local_addr(), socket.peer_addr()].map(|place| place.expect("an address"));
        let path = format!("/api/connections/{own}%20-%3E%20{other}");
        let lines = reason.map_or_else(String::new, |reason| format!("X-Reason: {reason}\r\n"));
        // The management API hears late of a connection.
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let answer = self.managed("DELETE", &path, &lines, "");
            match answer.starts_with("HTTP/1.1 204") {
                true => return,
                false if Instant::now() < end => std::thread::sleep(ANSWER),
                false => panic!("{path}: {answer}"),
            }
        }
    }
}

/// A conversation, and its transcript.
pub struct Talk<'a> {
    pub link: &'a mut dyn Link,
    pub transcript: String,
    input: Vec<u8>,
    closed: bool,
}

impl<'a> Talk<'a> {
    pub fn new(link: &'a mut dyn Link) -> Self {
        Self { link, transcript: String::new(), input: Vec::new(), closed: false }
    }

    /// Writes a heading.
    pub fn title(&mut self, text: &str) {
        let _ = writeln!(self.transcript, "\n# {text}");
    }

    /// Begins a connection that is not logged in.
    pub fn connect(&mut self) {
        self.input.clear();
        self.closed = false;
        self.link.connect();
    }

    /// Opens a connection and channel 1, and writes nothing down of that.
    pub fn open(&mut self) {
        let vhost = self.link.vhost();
        self.open_in(&vhost);
    }

    /// Opens a connection to a vhost and channel 1, and writes nothing down of that.
    pub fn open_in(&mut self, vhost: &str) {
        self.connect();
        let kept = std::mem::take(&mut self.transcript);
        self.bytes("header", &PROTOCOL_HEADER);
        self.start_ok("PLAIN", b"\0guest\0guest", true);
        self.method(0, &AmqpMethod::ConnectionTuneOk { channel_max: 2_047, frame_max: 131_072, heartbeat: 0 });
        self.method(
            0,
            &AmqpMethod::ConnectionOpen { virtual_host: vhost.into(), capabilities: "".into(), insist: false },
        );
        self.method(1, &AmqpMethod::ChannelOpen { out_of_band: "".into() });
        assert!(self.transcript.contains("ChannelOpenOk"), "{}", self.transcript);
        self.transcript = kept;
    }

    /// Answers connection.start; `can` announces what clients usually can.
    pub fn start_ok(&mut self, mechanism: &str, response: &[u8], can: bool) {
        let capabilities = ["authentication_failure_close", "consumer_cancel_notify", "connection.blocked"];
        let capabilities: Table = capabilities.into_iter().map(|name| (name, Value::Bool(can))).collect();
        self.method(
            0,
            &AmqpMethod::ConnectionStartOk {
                client_properties: [("capabilities", Value::Table(capabilities))].into_iter().collect(),
                mechanism: mechanism.into(),
                response: response.to_vec(),
                locale: "en_US".into(),
            },
        );
    }

    /// Has the management API close the connection, and hears what comes of it.
    pub fn end_by_management(&mut self, reason: Option<&str>) {
        self.link.end_by_management(reason);
        self.bytes("nothing", &[]);
    }

    /// Sends a method and hears what comes of it.
    pub fn method(&mut self, channel: u16, method: &AmqpMethod) {
        let mut bytes = Vec::new();
        encode_method(&mut bytes, channel, method);
        self.bytes(&format!("{channel} {}", method.name()), &bytes);
    }

    /// Publishes and hears what comes of it.
    pub fn publish(&mut self, channel: u16, method: &AmqpMethod, properties: Properties, body: &[u8]) {
        let mut bytes = Vec::new();
        encode_content(&mut bytes, channel, method, &Message { properties, body: body.into() }, 131_072);
        self.bytes(&format!("{channel} {} {:?}", method.name(), String::from_utf8_lossy(body)), &bytes);
    }

    /// Sends bytes of no meaning, or of a meaning that is wrong.
    pub fn bytes(&mut self, what: &str, bytes: &[u8]) {
        let _ = writeln!(self.transcript, "> {what}");
        if self.closed {
            return;
        }
        let (said, closed) = self.link.exchange(bytes);
        self.input.extend_from_slice(&said);
        self.write_down();
        if closed {
            self.closed = true;
            self.transcript.push_str("< closed\n");
        }
    }

    /// Writes down what was said.
    fn write_down(&mut self) {
        if self.input.starts_with(b"AMQP") {
            self.transcript.push_str("< protocol header\n");
            self.input.drain(..8);
        }
        let vhost = format!("vhost '{}'", self.link.vhost());
        let [narrow, closed] = self.link.narrow_and_closed();
        let mut lines: Vec<(u16, String)> = Vec::new();
        while let Some((frame, length)) = split_frame(&self.input, 0).expect("what a broker says can be read") {
            let said = match frame.kind().expect("a kind") {
                FrameKind::Method => match decode_method(frame.payload).expect("a method") {
                    AmqpMethod::ConnectionStart { .. } => "connection.start".to_owned(),
                    method => format!("{method:?}"),
                },
                FrameKind::Header => {
                    let header = ContentHeader::read(frame.payload).expect("a header");
                    let mut properties = decode_properties(header.properties).expect("properties");
                    // RabbitMQ 4 sorts them (RT-13).
                    properties.headers.iter_mut().for_each(Table::sort_keys);
                    format!("content of {} bytes {}", header.body_size, shown(&properties))
                }
                FrameKind::Body => format!("{:?}", String::from_utf8_lossy(frame.payload)),
                FrameKind::Heartbeat => "heartbeat".to_owned(),
            };
            let said = said.replace(&format!("'{narrow}'"), "'narrow'").replace(&format!("'{closed}'"), "'closed'");
            let said = said.replace(&vhost, "vhost 'V'").replace(&format!("vhost {} ", self.link.vhost()), "vhost V ");
            lines.push((frame.channel, said));
            self.input.drain(..length);
        }
        // Between channels there is no order.
        lines.sort_by_key(|(channel, _)| *channel);
        for (channel, said) in lines {
            let _ = writeln!(self.transcript, "< {channel} {said}");
        }
    }
}

/// Shows the properties that are there.
fn shown(properties: &Properties) -> String {
    let text = format!("{properties:?}");
    let inner = text.trim_start_matches("Properties { ").trim_end_matches(" }");
    let there: Vec<&str> = inner.split(", ").filter(|part| !part.ends_with(": None")).collect();
    format!("[{}]", there.join(", "))
}
