//! What belongs to every result: the machine, the compiler, the versions, the date.

use std::fs;
use std::process::Command;
use std::thread;

const PEERS: [&str; 9] = [
    "photon-ring",
    "ringcast",
    "tokio",
    "async-broadcast",
    "bus",
    "disruptor",
    "yring",
    "crossbeam-channel",
    "seqcast",
];

/// The versions that were built.
const LOCK: &str = include_str!("../../../Cargo.lock");

/// The number of cores.
pub fn cores() -> u64 {
    thread::available_parallelism().map_or(1, |cores| cores.get() as u64)
}

fn said_by(command: &str, arguments: &[&str]) -> String {
    let output = Command::new(command).args(arguments).output();
    output.map_or_else(|_| "?".to_owned(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn model() -> String {
    let about = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = about.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or_else(|| said_by("sysctl", &["-n", "machdep.cpu.brand_string"]), |(_, model)| model.to_owned())
}

fn version(package: &str) -> Option<&'static str> {
    let (_, after) = LOCK.split_once(&format!("\nname = \"{package}\"\nversion = \""))?;
    Some(after.split_once('"')?.0)
}

pub fn print() {
    println!("{} cores, {}, {}", cores(), model(), said_by("uname", &["-srm"]));
    let versions: Vec<_> =
        PEERS.iter().filter_map(|package| Some(format!("{package} {}", version(package)?))).collect();
    println!("{}, {}", env!("BUILT_BY"), said_by("date", &["-u", "+%Y-%m-%d %H:%M UTC"]));
    println!("{}\n", versions.join(", "));
}
