//! Running other programs.

use std::{
    env::consts::EXE_EXTENSION,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::OnceLock,
};

use anyhow::{Context as _, Result, bail};

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// This program. To be asked for early: a build that replaces the file hides where it was.
pub(crate) fn own() -> Result<&'static Path> {
    static OWN: OnceLock<PathBuf> = OnceLock::new();
    if OWN.get().is_none() {
        let _ = OWN.set(std::env::current_exe().context("where is this program?")?);
    }
    OWN.get().map(PathBuf::as_path).context("where is this program?")
}

/// Cargo's target folder, wherever it was put: this program lies in `debug` or `release` of it.
pub(crate) fn target() -> Result<PathBuf> {
    own()?.ancestors().nth(2).map(Path::to_owned).context("this program lies outside Cargo's target folder")
}

/// Builds the local provider and says where it is.
pub(crate) fn provider() -> Result<PathBuf> {
    run(cargo().args(["build", "--quiet", "--package", "polar-signin-provider"]))?;
    Ok(target()?.join("debug/polar-signin-provider").with_extension(EXE_EXTENSION))
}

/// `cargo`, in the workspace.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// The compiler that `cargo` calls.
pub(crate) fn rustc() -> Command {
    Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}

/// Runs to the end; anything but success is an error that names the command.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = show(command);
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("cannot run {shown}"))?;
    if status.success() { Ok(()) } else { bail!("failed ({status}): {shown}") }
}

/// What a program prints, to the end; anything but success is an error that holds its complaint.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let shown = show(command);
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {shown}"))?;
    if !output.status.success() {
        bail!("failed ({}): {shown}\n{}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("no text from {shown}"))
}

/// The first line that a program prints, or nothing if it cannot be run or fails.
pub(crate) fn first_line(program: &Path, argument: &str) -> Option<String> {
    Some(output(Command::new(program).arg(argument)).ok()?.lines().next()?.to_owned())
}

/// Where a program is, if it is on the `PATH`.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let file = |folder: PathBuf| {
        let plain = folder.join(name);
        if plain.is_file() { plain } else { plain.with_extension(EXE_EXTENSION) }
    };
    std::env::split_paths(&path).map(file).find(|file| file.is_file())
}

/// A command line, for messages.
pub(crate) fn show(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// A server that runs until this is dropped.
pub(crate) struct Server {
    child: Child,
    shown: String,
    /// The address that it printed.
    pub(crate) address: String,
}

impl Server {
    /// Starts it, and reads its address off its first line: `listening on http://…`.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let shown = show(command);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let child = child.with_context(|| format!("cannot run {shown}"))?;
        // From here on it ends with this value, also on the ways out below.
        let mut server = Self { child, shown, address: String::new() };
        let mut line = String::new();
        if let Some(output) = server.child.stdout.take() {
            let mut output = BufReader::new(output);
            output.read_line(&mut line)?;
            // Whatever else it prints goes on to the terminal.
            std::thread::spawn(move || output.lines().map_while(Result::ok).for_each(|line| println!("{line}")));
        }
        match line.split_whitespace().find(|word| word.starts_with("http")) {
            Some(address) => server.address = address.to_owned(),
            None => bail!("it did not say where it listens, but {line:?}: {}", server.shown),
        }
        Ok(server)
    }

    /// Whether it has ended by itself.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().with_context(|| format!("lost sight of {}", self.shown))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
