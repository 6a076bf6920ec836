//! Opens connections: lapin over a socket that we keep a handle of, so that it can be cut like a crash.
//! Every attempt has a time limit; what the broker refuses is told apart from a broker that is not there.

use crate::broker::{HEARTBEAT_S, Refusal, Scope, code};
use crate::io::address::{Address, LoginMechanism};
use crate::io::failure::{BrokerFailure, BrokerFailureKind};
use crate::io::live::amqp::close_frame_tap::{CloseFrameTap, Listening, TappedClose};
use crate::io::live::amqp::login::Login;
use crate::io::live::amqp::translate::{Cause, cause_of};
use crate::io::management::install_crypto;
use crate::io::tls::certificate::common_name_in;
use crate::io::tls::fault::{TlsFault, explain, tls_error_in};
use crate::io::tls::session::{HandshakeError, secure};
use crate::model::{Millis, Secret};
use crate::rules::{RefusalMeaning, meaning_of_refusal};
use futures_util::Stream;
use lapin::tcp::{AMQPUriTcpExt, AsyncTcpStream};
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{Connection, ConnectionProperties};
use std::io::Read;
use std::net::{Shutdown, TcpStream};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;

/// Where to connect to, and as whom.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: Address,
    pub(crate) user: String,
    pub(crate) password: Secret,
    /// The first that the broker offers is taken; none: user and password.
    pub(crate) mechanisms: Vec<LoginMechanism>,
    pub(crate) vhost: String,
    /// What the connection calls itself; unique, so that the broker's list can be searched for it.
    pub(crate) label: String,
    pub(crate) frame_max: u32,
    /// In seconds; absent is the URL's, else the usual one.
    pub(crate) heartbeat: Option<u16>,
    pub(crate) limit: Duration,
}

/// An open connection.
pub(crate) struct Dialed {
    pub(crate) connection: Arc<Connection>,
    pub(crate) socket: Option<Socket>,
    pub(crate) events: Pin<Box<dyn Stream<Item = lapin::Event> + Send>>,
}

/// Our own handle of a connection's socket.
pub(crate) struct Socket {
    handle: TcpStream,
    ear: CloseFrameTap,
    /// What lapin did not read is of no use to us.
    secured: bool,
    /// `127.0.0.1:40000 -> 127.0.0.1:5672`: the broker's name of the connection, unless something stands between.
    pub(crate) name: String,
}

impl Socket {
    /// Says nothing more, as after a crash; the broker's own end can still be heard.
    pub(crate) fn stop_sending(&self) {
        // An error says that it is gone already.
        let _ = self.handle.shutdown(Shutdown::Write);
    }

    /// Hears nothing more either.
    pub(crate) fn cut(&self) {
        let _ = self.handle.shutdown(Shutdown::Both);
    }

    /// Lets nothing through to either side, while the connection stands.
    pub(crate) fn isolate(&self) {
        self.ear.shut();
    }

    /// Returns whether the broker has closed the connection; what it sent before that is thrown away.
    pub(crate) fn is_given_up(&self) -> bool {
        let mut rest = [0; 4_096];
        loop {
            match (&self.handle).read(&mut rest) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() != std::io::ErrorKind::WouldBlock,
            }
        }
    }

    /// Returns the broker's reason, if it said one before the connection broke.
    pub(crate) fn last_words(&self) -> Option<Refusal> {
        let mut rest = [0; 512];
        // What lapin did not come to read.
        while !self.secured
            && let Ok(read @ 1..) = (&self.handle).read(&mut rest)
        {
            self.ear.note(&rest[..read]);
        }
        self.ear.goodbye()
    }
}

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DialError {
    Refused(Refusal),
    Unreachable(String),
    NoTls(TlsFault),
    /// The broker offers none of the mechanisms of the login.
    NoMechanism {
        offered: Vec<String>,
    },
}

/// Opens a connection.
pub(crate) async fn dial(target: Target) -> Result<Dialed, DialError> {
    install_crypto();
    let asked = target.address.connection_timeout.map(|limit| Duration::from_millis(limit.0));
    let limit = asked.map_or(target.limit, |asked| asked.min(target.limit));
    let late = || DialError::Unreachable(format!("no answer within {}", Millis(limit.as_millis() as u64)));
    timeout(limit, open(target)).await.unwrap_or_else(|_| Err(late()))
}

