//! Kills the broker at random moments, and starts it again.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use seqcast_nats_bridge::Broker;
use tokio::task::block_in_place;
use tokio::time::sleep;

use super::account::Account;
use crate::Options;

/// How long the broker stays down, at most.
const DOWN: u64 = 500;

/// Kills when so many messages have arrived. Returns the broker.
pub(crate) async fn run(mut broker: Broker, options: Options, account: Arc<Account>) -> io::Result<Broker> {
    let seed = options.seed.unwrap_or_else(|| fastrand::u64(..));
    println!("--seed {seed} kills it at the same places again\n");
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut moments: Vec<_> = (0..options.kills).map(|_| rng.u64(0..options.messages)).collect();
    moments.sort_unstable();
    for moment in moments {
        while account.received() < moment {
            sleep(Duration::from_millis(1)).await;
        }
        block_in_place(|| broker.kill());
        let down = Duration::from_millis(rng.u64(0..DOWN));
        account.line(&format!("SIGKILL: the broker is down for {down:?}"));
        sleep(down).await;
        account.line("still down");
        block_in_place(|| broker.start())?;
        account.restarted();
        account.line("the broker is back");
    }
    Ok(broker)
}
