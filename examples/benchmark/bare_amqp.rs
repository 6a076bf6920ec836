//! The same declares over bare AMQP: all frames written at once over some channels, then the answers counted.
//! Knows no more of the protocol than that; anything but an answer that says yes ends the program.

use std::io::{Read, Write};
use std::net::TcpStream;

const OPEN_OK: [u8; 4] = [0, 20, 0, 11];
const EXCHANGE_OK: [u8; 4] = [0, 40, 0, 11];
const QUEUE_OK: [u8; 4] = [0, 50, 0, 11];
const BIND_OK: [u8; 4] = [0, 50, 0, 21];

/// Where to log in.
pub struct Login {
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: String,
    pub vhost: String,
}

/// Declares a topic exchange, so many queues, and a binding to each of them.
pub fn declare(login: &Login, channels: u16, size: usize) {
    let mut link = Link::open(login);
    link.ask((1..=channels).map(|channel| frame(channel, &[&[0, 20, 0, 10, 0]])), OPEN_OK);
    let exchange = frame(1, &[&[0, 40, 0, 10, 0, 0], &short("orders"), &short("topic"), &[2, 0, 0, 0, 0]]);
    link.ask([exchange].into_iter(), EXCHANGE_OK);
    let channel = |n: usize| 1 + (n % usize::from(channels)) as u16;
    let queue = |n: usize| frame(channel(n), &[&[0, 50, 0, 10, 0, 0], &short(&format!("q{n}")), &[2, 0, 0, 0, 0]]);
    link.ask((0..size).map(queue), QUEUE_OK);
    let bind = |n: usize| {
        let (queue, key) = (short(&format!("q{n}")), short(&format!("k{n}.#")));
        frame(channel(n), &[&[0, 50, 0, 20, 0, 0], &queue, &short("orders"), &key, &[0, 0, 0, 0, 0]])
    };
    link.ask((0..size).map(bind), BIND_OK);
    link.ask([frame(0, &[&[0, 10, 0, 50, 0, 200], &short("bye"), &[0, 0, 0, 0]])].into_iter(), [0, 10, 0, 51]);
}

struct Link {
    socket: TcpStream,
    read: Vec<u8>,
}

impl Link {
    fn open(login: &Login) -> Self {
        let socket = TcpStream::connect((login.host.as_str(), login.port)).expect("a connection");
        socket.set_nodelay(true).expect("no delay");
        let mut link = Self { socket, read: Vec::new() };
        link.ask([b"AMQP\0\0\x09\x01".to_vec()].into_iter(), [0, 10, 0, 10]);
        let response = format!("\0{}\0{}", login.user, login.password);
        let length = (response.len() as u32).to_be_bytes();
        let start_ok =
            frame(0, &[&[0, 10, 0, 11, 0, 0, 0, 0], &short("PLAIN"), &length, response.as_bytes(), &short("en_US")]);
        link.ask([start_ok].into_iter(), [0, 10, 0, 30]);
        let tune_ok = frame(0, &[&[0, 10, 0, 31, 7, 255, 0, 2, 0, 0, 0, 0]]);
        let open = frame(0, &[&[0, 10, 0, 40], &short(&login.vhost), &[0, 0]]);
        link.ask([[tune_ok, open].concat()].into_iter(), [0, 10, 0, 41]);
        link
    }

    /// Writes all, and reads one answer for each.
    fn ask(&mut self, frames: impl Iterator<Item = Vec<u8>>, answer: [u8; 4]) {
        let (mut bytes, mut count) = (Vec::new(), 0);
        for frame in frames {
            bytes.extend(frame);
            count += 1;
        }
        let mut writing = self.socket.try_clone().expect("a handle");
        let writer = std::thread::spawn(move || writing.write_all(&bytes).expect("written"));
        let mut piece = vec![0; 1 << 16];
        while count > 0 {
            let read = self.socket.read(&mut piece).expect("an answer");
            assert!(read > 0, "the broker closed the connection");
            self.read.extend_from_slice(&piece[..read]);
            let mut at = 0;
            while let Some(rest) = self.read.get(at..).filter(|rest| rest.len() >= 11) {
                let length = 8 + u32::from_be_bytes([rest[3], rest[4], rest[5], rest[6]]) as usize;
                if rest.len() < length {
                    break;
                }
                // A heartbeat is no answer.
                if rest[0] == 1 {
                    assert_eq!(rest[7..11], answer, "{}", String::from_utf8_lossy(&rest[..length]));
                    count -= 1;
                }
                at += length;
            }
            self.read.drain(..at);
        }
        writer.join().expect("written");
    }
}

fn short(text: &str) -> Vec<u8> {
    let mut bytes = vec![text.len() as u8];
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

fn frame(channel: u16, parts: &[&[u8]]) -> Vec<u8> {
    let payload = parts.concat();
    let mut bytes = vec![1];
    bytes.extend(channel.to_be_bytes());
    bytes.extend((payload.len() as u32).to_be_bytes());
    bytes.extend(payload);
    bytes.push(0xce);
    bytes
}
