//! A local OpenID provider that behaves as Polar's does: its endpoints, error shapes, lifetimes
//! and surprises. In memory, on 127.0.0.1 alone, for demos and tests.
//!
//! It is also the test bench: with `--control`, whoever runs it can make it misbehave
//! (`faults.rs`). It uses nothing of our own client, so that a mistake of ours is not made twice.
#![expect(clippy::print_stdout, reason = "the first line says where it listens")]

mod dpop;
mod faults;
mod id_token;
mod keys;
mod pages;
mod reply;
mod routes;
mod seed;
mod state;

use std::{
    convert::Infallible,
    io::Write as _,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use lexopt::prelude::*;
use tokio::net::TcpListener;

use state::Store;

const HELP: &str = "\
polar-signin-provider [options]

  --port N                      port on 127.0.0.1; 0, the default, means any
  --client ID=URI[,URI]         a public client with its redirect URIs; may be repeated
  --organizations now|earlier   how sub_type=organization behaves: a user's token narrowed to one
                                organization (now), or a token of the organization itself (earlier)
  --issuer URL                  the issuer; default https://polar.example, which is not where it listens
  --control                     lets anyone on this machine reset it and make it misbehave, under /control

Who can sign in: Nora (no organization), Olive (1), Sam (3), Fay (40), Max (1,000).
A personal access token of Sam's:      polar_pat_demo_sam
An organization access token (Acme):   polar_oat_demo_acme
";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut port, mut control) = (0_u16, false);
    let mut store = Store::new();
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("port") => port = arguments.value()?.parse()?,
            Long("control") => control = true,
            Long("issuer") => store.settings.issuer = arguments.value()?.string()?,
            Long("organizations") => {
                store.settings.organizations_earlier = match arguments.value()?.string()?.as_str() {
                    "now" => false,
                    "earlier" => true,
                    other => return Err(format!("--organizations now or earlier, not {other}").into()),
                };
            }
            Long("client") => {
                let client = arguments.value()?.string()?;
                let (id, uris) = client.split_once('=').ok_or("--client ID=URI")?;
                store.add_client(id, uris.split(',').map(str::to_owned).collect());
            }
            Long("help") | Short('h') => {
                print!("{HELP}");
                return Ok(());
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    let origin = format!("http://{}", listener.local_addr()?);
    store.origin.clone_from(&origin);
    store.started_as = Some(Box::new(store.settings.clone()));
    println!("listening on {origin}");
    std::io::stdout().flush()?;

    let store = Arc::new(Mutex::new(store));
    loop {
        let (stream, _) = listener.accept().await?;
        let store = store.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| faults::handle(store.clone(), control, request));
            // Browsers send a POST again, by themselves, when a kept connection is cut before the
            // answer: with faults about, every request has a connection of its own.
            let mut server = http1::Builder::new();
            server.timer(TokioTimer::new()).keep_alive(!control);
            let connection = server.serve_connection(TokioIo::new(stream), service);
            // An error here is a client that went away, or a connection that a fault cuts on purpose.
            let _ = connection.await;
            Ok::<_, Infallible>(())
        });
    }
}