async fn open(target: Target) -> Result<Dialed, DialError> {
    let (tokio, ear) = (async_rs::Tokio::current(), CloseFrameTap::default());
    let listening = Listening { tokio: tokio.clone(), ear: ear.clone() };
    let plain = async_rs::Runtime::new(tokio.clone());
    let runtime = async_rs::Runtime::new(async_rs::util::RuntimeParts::new(tokio, listening));
    let in_vain = Arc::new(Notify::new());
    let login = Login {
        wanted: if target.mechanisms.is_empty() { vec![LoginMechanism::Plain] } else { target.mechanisms.clone() },
        user: target.user.clone(),
        password: target.password.clone(),
        heard: ear.clone(),
        in_vain: in_vain.clone(),
    };
    let properties =
        ConnectionProperties::default().with_connection_name(target.label.as_str().into()).with_auth_provider(login);
    let heard = ear.clone();
    let (kept, fault) = (Arc::new(Mutex::new(None)), Arc::new(Mutex::new(None)));
    let (keep, note, address) = (kept.clone(), fault.clone(), target.address.clone());
    let dialing = Connection::connector(
        uri(&target),
        runtime,
        async move |uri, _| {
            let mut stream = uri.connect_async(&plain).await?;
            let tcp = match &stream {
                AsyncTcpStream::Plain(plain) => handle_of(plain.get_ref(), ear.clone(), address.tls).ok(),
                _ => None,
            };
            *keep.lock().unwrap_or_else(PoisonError::into_inner) = tcp;
            if address.tls {
                stream = secure(stream, &address).await.map_err(|why| {
                    *note.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
                    lapin::Error::from(std::io::Error::from(std::io::ErrorKind::InvalidData))
                })?;
            }
            Ok(AsyncTcpStream::Plain(TappedClose::new(stream, ear.clone())))
        },
        properties,
    );
    let dialed = tokio::select! {
        dialed = dialing => dialed,
        () = in_vain.notified() => return Err(DialError::NoMechanism { offered: heard.offered() }),
    };
    let connection = dialed.map_err(|error| {
        if let Some(why) = fault.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return match why {
                HandshakeError::Fault(fault) => DialError::NoTls(fault),
                HandshakeError::Broken(why) => DialError::Unreachable(why),
            };
        }
        match (error.kind(), cause_of(&error)) {
            (lapin::ErrorKind::ProtocolError(_), Cause::Channel(refusal) | Cause::Connection(refusal)) => {
                DialError::Refused(Refusal { scope: Scope::Connection, ..refusal })
            }
            (lapin::ErrorKind::IOError(inner), _) => match tls_error_in(&**inner) {
                Some(error) => DialError::NoTls(explain(error, &target.address.host, &target.address.tls_options)),
                None => DialError::Unreachable(inner.to_string()),
            },
            _ => DialError::Unreachable(error.to_string()),
        }
    })?;
    let events = Box::pin(connection.events_listener());
    let socket = kept.lock().unwrap_or_else(PoisonError::into_inner).take();
    Ok(Dialed { connection: Arc::new(connection), socket, events })
}

/// Makes lapin's own kind of address; neither TLS nor the login is its matter.
fn uri(target: &Target) -> AMQPUri {
    let address = &target.address;
    AMQPUri {
        scheme: AMQPScheme::AMQP,
        authority: AMQPAuthority {
            userinfo: AMQPUserInfo { username: target.user.clone(), password: String::new() },
            host: address.host.clone(),
            port: address.port,
        },
        vhost: target.vhost.clone(),
        query: AMQPQueryString {
            frame_max: Some(target.frame_max),
            heartbeat: Some(target.heartbeat.or(address.heartbeat).unwrap_or(HEARTBEAT_S)),
            channel_max: address.channel_max,
            ..AMQPQueryString::default()
        },
    }
}

/// Takes a second handle of the socket.
fn handle_of(tcp: &tokio::net::TcpStream, ear: CloseFrameTap, secured: bool) -> std::io::Result<Socket> {
    // Without it an ack may wait 40 ms for the broker's delayed TCP acknowledgement.
    tcp.set_nodelay(true)?;
    let name = format!("{} -> {}", tcp.local_addr()?, tcp.peer_addr()?);
    #[cfg(unix)]
    let handle = TcpStream::from(std::os::fd::AsFd::as_fd(tcp).try_clone_to_owned()?);
    #[cfg(windows)]
    let handle = TcpStream::from(std::os::windows::io::AsSocket::as_socket(tcp).try_clone_to_owned()?);
    Ok(Socket { handle, ear, secured, name })
}

