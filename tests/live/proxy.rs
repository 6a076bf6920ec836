//! A way to a broker that can be cut: stands for a broker that dies while it is played on.

use rmqplay::io::Address;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub struct Proxy {
    pub address: Address,
    listener: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a port of its own and passes everything on; management goes straight to the broker.
    pub async fn before(address: &Address) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = socket.local_addr().expect("an address").port();
        let behind = (address.host.clone(), address.port);
        let listener = tokio::spawn(async move {
            let mut passing = tokio::task::JoinSet::new();
            while let Ok((mut client, _)) = socket.accept().await {
                let behind = behind.clone();
                passing.spawn(async move {
                    if let Ok(mut broker) = TcpStream::connect(behind).await {
                        let _ = copy_bidirectional(&mut client, &mut broker).await;
                    }
                });
            }
        });
        let management = address.management_url().expect("a URL");
        let address = Address { port, ..address.clone() }.with_management(&management).expect("a URL");
        Self { address, listener }
    }

    /// Drops the port and all connections.
    pub fn die(&self) {
        self.listener.abort();
    }
}
