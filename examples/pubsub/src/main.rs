//! Serves until ctrl-c.
//!
//! ```text
//! cargo run -p seqcast-pubsub -- 127.0.0.1:7000
//! ```
//!
//! Talk to it with `nc 127.0.0.1 7000`.

use std::{env, io};

use seqcast_pubsub::{Server, Settings};

#[tokio::main]
async fn main() -> io::Result<()> {
    let address = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:7000".to_owned());
    let server = Server::bind(&address, Settings::default()).await?;
    println!("listening on {}", server.local_addr()?);
    server
        .run(async {
            if let Err(error) = tokio::signal::ctrl_c().await {
                eprintln!("cannot wait for ctrl-c: {error}");
            }
        })
        .await;
    Ok(())
}
