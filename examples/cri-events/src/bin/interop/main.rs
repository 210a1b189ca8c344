//! Python and Node clients read from the server, and are killed and stopped at random. They must
//! not see a gap that was not reported.
//!
//! `interop/run` installs them and runs this program.

mod account;
mod client;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use seqcast_cri_events::generator::Generator;
use seqcast_cri_events::host::{Ending, Host};
use seqcast_cri_events::load::{Load, Schedule};
use seqcast_cri_events::pods::Pods;
use seqcast_cri_events::ring::{Feed, Kept};
use seqcast_cri_events::socket::Socket;
use seqcast_cri_events::stream::OnLag;

use crate::client::Client;

/// How long to wait for a client.
const PATIENCE: Duration = Duration::from_secs(30);

/// Clients read from the server, and are killed and stopped at random. They must not see a gap that
/// was not reported.
#[derive(Parser)]
struct Arguments {
    /// A kind of client, and its shell command. The arguments are the socket, a name, where to
    /// resume, and the epoch if known. May be repeated.
    #[arg(long = "client", required = true, value_name = "MAKE=COMMAND")]
    makes: Vec<String>,
    /// Number of clients of each kind.
    #[arg(long, default_value_t = 3)]
    each: usize,
    /// How long clients are killed and stopped.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Events per second.
    #[arg(long, default_value_t = 2000)]
    rate: u32,
    /// Capacity of the ring.
    #[arg(long, default_value_t = 1024)]
    capacity: usize,
}

type Wrong = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => {
            println!("every gap was reported");
            ExitCode::SUCCESS
        }
        Err(wrong) => {
            println!("FAILED: {wrong}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Wrong> {
    let runtime = tokio::runtime::Runtime::new()?;
    let _inside = runtime.enter();
    let path: PathBuf = std::env::temp_dir().join(format!("cri-interop-{}.sock", std::process::id()));
    let (feed, outlet) = Feed::new(Kept::Compact, arguments.capacity, OnLag::Skip);
    let host = Host::start(Socket::bind(&path)?, Some(Arc::clone(&feed.source)))?;
    let mut clients = Vec::new();
    for number in 1..=arguments.each {
        for make in &arguments.makes {
            let (make, command) = make.split_once('=').ok_or("--client is MAKE=COMMAND")?;
            clients.push(Client::start(make, number, command, &path)?);
        }
    }
    // No client is killed before all have a stream.
    wait("every client has a stream", &clients, |client| client.next().is_some())?;
    let load = Load::Bursts { rate: arguments.rate, size: 100.min(arguments.rate) };
    let generator = Generator::start(Schedule::new(load, Pods::new(fastrand::u64(..), 1)), None, outlet);
    harass(&mut clients, &feed, arguments)?;

    let outlet = generator.stop()?;
    let goal = (feed.stats)().published;
    wait("every client has read to the end", &clients, |client| client.has_come_to(goal))?;
    drop(outlet);
    let ending = runtime.block_on(host.shutdown());
    if ending != Ending::Clean {
        return Err(format!("not every client read to the end: {ending:?}").into());
    }
    println!("| client | killed | stopped | connections | events | missed |\n|---|---|---|---|---|---|");
    let mut missed = 0;
    for client in &mut clients {
        missed += client.finish(goal)?;
    }
    println!("{goal} events published");
    if missed == 0 { Err("void: no client missed an event".into()) } else { Ok(()) }
}

/// Kills each client once, stops each client once, and then does both at random.
fn harass(clients: &mut [Client], feed: &Feed, arguments: &Arguments) -> Result<(), Wrong> {
    let (start, time) = (Instant::now(), Duration::from_secs(arguments.seconds));
    let pause = (time / 2 / u32::try_from(clients.len() * 2).unwrap_or(u32::MAX)).min(Duration::from_millis(400));
    let mut turn = 0;
    while start.elapsed() < time || turn < clients.len() * 2 {
        thread::sleep(pause.mul_f64(0.5 + fastrand::f64()));
        let number = if turn < clients.len() * 2 { turn % clients.len() } else { fastrand::usize(..clients.len()) };
        let kill = if turn < clients.len() * 2 { turn < clients.len() } else { fastrand::bool() };
        turn += 1;
        for client in &mut *clients {
            client.continue_if_due(&(feed.stats)())?;
        }
        let client = &mut clients[number];
        if kill {
            client.kill_and_restart()?;
        } else {
            client.stop()?;
        }
    }
    clients.iter_mut().try_for_each(Client::resume)
}

fn wait(what: &str, clients: &[Client], done: impl Fn(&Client) -> bool) -> Result<(), Wrong> {
    let start = Instant::now();
    while !clients.iter().all(&done) {
        if let Some(wrong) = clients.iter().find_map(Client::wrong) {
            return Err(wrong.into());
        }
        if start.elapsed() > PATIENCE {
            return Err(format!("timed out: {what}").into());
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
