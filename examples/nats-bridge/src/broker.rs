//! A `nats-server` of one's own, which can be killed and started again.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Far more than a start takes.
const PATIENCE: Duration = Duration::from_secs(60);
/// Below the ports that Linux gives to outgoing connections. A client that dials a port of that
/// range on its own machine while nothing listens there can be given the same port, and connects to
/// itself. The port is then taken, and the broker cannot start again.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// A `nats-server` process with `JetStream` on a free port of 127.0.0.1. Its messages are in a
/// temporary folder.
///
/// Dropping it kills the process and removes the folder, also while a test panics.
#[derive(Debug)]
pub struct Broker {
    address: SocketAddr,
    folder: TempDir,
    process: Option<Process>,
}

/// Killed when it is dropped.
#[derive(Debug)]
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // SIGKILL. An error means that it is gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Broker {
    /// Whether there is a `nats-server` on this machine.
    pub fn is_installed() -> bool {
        let version = Command::new("nats-server").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        version.is_ok_and(|status| status.success())
    }

    /// A broker that is not started yet.
    pub fn new() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("seqcast-nats-").tempdir()?;
        Ok(Self { address: free_port()?, folder, process: None })
    }

    /// A broker that takes connections.
    pub fn started() -> io::Result<Self> {
        let mut broker = Self::new()?;
        // Another process may have taken the port meanwhile.
        for _ in 0..5 {
            if broker.start().is_ok() {
                return Ok(broker);
            }
            broker.address = free_port()?;
        }
        broker.start()?;
        Ok(broker)
    }

    /// Where it listens, or will.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process id, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.process.as_ref().map(|process| process.0.id())
    }

    /// Starts it on the same port with the messages that it had, and waits until it takes
    /// connections.
    pub fn start(&mut self) -> io::Result<()> {
        self.launch()?;
        let deadline = Instant::now() + PATIENCE;
        while !takes_connections(self.address) {
            let process = self.process.as_mut().expect("it was launched");
            if let Some(status) = process.0.try_wait()? {
                self.process = None;
                return Err(io::Error::other(format!("nats-server ended ({status}): {}", self.log())));
            }
            if Instant::now() > deadline {
                return Err(io::Error::other(format!("nats-server takes no connections: {}", self.log())));
            }
            sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Starts it, and does not wait.
    pub fn launch(&mut self) -> io::Result<()> {
        self.kill();
        let log = File::create(self.folder.path().join("log"))?;
        let mut command = Command::new("nats-server");
        command.arg("--addr").arg(self.address.ip().to_string());
        command.arg("--port").arg(self.address.port().to_string());
        command.arg("--jetstream").arg("--store_dir").arg(self.store());
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.process = Some(Process(command.spawn()?));
        Ok(())
    }

    /// Kills it with SIGKILL, and waits until it is gone. What it has written to files stays.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Removes all that it has stored, while it does not run.
    pub fn forget(&self) -> io::Result<()> {
        assert!(self.process.is_none(), "it runs");
        fs::remove_dir_all(self.store())
    }

    /// What it has printed since it was started.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_else(|error| error.to_string())
    }

    fn store(&self) -> impl AsRef<Path> + AsRef<std::ffi::OsStr> + use<> {
        self.folder.path().join("store")
    }
}

/// A broker greets its clients.
fn takes_connections(address: SocketAddr) -> bool {
    let greeting = || -> io::Result<[u8; 4]> {
        let mut socket = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        socket.set_read_timeout(Some(Duration::from_secs(1)))?;
        let mut greeting = [0; 4];
        socket.read_exact(&mut greeting)?;
        Ok(greeting)
    };
    greeting().is_ok_and(|greeting| greeting == *b"INFO")
}

fn free_port() -> io::Result<SocketAddr> {
    for _ in 0..100 {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, fastrand::u16(PORTS)));
        if TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
    Err(io::Error::other("no port of 127.0.0.1 is free"))
}
