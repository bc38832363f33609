//! One visit: a fresh profile, the attack, the walk, and what is to be seen in the end.

use std::time::Duration;

use http_body_util::Full;
use hyper::{Request, body::Bytes};
use polar_signin_e2e::{Context, Result, Tab, browser::Browser, http::Http, provider::JWKS};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{
    case::{Case, Walk},
    cases::MARK,
    evidence::{Evidence, Glimpse, Places},
    profiles::{self, PLAIN_HOST},
    template::Template,
};
use crate::{
    clients::{AUTH0, Client},
    introduction::{About, about},
    log::now,
    world::{CLIENT_ID, World},
};

/// How long a page may take for anything.
const PATIENCE: Duration = Duration::from_secs(25);
/// How long nothing happens on a page that has come to an end, and says so.
const SHORT: Duration = Duration::from_millis(700);
/// How long nothing happens on a page that does not say so.
const LONG: Duration = Duration::from_secs(3);
/// How long after a renewal something may still follow.
const AFTER_RENEWAL: Duration = Duration::from_secs(3);
const DAY: i64 = 86_400;

/// Who visits.
#[derive(Debug)]
pub(crate) struct Visitor<'a> {
    world: &'a World,
    browser: Browser,
    /// A tab that stays, and shows nothing.
    first: Tab,
    http: Http,
}

impl<'a> Visitor<'a> {
    /// Starts a browser.
    ///
    /// # Errors
    /// If it does not start.
    pub(crate) async fn new(world: &'a World) -> Result<Self> {
        let browser = profiles::browser(world).await?;
        let first = browser.first_tab().await;
        Ok(Self { world, browser, first, http: Http::default() })
    }

    /// Which browser it is, and which day.
    ///
    /// # Errors
    /// If the browser does not say.
    pub(crate) async fn about(&self) -> Result<About> {
        about(&self.first).await
    }

    /// Goes the walk of a case with this client.
    ///
    /// # Errors
    /// If it cannot be gone.
    pub(crate) async fn visit(&self, case: &Case, client: &Client) -> Result<Evidence> {
        self.prepare(case).await?;
        let tab = profiles::fresh(&self.browser, self.world).await?;
        let seen = match self.walk(case, client, &tab).await {
            Ok(before) => self.evidence(client, &tab, before).await,
            Err(failure) => Err(failure),
        };
        tab.close().await?;
        // The driver stands where the tab was.
        self.first.url().await?;
        seen
    }

    /// The provider as this case wants it.
    async fn prepare(&self, case: &Case) -> Result {
        let mut settings = json!({ "jwt_tokens": false });
        for (name, value) in case.settings.as_object().into_iter().flatten() {
            settings[name] = value.clone();
        }
        self.world.configure(settings).await?;
        let template = self.template().await?;
        for fault in &case.faults {
            self.world.provider.fault(template.fill(fault)).await?;
        }
        if case.walk == Walk::Renewal {
            let soon =
                json!({ "endpoint": "token", "grant": "authorization_code", "json_merge": { "expires_in": 10 } });
            self.world.provider.fault(soon).await?;
            let mark =
                json!({ "endpoint": "token", "grant": "refresh_token", "json_merge": { "refresh_token": MARK } });
            self.world.provider.fault(mark).await?;
        }
        Ok(())
    }

    async fn template(&self) -> Result<Template> {
        let origin = self.world.provider.origin();
        let keys = self.http.get(&format!("{origin}{JWKS}")).await?;
        let key = keys["keys"][0]["n"].as_str().context("no key")?.to_owned();
        let port = self.world.port() + 1;
        let issuer = format!("http://127.0.0.1:{port}");
        #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
        let today = (now() / 1000.0) as i64;
        Ok(Template {
            texts: vec![
                ("issuer", format!("{issuer}/")),
                ("issuer_without_slash", issuer),
                ("client", CLIENT_ID.to_owned()),
                ("other_host", format!("http://localhost:{port}")),
                ("plain_host", format!("http://{PLAIN_HOST}:{port}")),
                ("key", key),
            ],
            numbers: vec![("in_a_day", today + DAY), ("in_two_days", today + 2 * DAY), ("a_day_ago", today - DAY)],
        })
    }

    /// Says how many requests are older than the attack.
    async fn walk(&self, case: &Case, client: &Client, tab: &Tab) -> Result<usize> {
        let provider = &self.world.provider;
        match case.walk {
            Walk::SignIn => return self.press(client, tab, &[]).await.map(|()| 0),
            Walk::Userinfo => return self.press(client, tab, &["bench:userinfo"]).await.map(|()| 0),
            Walk::LeftLying => {
                provider.settings(json!({ "auto_sign_in": null })).await?;
                self.press(client, tab, &[]).await?;
                tab.goto(&self.world.page(client)).await?;
            }
            Walk::Link { under_way } => {
                if under_way {
                    provider.settings(json!({ "auto_sign_in": null })).await?;
                    self.press(client, tab, &[]).await?;
                    provider.settings(json!({ "auto_sign_in": "sam" })).await?;
                }
                let callback = self.somebody_elses(client).await?;
                let before = provider.requests().await?.len();
                tab.goto(&callback).await?;
                self.settle(client, tab).await;
                return Ok(before);
            }
            Walk::Again => {
                self.press(client, tab, &[]).await?;
                let callback = self.callback_of_the_last(client).await?;
                tab.goto(&callback).await?;
            }
            Walk::Renewal => {
                // auth0-spa-js renews when somebody wants a token: the page does, with this.
                let shared: &[&str] = if *client == AUTH0 { &["bench:shared"] } else { &[] };
                self.press(client, tab, shared).await?;
                let end = Instant::now() + PATIENCE;
                while Instant::now() < end && self.renewals().await? == 0 {
                    sleep(Duration::from_millis(200)).await;
                }
                sleep(AFTER_RENEWAL).await;
            }
        }
        self.settle(client, tab).await;
        Ok(0)
    }

