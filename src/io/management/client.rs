//! Sends one request and reads its answer: status, JSON, or why not.
//! Takes paths that are already encoded; never repeats what was refused, nor what may not be done twice.

use crate::io::address::{Address, TlsOptions};
use crate::io::failure::{BrokerFailure, BrokerFailureKind};
use crate::io::management::reasons::{RefusalReason, reason_of_refusal};
use crate::io::tls::config::{client_config, trusting_nobody};
use crate::io::tls::fault::{explain, tls_error_in};
use crate::model::Secret;
use reqwest::Method;
use serde_json::Value as Json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long an unused connection is kept. RabbitMQ closes them after 5 s, and a request that meets such a
/// connection fails.
const IDLE: Duration = Duration::from_secs(3);
const CONNECT: Duration = Duration::from_secs(5);
/// The limit of one request: deleting a vhost with many queues takes tens of seconds.
const REQUEST: Duration = Duration::from_secs(60);

/// Characters of a body that is no error of RabbitMQ's form.
const BODY_SHOWN_MAX: usize = 200;

/// Talks to one broker's management API as the runner.
///
/// # Errors
/// Every request fails in the same ways: the API is not there or is none, the login or a tag is refused, RabbitMQ refuses
/// what was asked (its status and reason), or no answer comes within 60 s. The [`BrokerFailure`] names the address and says
/// what to try. Only a request that met a closed connection, and that may be repeated, is sent once more.
#[derive(Clone)]
pub struct ManagementClient {
    http: reqwest::Client,
    /// Makes a connection for each request: what met a closed one must not meet another.
    fresh: reqwest::Client,
    base: String,
    user: String,
    password: Secret,
    tls_options: TlsOptions,
    /// An answer came: the server speaks what it was spoken to in.
    has_answered: Arc<AtomicBool>,
}

