//! Pictures of every view, at 360 and 1280 pixels, light and dark:
//! `cargo run -p polar-signin-e2e --example screenshots -- OUT`, in the environment that
//! `cargo xtask test e2e` sets.

use std::{env, fs, path::PathBuf, process::ExitCode, sync::Arc};

use polar_signin_e2e::{
    Context, Result, Stage,
    gallery::{show_on, walk},
    stage::World,
};

#[tokio::main]
async fn main() -> ExitCode {
    match take().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

async fn take() -> Result {
    let out = PathBuf::from(env::args_os().nth(1).context("which folder do the pictures go to?")?);
    fs::create_dir_all(&out).context(out.display())?;
    let world = Arc::new(World::start().await?);
    let stage = Stage::set(world.clone()).await?;
    let taken = walk(&stage, async |view, tab| {
        for width in [360, 1280] {
            for scheme in ["light", "dark"] {
                show_on(tab, width, scheme).await?;
                let path = out.join(format!("{view}-{width}-{scheme}.png"));
                fs::write(&path, tab.screenshot().await?).context(path.display())?;
                eprintln!("{}", path.display());
            }
        }
        Ok(())
    })
    .await;
    for browser in stage.browsers() {
        browser.close().await;
    }
    world.shut_down().await;
    taken
}
