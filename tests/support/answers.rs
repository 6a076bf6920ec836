//! A management API that answers as a text tells it, for faults that a real broker does not show when asked to.
//! A line is `METHOD PATH STATUS BODY`; lines of one request are its answers in turn, the last of them again and again. They stand
//! below `[NAME]`, which the URL begins with: `http://127.0.0.1:PORT/NAME`; those of `[all]` hold everywhere. What has no line is an
//! empty list, or is done. `cut` in the place of a status closes the connection without an answer; a line `idle` lets each
//! connection answer once, and closes it when it is used again, as a server does that closes idle ones.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// The answers of one section.
#[derive(Debug, Default)]
struct AnswerSection {
    closes_idle: bool,
    answers: BTreeMap<String, VecDeque<(String, String)>>,
}

type AnswerSections = BTreeMap<String, AnswerSection>;

/// Starts to answer in threads that end with the program; returns the URL without a section.
pub fn serve(text: &str) -> String {
    let sections = Arc::new(Mutex::new(read(text)));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let sections = sections.clone();
            std::thread::spawn(move || answer_all(socket, &sections));
        }
    });
    format!("http://127.0.0.1:{port}")
}

fn read(text: &str) -> AnswerSections {
    let mut sections = AnswerSections::new();
    let mut name = String::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(next) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name = next.to_owned();
            continue;
        }
        let section = sections.entry(name.clone()).or_default();
        if line == "idle" {
            section.closes_idle = true;
            continue;
        }
        let parts: Vec<&str> = line.splitn(4, ' ').collect();
        let [method, path, status] = parts[..3] else { panic!("METHOD PATH STATUS BODY: {line}") };
        let body = parts.get(3).copied().unwrap_or_default().to_owned();
        let answers = section.answers.entry(format!("{method} {path}")).or_default();
        answers.push_back((status.to_owned(), body));
    }
    sections
}

/// Answers the requests of one connection until it ends.
fn answer_all(socket: TcpStream, sections: &Mutex<AnswerSections>) {
    let Ok(reading) = socket.try_clone() else { return };
    let (mut reader, mut socket) = (BufReader::new(reading), socket);
    let mut answered = 0;
    while let Some(request) = next_request(&mut reader) {
        let mut sections = sections.lock().unwrap_or_else(PoisonError::into_inner);
        let closes_idle =
            section_of(&request).and_then(|(name, _)| sections.get(name)).is_some_and(|it| it.closes_idle);
        if closes_idle && answered > 0 {
            return;
        }
        let Some((status, body)) = answer(&mut sections, &request) else { return };
        drop(sections);
        answered += 1;
        let head = format!("HTTP/1.1 {status} Answer\r\nContent-Length: {}\r\n\r\n", body.len());
        if status == "cut" || socket.write_all((head + &body).as_bytes()).is_err() {
            return;
        }
    }
}

/// Returns the method and the path of the next request.
fn next_request(reader: &mut impl BufRead) -> Option<String> {
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|read| *read > 0)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    reader.read_exact(&mut vec![0; length]).ok()?;
    Some(first.rsplit_once(' ')?.0.to_owned())
}

/// Returns the section that a request names, and the request without it.
fn section_of(request: &str) -> Option<(&str, String)> {
    let (method, path) = request.split_once(' ')?;
    let (name, path) = path.strip_prefix('/')?.split_once('/')?;
    Some((name, format!("{method} /{path}")))
}

/// Returns status and body of what a request is answered.
fn answer(sections: &mut AnswerSections, request: &str) -> Option<(String, String)> {
    let (name, request) = section_of(request)?;
    for section in [name, "all"] {
        let answers = sections.get_mut(section).and_then(|section| section.answers.get_mut(&request));
        if let Some(answers) = answers {
            return if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        }
    }
    let usual = if request.starts_with("GET ") { ("200", "[]") } else { ("204", "") };
    Some((usual.0.to_owned(), usual.1.to_owned()))
}
