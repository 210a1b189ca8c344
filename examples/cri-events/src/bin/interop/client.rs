//! A Python or Node client: a process that prints a line for each event and status.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use seqcast::RingStats;
use seqcast_cri_events::wish::epoch_text;

use crate::account::Account;
use crate::{PATIENCE, Wrong};

/// When a stopped process continues.
#[derive(Clone, Copy, Debug)]
enum Until {
    Then(Instant),
    /// When the ring has lapped it.
    Lapped,
}

pub(crate) struct Client {
    name: String,
    command: String,
    socket: PathBuf,
    account: Arc<Mutex<Account>>,
    child: Child,
    reader: Option<JoinHandle<()>>,
    stopped: Option<Until>,
    kills: u32,
    stops: u32,
}

impl Client {
    pub(crate) fn start(make: &str, number: usize, command: &str, socket: &Path) -> Result<Self, Wrong> {
        let (name, account) = (format!("{make} {number}"), Arc::default());
        let (child, reader) = spawn(command, socket, &name, &account)?;
        Ok(Self {
            name,
            command: command.to_owned(),
            socket: socket.to_owned(),
            account,
            child,
            reader: Some(reader),
            stopped: None,
            kills: 0,
            stops: 0,
        })
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sequence that it expects next.
    pub(crate) fn next(&self) -> Option<u64> {
        self.account().ledger.next()
    }

    /// Whether its current process has a stream and has read up to `goal`.
    pub(crate) fn has_come_to(&self, goal: u64) -> bool {
        let account = self.account();
        account.is_open && account.ledger.next() == Some(goal)
    }

    /// Its first error.
    pub(crate) fn wrong(&self) -> Option<String> {
        Some(format!("{}: {}", self.name, self.account().wrong.as_ref()?))
    }

    fn signal(&self, signal: Signal) -> Result<(), Wrong> {
        Ok(kill_process(Pid::from_child(&self.child), signal)?)
    }

    pub(crate) fn kill_and_restart(&mut self) -> Result<(), Wrong> {
        self.signal(Signal::KILL)?;
        self.join()?;
        (self.stopped, self.kills) = (None, self.kills + 1);
        let (child, reader) = spawn(&self.command, &self.socket, &self.name, &self.account)?;
        (self.child, self.reader) = (child, Some(reader));
        Ok(())
    }

    /// Stops the process (SIGSTOP) for a random time, or until it is lapped.
    pub(crate) fn stop(&mut self) -> Result<(), Wrong> {
        if self.stopped.is_none() {
            self.signal(Signal::STOP)?;
            self.stops += 1;
            let then = Instant::now() + Duration::from_millis(fastrand::u64(20..1000));
            self.stopped = Some(if fastrand::bool() { Until::Then(then) } else { Until::Lapped });
        }
        Ok(())
    }

    pub(crate) fn continue_if_due(&mut self, stats: &RingStats) -> Result<(), Wrong> {
        let lapped = |name: &str| {
            let mut mine = stats.subscribers.iter().filter(|subscriber| subscriber.name.as_deref() == Some(name));
            mine.any(|subscriber| subscriber.lag > stats.capacity as u64)
        };
        match self.stopped {
            Some(Until::Then(then)) if then <= Instant::now() => self.resume(),
            Some(Until::Lapped) if lapped(&self.name) => self.resume(),
            _ => Ok(()),
        }
    }

    pub(crate) fn resume(&mut self) -> Result<(), Wrong> {
        if self.stopped.take().is_some() {
            self.signal(Signal::CONT)?;
        }
        Ok(())
    }

    fn join(&mut self) -> Result<(), Wrong> {
        let start = Instant::now();
        while self.child.try_wait()?.is_none() {
            if start.elapsed() > PATIENCE {
                return Err(format!("{}: it does not exit", self.name).into());
            }
            thread::sleep(Duration::from_millis(2));
        }
        let reader = self.reader.take().ok_or("the client was joined before")?;
        reader.join().map_err(|_| "the reader of a client panicked".into())
    }

    /// Waits for its end, checks its account, and prints it. Returns how many events it missed.
    pub(crate) fn finish(&mut self, goal: u64) -> Result<u64, Wrong> {
        self.join()?;
        if let Some(wrong) = self.wrong() {
            return Err(wrong.into());
        }
        let account = self.account();
        let Account { ledger, connections, ended, .. } = &*account;
        if *ended != Some(("UNAVAILABLE".to_owned(), Some(goal))) || !ledger.balances() {
            return Err(
                format!("{}: ended with {ended:?}, and {goal} events were published: {ledger:?}", self.name).into()
            );
        }
        let (kills, stops, received, missed) = (self.kills, self.stops, ledger.received(), ledger.missed());
        println!("| {} | {kills} | {stops} | {connections} | {received} | {missed} |", self.name);
        Ok(missed)
    }
}

/// Ends the process, so that no client outlives the check.
impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(
    command: &str,
    socket: &Path,
    name: &str,
    account: &Arc<Mutex<Account>>,
) -> Result<(Child, JoinHandle<()>), Wrong> {
    let (next, epoch) = {
        let mut account = account.lock().unwrap_or_else(PoisonError::into_inner);
        account.is_open = false;
        (account.ledger.next(), account.ledger.epoch())
    };
    // The shell replaces itself by the client, so that signals reach the client.
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("exec {command} \"$@\""), "sh"]).arg(socket).arg(name);
    shell.arg(next.map_or("latest".to_owned(), |next| next.to_string()));
    shell.args(epoch.map(epoch_text));
    let mut child = shell.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let lines = child.stdout.take().ok_or("no output")?;
    let account = Arc::clone(account);
    let reader = thread::spawn(move || {
        let (mut lines, mut line) = (BufReader::new(lines), String::new());
        // A client that was killed may leave a line without an end, which does not count.
        while lines.read_line(&mut line).is_ok() && line.ends_with('\n') {
            account.lock().unwrap_or_else(PoisonError::into_inner).take(line.trim_end());
            line.clear();
        }
    });
    Ok((child, reader))
}
