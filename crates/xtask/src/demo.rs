//! `cargo xtask demo`: the app and a local provider, on two origins, until Ctrl-C.

use std::{
    net::{Ipv4Addr, TcpListener},
    process::Command,
    sync::mpsc::{RecvTimeoutError, channel},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use lexopt::prelude::*;

use crate::{
    build,
    shell::{self, Server, find},
    tools,
};

/// The provider's port, and the site's beside it, where nothing else is asked for.
const PORT: u16 = 8400;

pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<()> {
    let (mut release, mut port, mut open) = (false, None, false);
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("release") => release = true,
            Long("port") => port = Some(arguments.value()?.parse()?),
            Long("open") => open = true,
            other => return Err(other.unexpected().into()),
        }
    }
    // Before the builds, so that a port that is taken is not found out minutes later.
    let [provider_port, site_port] = ports(port)?;
    let tools = tools::for_site(release)?;
    let dist = shell::target()?.join("demo-dist");
    println!("building the app (the first time takes some minutes)");
    build::site(&tools, &dist, release)?;
    println!("building the provider");
    let program = shell::provider()?;

    // Ctrl-C in a terminal reaches the children as well; a plain signal reaches only this process,
    // which ends them on its way out.
    let (sender, interrupted) = channel();
    ctrlc::set_handler(move || {
        let _ = sender.send(());
    })
    .context("cannot wait for Ctrl-C")?;

    let mut provider = Server::start(Command::new(&program).args([
        "--port",
        &provider_port.to_string(),
        "--client",
        &format!("polar_ci_demo=http://localhost:{site_port}/"),
    ]))?;
    let config = serde_json::json!({
        "provider": "local",
        "issuer": "https://polar.example",
        "metadata_url": format!("{}/.well-known/openid-configuration", provider.address),
        "client_id": "polar_ci_demo",
        "allow_http_on_loopback": true,
    });
    let mut site = Server::start(
        Command::new(shell::own()?)
            .args(["serve", "--host", "localhost", "--port", &site_port.to_string()])
            .args(["--config", &config.to_string(), "--connect", &provider.address, "--dir"])
            .arg(&dist),
    )?;
    println!("\n  the app        {}", site.address);
    println!("  the provider   {}\n", provider.address);
    println!("{}", who(&program)?);
    println!("\nCtrl-C ends both.");
    if open {
        match ["xdg-open", "open"].into_iter().find_map(find) {
            Some(opener) => drop(Command::new(opener).arg(&site.address).spawn()),
            None => println!("no xdg-open here: open the app's address in a browser"),
        }
    }
    loop {
        match interrupted.recv_timeout(Duration::from_millis(500)) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        for (name, server) in [("provider", &mut provider), ("site", &mut site)] {
            if let Some(status) = server.ended()? {
                // A terminal's Ctrl-C may have reached it first.
                if interrupted.recv_timeout(Duration::from_millis(500)).is_ok() {
                    return Ok(());
                }
                bail!("the {name} ended by itself: {status}");
            }
        }
    }
}

/// The provider's port and the site's: the usual ones, those that are asked for (0 means any), or, if
/// the usual ones are taken, any.
fn ports(wanted: Option<u16>) -> Result<[u16; 2]> {
    match wanted {
        Some(0) => any_ports(),
        Some(port) => match pair(port) {
            Some(ports) if ports.into_iter().all(is_free) => Ok(ports),
            Some([first, second]) => bail!("port {first} or {second} is taken: choose another, or --port 0 for any"),
            None => bail!("port {port} has none after it: choose a lower one"),
        },
        None => match pair(PORT) {
            Some(ports) if ports.into_iter().all(is_free) => Ok(ports),
            _ => {
                println!("port {PORT} or the next is taken: using others");
                any_ports()
            }
        },
    }
}

fn pair(port: u16) -> Option<[u16; 2]> {
    Some([port, port.checked_add(1)?])
}

/// The system's choice. Both are held until both are known, so that they differ.
fn any_ports() -> Result<[u16; 2]> {
    let listeners = [TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?, TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?];
    Ok([listeners[0].local_addr()?.port(), listeners[1].local_addr()?.port()])
}

/// The provider binds the one, the site the other, which need not mean the same.
fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() && TcpListener::bind(("localhost", port)).is_ok()
}

/// Who can sign in: the provider knows, in its help.
fn who(provider: &std::path::Path) -> Result<String> {
    let help = shell::output(Command::new(provider).arg("--help"))?;
    let from = help.find("Who can sign in").context("the provider does not say who can sign in")?;
    Ok(help[from..].trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_taken_is_refused_only_if_it_was_asked_for() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = taken.local_addr().expect("an address").port();
        if port < u16::MAX {
            let refusal = ports(Some(port)).expect_err("it is taken").to_string();
            assert!(refusal.contains("--port 0"), "{refusal}");
        }
        let [first, second] = ports(Some(0)).expect("free ports");
        assert!(first != second && first != 0 && second != 0);
        assert!(ports(Some(u16::MAX)).is_err());
        ports(None).expect("others if need be");
    }
}
