//! The positive control: the old design under the same load. If it does not panic, the load proves
//! nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use seqcast_cri_events::generator::Generator;
use seqcast_cri_events::host::Host;
use seqcast_cri_events::old::{Broadcaster, Counter};
use seqcast_cri_events::socket::Socket;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::Wrong;
use crate::churn::Options;
use crate::churner::{Churner, Phase};

/// How long the old design may take to panic.
const LIMIT: Duration = Duration::from_secs(2);

/// Returns how long it took to panic.
pub(crate) async fn run(options: &Options) -> Result<Duration, Wrong> {
    let path = crate::socket("control");
    let (source, tap, _, sender) = Broadcaster::<Counter>::start(options.payload);
    let host = Host::start(Socket::bind(&path)?, Some(Arc::new(source)))?;
    let (phase, phases) = watch::channel(Phase::Churn);
    let start = Instant::now();
    let clients: Vec<_> = (0..options.clients)
        .map(|number| {
            let (churner, path) = (Churner::new(format!("client {number}"), phases.clone()), path.clone());
            tokio::spawn(async move { churner.run(&path).await })
        })
        .collect();
    let generator = Generator::start(options.schedule(), None, Box::new(tap));
    while !sender.is_finished() && start.elapsed() < LIMIT {
        sleep(Duration::from_millis(1)).await;
    }
    let took = start.elapsed();
    let panicked = sender.is_finished() && sender.join().is_err();
    let _ = phase.send(Phase::Leave);
    let outlet = tokio::task::spawn_blocking(|| generator.stop()).await??;
    for client in clients {
        // The old design may fail its clients, which does not matter here.
        let _ = client.await?;
    }
    drop(outlet);
    host.shutdown().await;
    if panicked { Ok(took) } else { Err(format!("void: the old design did not panic within {LIMIT:?}").into()) }
}
