//! Runs the tests of a binary, in Chromium two at a time, each on a [`World`] of its own.
//!
//! A test that fails is tried once more if `E2E_AGAIN` names a file, which then gets its name: what is right by rule and
//! late by chance (a machine that is busy for a moment) is told from what is wrong, and neither is hidden.
//!
//! The usual test harness has no place for something that tests use one after the other and that must
//! be ended afterwards. This one looks the same from outside: names, filters, `--list`, the last line.

use std::{
    env,
    fs::{self, File},
    io::Write as _,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    pin::Pin,
    process::ExitCode,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use libtest_mimic::{Arguments, Failed, Trial};
use tokio::{runtime::Runtime, time::timeout};

use crate::{Failure, Result, Stage, browser::Browser, hygiene, settings::Engine, stage::World};

/// How many tests run at a time in Chromium, unless `--test-threads` says otherwise. A test mostly waits, but what it
/// waits for needs a processor or two.
const AT_A_TIME: usize = 2;

/// How long a test may take that asks for no more, in seconds.
pub const PATIENCE: u64 = 240;

/// A test: its name, what it needs, and what it does.
pub struct Case {
    /// The function's name.
    pub name: &'static str,
    /// Whether it sends commands of Chromium's own protocol.
    pub chromium: bool,
    /// How long it may take, in seconds.
    pub patience: u64,
    /// The test.
    pub run: fn(Stage) -> Pin<Box<dyn Future<Output = Result>>>,
}

/// Makes `main` out of the names of async functions that take a [`Stage`]. Those after
/// `chromium:` send commands of Chromium's own protocol and are left out in other browsers. One that
/// takes long says how long it may: `suite![300 seconds: the_long_one]`.
#[macro_export]
macro_rules! suite {
    ($patience:literal seconds: $test:ident $(,)?) => {
        fn main() -> std::process::ExitCode {
            $crate::suite::run(&[$crate::suite::Case {
                name: stringify!($test), chromium: false, patience: $patience, run: |stage| Box::pin($test(stage)),
            }])
        }
    };
    ($($test:ident),* $(,)? $(; chromium: $($special:ident),* $(,)?)?) => {
        fn main() -> std::process::ExitCode {
            $crate::suite::run(&[
                $($crate::suite::Case {
                    name: stringify!($test), chromium: false, patience: $crate::suite::PATIENCE,
                    run: |stage| Box::pin($test(stage)),
                },)*
                $($($crate::suite::Case {
                    name: stringify!($special), chromium: true, patience: $crate::suite::PATIENCE,
                    run: |stage| Box::pin($special(stage)),
                },)*)?
            ])
        }
    };
}

/// Runs the tests that the arguments choose.
#[must_use]
pub fn run(cases: &'static [Case]) -> ExitCode {
    let mut arguments = Arguments::from_args();
    let engine = Engine::from_env();
    // A browser other than Chromium keeps a small machine busy by itself.
    let at_a_time = if matches!(engine, Ok(Engine::Chromium)) { AT_A_TIME } else { 1 };
    arguments.test_threads.get_or_insert(at_a_time);
    let company = Arc::new(Company::default());
    let skip_special = engine.is_ok_and(|engine| !engine.has_cdp());
    let trials = cases.iter().map(|case| {
        let company = company.clone();
        Trial::test(case.name, move || company.judge(case).map_err(|failure| Failed::from(failure.to_string())))
            .with_ignored_flag(case.chromium && skip_special)
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    company.go_home();
    conclusion.exit_code()
}

/// The worlds that no test is in. A new one is started when there is none.
#[derive(Default)]
struct Company(Mutex<Vec<House>>);

struct House {
    runtime: Runtime,
    world: Arc<World>,
}

impl House {
    fn open() -> Result<Self> {
        let runtime = Runtime::new()?;
        let world = Arc::new(runtime.block_on(World::start())?);
        Ok(Self { runtime, world })
    }
}

impl Company {
    fn free(&self) -> MutexGuard<'_, Vec<House>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn judge(&self, case: &Case) -> Result {
        let Err(failure) = self.perform(case) else { return Ok(()) };
        let Some(file) = env::var_os("E2E_AGAIN") else { return Err(failure) };
        // The results are read off the other output.
        eprintln!("{} failed and is tried once more: {failure}", case.name);
        writeln!(File::options().create(true).append(true).open(file)?, "{}", case.name)?;
        self.perform(case)
    }

    fn perform(&self, case: &Case) -> Result {
        let free = self.free().pop();
        let house = free.map_or_else(House::open, Ok)?;
        let outcome = house.perform(case);
        self.free().push(house);
        outcome
    }

    fn go_home(&self) {
        for House { runtime, world } in self.free().drain(..) {
            runtime.block_on(world.shut_down());
        }
    }
}

impl House {
    fn perform(&self, case: &Case) -> Result {
        let Self { runtime, world } = self;
        let stage = runtime.block_on(Stage::set(world.clone()))?;
        let test = async {
            (case.run)(stage.clone()).await?;
            for browser in stage.browsers() {
                hygiene::check(&browser, &stage).await?;
            }
            Ok(())
        };
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            runtime.block_on(async { timeout(Duration::from_secs(case.patience), test).await })
        }));
        let outcome = match outcome {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(Failure::new(format!("not done after {} s", case.patience))),
            Err(panic) => Err(Failure::new(words_of(&*panic))),
        };
        runtime.block_on(async {
            let outcome = match outcome {
                Ok(()) => Ok(()),
                Err(failure) => Err(Failure::new(format!("{failure}\n{}", evidence(case.name, &stage).await))),
            };
            for browser in stage.browsers() {
                browser.close().await;
            }
            outcome
        })
    }
}

fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked").to_owned()
}

/// What a person wants to see of a test that failed: the page, the console, the provider's log.
async fn evidence(name: &str, stage: &Stage) -> String {
    let mut report = String::from("provider's log:\n");
    for seen in stage.provider().requests().await.unwrap_or_default() {
        report += &format!("  {} {} → {:?}\n", seen.method, seen.path, seen.status);
    }
    for (number, browser) in stage.browsers().iter().enumerate() {
        report += &of_browser(&format!("{name}-{number}"), browser).await;
    }
    report
}

async fn of_browser(name: &str, browser: &Browser) -> String {
    let tab = browser.first_tab().await;
    let mut report = format!("browser {name} {}\nconsole:\n", tab.describe().await);
    for line in browser.console().await.unwrap_or_default() {
        report += &format!("  {} {}: {}\n", line.level, line.source, line.message);
    }
    if let Ok(picture) = tab.screenshot().await {
        let folder =
            env::var_os("E2E_PICTURES").map_or_else(|| env::temp_dir().join("polar-signin-e2e"), PathBuf::from);
        let path = folder.join(format!("{name}.png"));
        if fs::create_dir_all(&folder).and_then(|()| fs::write(&path, picture)).is_ok() {
            report += &format!("picture: {}\n", path.display());
        }
    }
    report
}