    async fn renewals(&self) -> Result<usize> {
        let posts = self.world.provider.code_posts().await?;
        Ok(posts.iter().filter(|seen| seen.form().contains_key("refresh_token")).count())
    }

    /// Opens the page with these marks in local storage, presses the button, and watches.
    async fn press(&self, client: &Client, tab: &Tab, marks: &[&str]) -> Result {
        let page = self.world.page(client);
        if let Some(mark) = marks.first() {
            // A file of the site that is no page of a client's.
            tab.goto(&format!("{}/shared", self.world.site())).await?;
            tab.eval("localStorage.setItem(arguments[0], '1')", &[mark]).await?;
        }
        tab.goto(&page).await?;
        tab.wait_for(&format!("{}, {FAILURE}", client.ready())).await?;
        if tab.has(client.ready()).await? {
            tab.click("#sign-in").await?;
        }
        self.settle(client, tab).await;
        Ok(())
    }

    /// Watches until nothing happens any more.
    async fn settle(&self, client: &Client, tab: &Tab) {
        let doors = &self.world.doors;
        let end = Instant::now() + PATIENCE;
        let (mut last, mut since) = (None, Instant::now());
        while Instant::now() < end {
            sleep(Duration::from_millis(100)).await;
            let glimpse = self.look(client, tab).await.ok();
            let says_so = glimpse.as_ref().is_some_and(|seen| !seen.failure.is_empty() || !seen.userinfo.is_empty());
            let current = Some((glimpse, doors.log.len(), doors.under_way()));
            if current != last || doors.under_way() > 0 {
                (last, since) = (current, Instant::now());
            } else if since.elapsed() >= if says_so { SHORT } else { LONG } {
                return;
            }
        }
    }

    async fn look(&self, client: &Client, tab: &Tab) -> Result<Glimpse> {
        let script = "const [signedIn, userinfo, failure] = Array.from(arguments, one => document.querySelector(one));
            return {
                url: location.href, signedIn: signedIn !== null, userinfo: userinfo?.textContent ?? '',
                failure: failure?.innerText.replace(/\\s+/g, ' ').trim().slice(0, 160) ?? '',
                scriptRan: document.documentElement.dataset.attacked !== undefined,
            };";
        let seen = tab.eval(script, &[client.signed_in(), client.userinfo(), FAILURE]).await?;
        Ok(Glimpse::read(&seen, &self.world.site()))
    }

    async fn evidence(&self, client: &Client, tab: &Tab, before: usize) -> Result<Evidence> {
        let script = "const all = storage => JSON.stringify(Object.entries(storage));
            return { session: all(sessionStorage), local: all(localStorage), cookie: document.cookie, address: location.href };";
        let found = tab.eval(script, &[]).await?;
        let history = tab.cdp("Page.getNavigationHistory", json!({})).await?;
        let text = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
        Ok(Evidence {
            glimpse: self.look(client, tab).await?,
            places: Places {
                session: text("session"),
                local: text("local"),
                cookie: text("cookie"),
                address: text("address"),
                history: history["entries"].to_string(),
            },
            requests: self.world.provider.requests().await?,
            before,
            mark: MARK,
        })
    }

    /// A callback that the provider has made for somebody else, with a code that has not been used.
    async fn somebody_elses(&self, client: &Client) -> Result<String> {
        let origin = self.world.provider.origin();
        let page = self.world.page(client);
        let target = format!(
            "{origin}/oauth2/authorize?response_type=code&client_id={CLIENT_ID}&redirect_uri={page}&scope=openid&state=somebody-elses"
        );
        let answer = self.http.send(Request::get(target).body(Full::<Bytes>::default())?).await?;
        let location = answer.headers().get("location").and_then(|value| value.to_str().ok());
        let callback = location.filter(|location| location.contains("code=")).context("no code for the attacker")?;
        Ok(callback.to_owned())
    }

    /// The address of the callback that the last sign-in had.
    async fn callback_of_the_last(&self, client: &Client) -> Result<String> {
        let provider = &self.world.provider;
        let asked = provider.requests_to("GET", "/oauth2/authorize").await?;
        let state = asked.last().and_then(|seen| seen.query.get("state").cloned()).context("no state was sent")?;
        let posts = provider.code_posts().await?;
        let code = posts.last().and_then(|seen| seen.form().remove("code")).context("no code was sent")?;
        let mut query = form_urlencoded(&[("code", &code), ("state", &state)]);
        query.insert(0, '?');
        Ok(self.world.page(client) + &query)
    }
}

/// What says that something has failed.
const FAILURE: &str = "#failure:not(:empty), main[data-view=error]";

/// A query: codes and states may have characters that mean something in one.
fn form_urlencoded(pairs: &[(&str, &str)]) -> String {
    let encoded = |text: &str| {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
                other => format!("%{other:02X}"),
            })
            .collect::<String>()
    };
    pairs.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&")
}