/// Makes rustls use ring in the whole process; both clients need it before their first connection.
pub fn install_crypto() {
    // An error says that a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

impl ManagementClient {
    /// Makes a client for the broker of that address; nothing is sent yet.
    pub fn new(address: &Address) -> Result<Self, BrokerFailure> {
        install_crypto();
        let base = address.management_url().map_err(|bad| {
            BrokerFailure::new(BrokerFailureKind::NoManagement { why: bad.message.clone() }, address)
                .hint(bad.help.clone())
        })?;
        let broken = |why: String| BrokerFailure::new(BrokerFailureKind::NoManagement { why }, &base);
        let config = if base.starts_with("https:") {
            // Another server than the broker's has a name of its own.
            let named = address.tls_options.server_name.as_deref().filter(|_| address.management.is_none());
            client_config(&address.tls_options, named).map_err(|fault| fault.at(&base))?
        } else {
            // Without it the system's certificates are read and parsed, tens of milliseconds for nothing.
            trusting_nobody().map_err(|fault| fault.at(&base))?
        };
        let build = |kept: usize| {
            let builder = reqwest::Client::builder()
                .no_proxy()
                .tcp_nodelay(true)
                .pool_idle_timeout(IDLE)
                .pool_max_idle_per_host(kept)
                .connect_timeout(CONNECT)
                .timeout(REQUEST)
                .redirect(reqwest::redirect::Policy::none());
            let built = builder.tls_backend_preconfigured(config.clone()).build();
            built.map_err(|error| broken(innermost(&error)))
        };
        let (http, fresh) = (build(usize::MAX)?, build(0)?);
        let (user, password) = (address.user.clone(), address.password.clone());
        let (tls_options, has_answered) = (address.tls_options.clone(), Arc::default());
        Ok(Self { http, fresh, base, user, password, tls_options, has_answered })
    }

    /// Returns the URL as people see it.
    pub fn shown(&self) -> &str {
        &self.base
    }

    /// Returns the runner's name.
    pub fn user(&self) -> &str {
        &self.user
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Json, BrokerFailure> {
        let (_, text) = self.send(Method::GET, path, None, None, "read").await?;
        serde_json::from_str(&text).map_err(|error| self.not_rabbitmq(&format!("it sent no JSON ({error})")))
    }

    pub(crate) async fn get_text(&self, path: &str) -> Result<String, BrokerFailure> {
        Ok(self.send(Method::GET, path, None, None, "read").await?.1)
    }

    /// Reads a path of another server of the same host.
    pub(super) async fn get_elsewhere(&self, scheme: &str, port: u16, path: &str) -> Result<String, BrokerFailure> {
        let host = reqwest::Url::parse(&self.base).ok();
        let host = host.as_ref().and_then(reqwest::Url::host_str).unwrap_or_default();
        let other = Self { base: format!("{scheme}://{host}:{port}"), ..self.clone() };
        let url = format!("{}{path}", other.base);
        let sent = other.http.get(&url).basic_auth(&other.user, Some(other.password.expose())).send().await;
        let answer = sent.map_err(|error| other.unsent(&error, "read", path))?;
        let status = answer.status().as_u16();
        let text = answer.text().await.map_err(|error| other.unsent(&error, "read", path))?;
        match status {
            200 => Ok(text),
            _ => Err(other.refused(status, &text, "read", path, format!("GET {path}"))),
        }
    }

    /// Returns true when something was made that was not there before.
    pub(crate) async fn put(&self, path: &str, body: Json) -> Result<bool, BrokerFailure> {
        Ok(self.send(Method::PUT, path, Some(body), None, "write").await?.0 == 201)
    }

    pub(crate) async fn post(&self, path: &str) -> Result<(), BrokerFailure> {
        self.send(Method::POST, path, None, None, "post").await.map(|_| ())
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<(), BrokerFailure> {
        self.send(Method::DELETE, path, None, None, "delete").await.map(|_| ())
    }

    pub(crate) async fn delete_with_reason(&self, path: &str, reason: &str) -> Result<(), BrokerFailure> {
        self.send(Method::DELETE, path, None, Some(reason), "delete").await.map(|_| ())
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Json>,
        reason: Option<&str>,
        verb: &str,
    ) -> Result<(u16, String), BrokerFailure> {
        let url = format!("{}/api{path}", self.base);
        let request = |client: &reqwest::Client| {
            let request = client.request(method.clone(), &url).basic_auth(&self.user, Some(self.password.expose()));
            let request = body.iter().fold(request, |request, body| request.json(body));
            reason.iter().fold(request, |request, reason| request.header("X-Reason", *reason))
        };
        let mut sent = request(&self.http).send().await;
        if sent.as_ref().is_err_and(|error| is_closed_connection(error) && method.is_idempotent()) {
            sent = request(&self.fresh).send().await;
        }
        let method = request_line(&method, path);
        let answer = sent.map_err(|error| self.unsent(&error, verb, path))?;
        self.has_answered.store(true, Ordering::Relaxed);
        let status = answer.status().as_u16();
        let text = answer.text().await.map_err(|error| self.unsent(&error, verb, path))?;
        if (200..300).contains(&status) {
            Ok((status, text))
        } else {
            Err(self.refused(status, &text, verb, path, method))
        }
    }

    /// Returns why no answer came.
    fn unsent(&self, error: &reqwest::Error, verb: &str, path: &str) -> BrokerFailure {
        let doing = format!("asked to {verb} {path}");
        if let Some(error) = tls_error_in(error) {
            let host = reqwest::Url::parse(&self.base).ok();
            let host = host.as_ref().and_then(reqwest::Url::host_str).unwrap_or_default();
            return explain(error, host, &self.tls_options).at(&self.base);
        }
        let kind = if error.is_connect() {
            BrokerFailureKind::NoManagement { why: innermost(error) }
        } else if error.is_timeout() {
            BrokerFailureKind::NoAnswer { doing, after: REQUEST }
        } else {
            BrokerFailureKind::Broken { doing, why: innermost(error) }
        };
        let is_plain = self.base.starts_with("http:") && !self.has_answered.load(Ordering::Relaxed);
        let may_be_tls = matches!(kind, BrokerFailureKind::Broken { .. }) && is_plain;
        let failure = BrokerFailure::new(kind, &self.base);
        if !may_be_tls {
            return failure;
        }
        let secured = self.base.replacen("http:", "https:", 1);
        failure.hint(format!("if the port speaks TLS, give --management {secured}; else the broker's log says why"))
    }

    /// Makes the failure of a server that is none of RabbitMQ's.
    pub(crate) fn not_rabbitmq(&self, why: &str) -> BrokerFailure {
        let why = format!("something answers there but it is not RabbitMQ's management API: {why}");
        BrokerFailure::new(BrokerFailureKind::NoManagement { why }, &self.base)
    }

    /// Reads a refusal (MG-1, MG-14).
    fn refused(&self, status: u16, text: &str, verb: &str, path: &str, request: String) -> BrokerFailure {
        let reason = serde_json::from_str::<Json>(text).ok().and_then(|json| reason_of(&json));
        if status >= 500 {
            let body = reason.unwrap_or_else(|| beginning_of(text));
            return BrokerFailure::new(BrokerFailureKind::ServerError { status, request, body }, &self.base);
        }
        let Some(reason) = reason else {
            if status == 404 || status < 400 || status == 405 {
                return self.not_rabbitmq(&format!("status {status}"));
            }
            return BrokerFailure::new(BrokerFailureKind::Refused { status, reason: beginning_of(text) }, &self.base);
        };
        let to = format!("{verb} {path}");
        let kind = match reason_of_refusal(status, &reason) {
            RefusalReason::BadLogin => BrokerFailureKind::BadLogin { user: self.user.clone() },
            RefusalReason::LacksTag(tag) => BrokerFailureKind::NoRight { needed: self.tag(tag), to },
            RefusalReason::NotPolicymaker | RefusalReason::Gone | RefusalReason::Other => {
                BrokerFailureKind::Refused { status, reason }
            }
        };
        let failure = BrokerFailure::new(kind, &self.base);
        match &failure.kind {
            BrokerFailureKind::NoRight { needed, .. } => {
                let hint = format!(
                    "`rabbitmqctl set_user_tags {} administrator` gives all that rmqplay needs ({needed}), or name \
                     another user in the URL",
                    self.user
                );
                failure.hint(hint)
            }
            _ => failure,
        }
    }

    fn tag(&self, tag: &str) -> String {
        format!("the tag `{tag}` for user '{}'", self.user)
    }
}

/// Returns whether a request met a connection that the server had closed, or was closing, while it was unused: no answer began.
fn is_closed_connection(error: &reqwest::Error) -> bool {
    error.is_request() && !error.is_connect() && !error.is_timeout() && tls_error_in(error).is_none()
}

/// Writes what was asked: `GET /api/vhosts`.
fn request_line(method: &Method, path: &str) -> String {
    format!("{method} /api{path}")
}

/// Returns the beginning of a body in one line.
fn beginning_of(body: &str) -> String {
    body.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(BODY_SHOWN_MAX).collect()
}

/// Returns the reason of an error answer; some are lists of character codes (MG-4).
fn reason_of(json: &Json) -> Option<String> {
    json.get("error")?;
    let reason = json.get("reason").unwrap_or(&Json::Null);
    Some(flat(reason).trim().to_owned())
}

fn flat(json: &Json) -> String {
    match json {
        Json::String(text) => text.clone(),
        Json::Array(parts) => {
            let letters: Option<String> = (!parts.is_empty())
                .then(|| parts.iter().map(|part| char::from_u32(u32::try_from(part.as_u64()?).ok()?)).collect())
                .flatten();
            match letters.filter(|text: &String| text.chars().all(|c| !c.is_control())) {
                Some(text) => text,
                None => parts.iter().map(flat).collect::<Vec<_>>().join(" "),
            }
        }
        Json::Null => String::new(),
        other => other.to_string(),
    }
}

/// Returns the message of the deepest source: reqwest's own hides what happened.
pub(crate) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_in_character_codes_become_text() {
        let json = serde_json::json!({"error": "bad_request",
            "reason": ["invalid_regexp", [40], [[109, 105, 115, 115, 105, 110, 103, 32, 41], 1]]});
        assert_eq!(reason_of(&json).as_deref(), Some("invalid_regexp ( missing ) 1"));
        assert_eq!(reason_of(&serde_json::json!({"x": 1})), None);
    }

    /// Listens and drops each connection at the second request on it, as a server does that closes idle ones; returns a client
    /// and the requests that were answered.
    async fn closing() -> (ManagementClient, std::sync::Arc<std::sync::Mutex<Vec<String>>>) {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let answered = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let kept = answered.clone();
        tokio::spawn(async move {
            for _ in 0..16 {
                let (mut socket, _) = listener.accept().await.expect("a connection");
                let mut request = [0; 4096];
                let read = socket.read(&mut request).await.expect("a request");
                let line = String::from_utf8_lossy(&request[..read]).lines().next().unwrap_or_default().to_owned();
                kept.lock().expect("a list").push(line);
                socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]").await.expect("written");
                // Whatever comes next on it meets the end.
                tokio::spawn(async move {
                    let _ = socket.read(&mut [0; 4096]).await;
                });
            }
        });
        let address: Address = "amqp://127.0.0.1".parse().expect("a URL");
        let address = address.with_management(&format!("http://127.0.0.1:{port}")).expect("a URL");
        (ManagementClient::new(&address).expect("a client"), answered)
    }

    #[tokio::test]
    async fn what_meets_a_closed_connection_is_sent_once_more_where_that_is_safe() {
        let (client, answered) = closing().await;
        for _ in 0..2 {
            client.get("/vhosts").await.expect("read");
        }
        client.put("/users/al", Json::Null).await.expect("written");
        client.delete("/users/al").await.expect("deleted");
        client.get("/vhosts").await.expect("read");
        let failure = client.post("/queues/%2F/a/actions").await.expect_err("a post is not repeated");
        assert!(matches!(failure.kind, BrokerFailureKind::Broken { .. }), "{failure}");
        let told = failure.to_string();
        assert!(told.contains("broke off while asked to post /queues/%2F/a/actions: "), "{told}");
        let asked: Vec<String> =
            answered.lock().expect("a list").iter().map(|line| line.replace(" HTTP/1.1", "")).collect();
        let gets = "GET /api/vhosts";
        assert_eq!(asked, [gets, gets, "PUT /api/users/al", "DELETE /api/users/al", gets]);
    }

    #[tokio::test]
    async fn an_error_of_the_server_is_told_with_what_was_asked_and_what_it_said() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        tokio::spawn(async move {
            for body in ["<h1>500</h1>\n  try later", ""] {
                let (mut socket, _) = listener.accept().await.expect("a request");
                let _ = socket.read(&mut [0; 4096]).await;
                let head = format!("HTTP/1.1 500 Oops\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
                socket.write_all((head + body).as_bytes()).await.expect("written");
            }
        });
        let address: Address = "amqp://127.0.0.1".parse().expect("a URL");
        let address = address.with_management(&format!("http://127.0.0.1:{port}")).expect("a URL");
        let client = ManagementClient::new(&address).expect("a client");
        let told = client.get("/vhosts?columns=name").await.expect_err("a 500").to_string();
        let at = format!("http://127.0.0.1:{port} answered GET /api/vhosts?columns=name with 500");
        assert_eq!(told, format!("{at}: <h1>500</h1> try later"));
        assert_eq!(
            client.get("/overview").await.expect_err("a 500").to_string(),
            at.replace("vhosts?columns=name", "overview") + " and an empty body"
        );
    }
}
