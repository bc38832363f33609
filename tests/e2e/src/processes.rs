//! The processes of a run: provider, site, driver. Each is ended when its value is dropped.

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader, Read},
    net::TcpStream,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::Duration,
};

use crate::{Context, Failure, Result, settings::Settings};

/// How long a process may take until it says where it listens.
const START: Duration = Duration::from_secs(30);
/// How much of what it says is kept for a report.
const KEPT: usize = 64 * 1024;

/// A process of ours.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    said: Arc<Mutex<String>>,
}

impl Process {
    /// Starts a program and waits for the first line in which `find` sees what it looks for.
    ///
    /// # Errors
    /// If the program cannot be started, ends, or does not say it in time.
    pub fn start<T>(program: &OsStr, args: &[&OsStr], find: impl Fn(&str) -> Option<T>) -> Result<(Self, T)> {
        let (process, arriving) = Self::spawn(program, args)?;
        loop {
            match arriving.recv_timeout(START) {
                Ok(line) => {
                    if let Some(found) = find(&line) {
                        return Ok((process, found));
                    }
                }
                Err(_) => return Err(Failure::new(format!("{} did not start: {}", process.name, process.said()))),
            }
        }
    }

    /// Serves a folder with this project's own host. Also gives the address that it says.
    ///
    /// # Errors
    /// If it does not start.
    pub fn serve(settings: &Settings, switches: &[&str], flags: &[(&str, &OsStr)]) -> Result<(Self, String)> {
        let mut args = vec![OsStr::new("serve")];
        args.extend(switches.iter().map(OsStr::new));
        args.extend(flags.iter().flat_map(|(name, value)| [OsStr::new(*name), *value]));
        let serving = |line: &str| line.strip_prefix("serving ").map(|url| url.trim().to_owned());
        Self::start(settings.xtask.as_os_str(), &args, serving)
    }

    /// Starts a program that says nothing, and waits until its port takes connections.
    ///
    /// # Errors
    /// If the program cannot be started or does not listen in time.
    pub fn start_silent(program: &OsStr, args: &[&OsStr], port: u16) -> Result<Self> {
        let mut process = Self::spawn(program, args)?.0;
        for _ in 0..START.as_millis() / 50 {
            process.check()?;
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(process);
            }
            thread::sleep(Duration::from_millis(50));
        }
        Err(Failure::new(format!("{} does not listen on {port}", process.name)))
    }

    fn spawn(program: &OsStr, args: &[&OsStr]) -> Result<(Self, mpsc::Receiver<String>)> {
        let name = format!("{} {}", program.display(), args.join(OsStr::new(" ")).display());
        let mut child = Command::new(program)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context(format!("cannot start {name}"))?;
        let said = Arc::new(Mutex::new(String::new()));
        let (lines, arriving) = mpsc::channel();
        let stdout = child.stdout.take().context("no standard output")?;
        let stderr = child.stderr.take().context("no standard error")?;
        listen(stdout, said.clone(), Some(lines));
        listen(stderr, said.clone(), None);
        Ok((Self { name, child, said }, arriving))
    }

    /// Ends what it has started, as far as the system tells of that.
    pub fn end_children(&self) {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).into_iter().flatten().flatten();
        let children = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
        let children = children.collect::<String>();
        if !children.trim().is_empty() {
            // Some have ended meanwhile, which is no news.
            let mut kill = Command::new("kill");
            let _ = kill.arg("-KILL").args(children.split_whitespace()).stderr(Stdio::null()).status();
        }
    }

    /// What it has said so far.
    #[must_use]
    pub fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it is still there.
    ///
    /// # Errors
    /// If it has ended: with its last words.
    pub fn check(&mut self) -> Result {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => Err(Failure::new(format!("{} has ended ({status}): {}", self.name, self.said()))),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads to the end, so that the process never waits for a reader.
fn listen(stream: impl Read + Send + 'static, said: Arc<Mutex<String>>, lines: Option<mpsc::Sender<String>>) {
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(std::result::Result::ok) {
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            if said.len() < KEPT {
                said.push_str(&line);
                said.push('\n');
            }
            drop(said);
            // Nobody listens any more once the process has started.
            if let Some(lines) = &lines {
                let _ = lines.send(line);
            }
        }
    });
}