/// Logs in by AMQP and out again: with the address's vhost, else `/`, unless another is given.
///
/// # Errors
/// Unreachable, a refused login, a vhost that is not there or not open to the user.
pub async fn check_login(address: &Address, vhost: Option<&str>, limit: Duration) -> Result<(), BrokerFailure> {
    let vhost = vhost.or(address.vhost.as_deref()).unwrap_or("/").to_owned();
    let target = Target {
        address: address.clone(),
        user: address.user.clone(),
        password: address.password.clone(),
        mechanisms: address.mechanisms.clone(),
        vhost: vhost.clone(),
        label: "rmqplay login check".into(),
        frame_max: crate::io::live::LiveLimits::default().frame_max,
        heartbeat: None,
        limit,
    };
    match dial(target).await {
        Ok(dialed) => {
            // A close that fails has closed all the same.
            let _ = timeout(limit, dialed.connection.close(200, "OK".into())).await;
            Ok(())
        }
        Err(error) => Err(failure_of(error, address, &vhost)),
    }
}

/// Makes a failure of the environment out of a connection that the runner itself did not get.
pub(crate) fn failure_of(error: DialError, address: &Address, vhost: &str) -> BrokerFailure {
    match error {
        DialError::Unreachable(why) => BrokerFailure::new(BrokerFailureKind::Unreachable { why }, address),
        DialError::NoTls(fault) => fault.at(address),
        DialError::NoMechanism { offered } => no_mechanism(address, &offered),
        DialError::Refused(refusal)
            if refusal.code == code::ACCESS_REFUSED && address.mechanisms.contains(&LoginMechanism::External) =>
        {
            no_user_of_certificate(address)
        }
        DialError::Refused(refusal) if refusal.code == code::ACCESS_REFUSED => {
            BrokerFailure::new(BrokerFailureKind::BadLogin { user: address.user.clone() }, address)
        }
        DialError::Refused(refusal) if meaning_of_refusal(refusal.code, &refusal.text) == RefusalMeaning::NoVhost => {
            let what = format!("there is no vhost '{vhost}'");
            let hint = "check the vhost in the URL (`/` is written %2F), or have `rmqplay apply` make it";
            BrokerFailure::new(BrokerFailureKind::NotFound { what }, address).hint(hint)
        }
        DialError::Refused(refusal) if refusal.code == code::NOT_ALLOWED => {
            let (needed, to) = (format!("a right in vhost '{vhost}'"), format!("connect ({})", refusal.text));
            let hint = format!("`rabbitmqctl set_permissions -p '{vhost}' {} '.*' '.*' '.*'`", address.user);
            BrokerFailure::new(BrokerFailureKind::NoRight { needed, to }, address).hint(hint)
        }
        DialError::Refused(refusal) => {
            BrokerFailure::new(BrokerFailureKind::Refused { status: refusal.code, reason: refusal.text }, address)
        }
    }
}

/// Makes the failure of a broker that offers none of the wanted mechanisms.
fn no_mechanism(address: &Address, offered: &[String]) -> BrokerFailure {
    let offers = if offered.is_empty() { "none".to_owned() } else { offered.join(", ") };
    if !address.mechanisms.contains(&LoginMechanism::External) {
        let reason = format!("it offers no login by user and password (PLAIN), but {offers}");
        return BrokerFailure::new(BrokerFailureKind::Refused { status: code::COMMAND_INVALID, reason }, address)
            .hint("add auth_mechanism=external, certfile= and keyfile= to the URL, or PLAIN to `auth_mechanisms` in rabbitmq.conf");
    }
    let reason = format!("it offers no login by certificate (EXTERNAL), but {offers}");
    BrokerFailure::new(BrokerFailureKind::Refused { status: code::COMMAND_INVALID, reason }, address).hint(
        "`rabbitmq-plugins enable rabbitmq_auth_mechanism_ssl`, and `auth_mechanisms.3 = EXTERNAL` beside those that it \
         offers in rabbitmq.conf; with auth_mechanism=external&auth_mechanism=plain the password is the second choice",
    )
}

/// Makes the failure of a certificate whose name is no user.
fn no_user_of_certificate(address: &Address) -> BrokerFailure {
    let file = address.tls_options.cert_file.as_deref();
    let name = file.and_then(common_name_in);
    let user = name.clone().unwrap_or_else(|| address.user.clone());
    let hint = match file {
        None => "EXTERNAL logs in by the client's certificate: give certfile=client.pem&keyfile=client.key".to_owned(),
        Some(_) => format!(
            "the broker takes the user's name from the certificate: by `ssl_cert_login_from = common_name` it is \
             '{user}', else the whole subject (`CN={user}`…); `rabbitmqctl list_users` shows whether there is one"
        ),
    };
    BrokerFailure::new(BrokerFailureKind::BadLogin { user }, address).hint(hint)
}
