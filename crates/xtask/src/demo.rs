//! `cargo xtask demo`: the app and a local provider, on two origins.

use std::process::Command;

use anyhow::Result;
use lexopt::prelude::*;

use crate::{
    build,
    shell::{Server, cargo, find, root, run as run_command},
    tools,
};

pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<()> {
    let (mut release, mut port, mut open) = (false, 8400_u16, false);
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("release") => release = true,
            Long("port") => port = arguments.value()?.parse()?,
            Long("open") => open = true,
            other => return Err(other.unexpected().into()),
        }
    }
    let tools = tools::for_build()?;
    let dist = root().join("target/demo-dist");
    println!("building the app (the first time takes some minutes)");
    build::site(&tools, &dist, release)?;
    println!("building the provider");
    run_command(cargo().args(["build", "--quiet", "--package", "polar-signin-provider"]))?;

    let site_port = port.checked_add(1).unwrap_or(8401);
    let page = format!("http://localhost:{site_port}/");
    let mut provider = Server::start(Command::new(root().join("target/debug/polar-signin-provider")).args([
        "--port",
        &port.to_string(),
        "--client",
        &format!("polar_ci_demo={page}"),
    ]))?;
    let config = format!(
        r#"{{"provider":"local","metadata_url":"{}/.well-known/openid-configuration","client_id":"polar_ci_demo","allow_http_on_loopback":true}}"#,
        provider.address
    );
    let site = Server::start(
        Command::new(std::env::current_exe()?)
            .args(["serve", "--host", "localhost", "--port", &site_port.to_string(), "--config", &config])
            .args(["--connect", &provider.address, "--dir"])
            .arg(&dist),
    )?;
    println!("\n  the app        {}", site.address);
    println!("  the provider   {}", provider.address);
    println!("\nSign in as Nora (no organization), Olive (1), Sam (3), Fay (40) or Max (1,000). Ctrl-C ends both.");
    if open && let Some(opener) = ["xdg-open", "open"].into_iter().find_map(find) {
        let _ = Command::new(opener).arg(&site.address).spawn();
    }
    provider.wait()
}
