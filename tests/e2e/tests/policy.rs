//! What the app does where a policy, a host or a browser is stricter, laxer or more eager than it should be.

use std::{fs, process::Command, time::Duration};

use hyper::header::{CACHE_CONTROL, HeaderName, HeaderValue, REFERRER_POLICY};
use polar_signin_e2e::{
    Context, Result, Stage, Tab,
    flows::{codes_were_sent, kept, nothing_is_kept, only_a_session_is_kept, pass_the_provider, signed_in_as},
    gateway::Rule,
    pages::{ErrorPage, SignedInPage, StartPage},
    settings::Settings,
    stage::BASE,
    suite,
    tab::eventually,
};
use serde_json::json;

suite![
    pm_12_nobody_is_signed_in_silently,
    st_08_a_policy_without_the_token_endpoint_is_a_network_error_once,
    st_08_a_policy_without_the_keys_is_a_network_error_once,
    st_09_st_16_what_is_shipped_is_fit_for_a_release,
    st_10_a_lax_host_hands_no_address_on,
    st_12_a_page_out_of_the_browsers_memory_shows_what_is_true_now,
    st_16_a_file_that_was_changed_is_not_run,
    st_12_a_page_that_is_prepared_redeems_nothing_until_it_is_visited,
];

/// The site's pages with this header in place of their own.
fn with_header(stage: &Stage, name: HeaderName, value: &str) -> Result {
    stage.gateway().rule(BASE, Rule::Header(name, HeaderValue::from_str(value)?));
    Ok(())
}

/// The recommended policy, but for these addresses.
fn connecting_to(stage: &Stage, addresses: &[&str]) -> Result {
    let provider = stage.provider().origin();
    let addresses: String = addresses.iter().map(|address| format!(" {provider}{address}")).collect();
    let policy = format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'{addresses}; \
         img-src 'self' https: {provider}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'"
    );
    with_header(stage, HeaderName::from_static("content-security-policy"), &policy)
}

/// Signs in under such a policy, and expects an error that stays.
async fn is_a_network_error_once(stage: &Stage, codes: usize) -> Result {
    let tab = stage.tab().await?;
    StartPage::open(stage, &tab).await?.sign_in().await?.person("olive").await?.decide("allow").await?;
    // Not as usual: the browser does complain on the console, and that is what is waited for.
    eventually("waiting for the error".to_owned(), async || {
        let code = tab.attribute("[data-error-code]", "data-error-code").await?;
        if code.as_deref() == Some("network") { Ok(()) } else { None.context(tab.describe().await) }
    })
    .await?;
    let text = ErrorPage::wait(&tab).await?.all_text().await?;
    assert!(text.contains("Content-Security-Policy"), "{text}");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(tab.url().await?, stage.site());
    assert_eq!(stage.provider().requests_to("GET", "/oauth2/authorize").await?.len(), 1, "it goes round and round");
    codes_were_sent(stage, codes).await?;
    nothing_is_kept(&tab).await?;
    // A reload does not begin it again either.
    tab.reload().await?;
    tab.wait_for("main:not(#shell)").await?;
    codes_were_sent(stage, codes).await?;
    tab.browser().forget_console().await;
    Ok(())
}

async fn st_08_a_policy_without_the_token_endpoint_is_a_network_error_once(stage: Stage) -> Result {
    connecting_to(&stage, &["/.well-known/"])?;
    is_a_network_error_once(&stage, 0).await
}

async fn st_08_a_policy_without_the_keys_is_a_network_error_once(stage: Stage) -> Result {
    connecting_to(&stage, &["/.well-known/openid-configuration", "/v1/"])?;
    // The code goes out beside the request for the keys; its answer is not believed without them.
    is_a_network_error_once(&stage, 1).await
}

async fn st_09_st_16_what_is_shipped_is_fit_for_a_release(stage: Stage) -> Result {
    let settings = Settings::from_env()?;
    let look = |dir: &std::path::Path| -> Result<(bool, String)> {
        let output = Command::new(&settings.xtask).args(["artefacts", "--dir"]).arg(dir).output()?;
        Ok((output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned()))
    };
    let (fit, complaint) = look(&settings.dist)?;
    assert!(fit, "{complaint}");
    // It looks into every file: one at a time has what it must not.
    let copy = std::env::temp_dir().join(format!("polar-signin-shipped-{}", std::process::id()));
    for entry in fs::read_dir(&settings.dist)? {
        let path = entry?.path();
        let name = path.file_name().context("a name")?.to_owned();
        if name.to_string_lossy().starts_with('.') {
            continue;
        }
        for bad in [stage.provider().origin(), "-----BEGIN PRIVATE KEY-----", "x.innerHTML=y"] {
            fs::create_dir_all(&copy)?;
            for file in fs::read_dir(&settings.dist)? {
                let file = file?.path();
                fs::copy(&file, copy.join(file.file_name().context("a name")?))?;
            }
            let mut bytes = fs::read(&path)?;
            bytes.extend_from_slice(bad.as_bytes());
            fs::write(copy.join(&name), bytes)?;
            let outcome = look(&copy);
            fs::remove_dir_all(&copy)?;
            let (fit, complaint) = outcome?;
            assert!(!fit && complaint.contains(&*name.to_string_lossy()), "{bad} in {}: {complaint}", name.display());
        }
    }
    Ok(())
}

async fn pm_12_nobody_is_signed_in_silently(stage: Stage) -> Result {
    let short = json!({ "endpoint": "token", "times": 1, "json_merge": { "expires_in": 10 } });
    stage.provider().fault(short).await?;
    let page = signed_in_as(&stage, "olive").await?;
    let tab = page.tab();
    eventually("waiting for the renewal".to_owned(), async || codes_were_sent(&stage, 2).await).await?;
    // The provider still knows the person: a hidden frame would get through.
    page.sign_out().await?;
    for _ in 0..2 {
        tab.reload().await?;
        StartPage::wait(tab).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        StartPage::wait(tab).await?;
        let frames = "return document.querySelectorAll('iframe, frame, object, embed').length
            + performance.getEntriesByType('resource').filter(entry => entry.initiatorType === 'iframe').length";
        assert_eq!(tab.eval(frames, &[]).await?, json!(0));
    }
    nothing_is_kept(tab).await?;
    let asked = stage.provider().requests_to("GET", "/oauth2/authorize").await?;
    assert_eq!(asked.len(), 1, "the provider was asked without a click");
    assert!(!asked[0].query.contains_key("prompt"));
    Ok(())
}

async fn st_10_a_lax_host_hands_no_address_on(stage: Stage) -> Result {
    with_header(&stage, REFERRER_POLICY, "unsafe-url")?;
    let page = signed_in_as(&stage, "olive").await?;
    page.reach().await?;
    page.userinfo("sub").await?;
    let tab = page.tab();
    // As a link to anywhere that the page may have.
    let elsewhere = format!("{}/sink", stage.provider().origin());
    let click =
        "const link = document.createElement('a'); link.href = arguments[0]; document.body.append(link); link.click()";
    tab.eval(click, &[&elsewhere]).await?;
    tab.until_url("elsewhere", |url| url == elsewhere).await?;
    assert_eq!(tab.eval_text("return document.referrer", &[]).await?, "");
    let site = stage.gateway().origin();
    let seen = stage.provider().requests().await?;
    assert!(seen.iter().any(|seen| seen.path == "/sink"));
    for seen in seen {
        let referrer = seen.headers.get("referer").map_or("", String::as_str);
        assert!(!referrer.contains(&site), "{} {} has the referrer {referrer}", seen.method, seen.path);
    }
    for asked in stage.gateway().requests() {
        let referrer = asked.referer.unwrap_or_default();
        assert!(!referrer.contains(&site), "{} has the referrer {referrer}", asked.target);
    }
    tab.back().await?;
    SignedInPage::wait(tab).await?;
    tab.browser().forget_console().await;
    Ok(())
}

async fn st_12_a_page_out_of_the_browsers_memory_shows_what_is_true_now(stage: Stage) -> Result {
    // A page that caches may keep is one that browsers keep in memory: a host that is laxer than it should be.
    with_header(&stage, CACHE_CONTROL, "max-age=600")?;
    let page = signed_in_as(&stage, "olive").await?;
    let (subject, email) = (page.subject().await?, page.field("email").await?);
    let tab = page.tab();
    let mark = "window.left = true";
    tab.eval(mark, &[]).await?;
    let elsewhere = format!("{}nothing-here", stage.site());
    tab.goto(&elsewhere).await?;
    tab.back().await?;
    let page = SignedInPage::wait(tab).await?;
    assert_eq!(page.subject().await?, subject);
    let from_memory = tab.eval("return window.left === true", &[]).await?;
    assert_eq!(from_memory, json!(true), "the browser did not keep the page: this test shows nothing");
    only_a_session_is_kept(tab).await?;
    codes_were_sent(&stage, 1).await?;

    let shows_nobody = async || -> Result {
        StartPage::wait(tab).await?;
        let text = tab.eval_text("return document.documentElement.outerHTML", &[]).await?;
        assert!(!text.contains(&email) && !text.contains(&subject), "the person is still on the page");
        nothing_is_kept(tab).await
    };
    // Signed out on another page of this tab, and back.
    tab.goto(&(stage.site() + "?again")).await?;
    SignedInPage::wait(tab).await?.sign_out().await?;
    tab.back().await?;
    shows_nobody().await?;
    codes_were_sent(&stage, 1).await?;
    assert_eq!(stage.provider().requests_to("GET", "/oauth2/authorize").await?.len(), 1);

    // What was kept goes while nobody sees the page. Firefox hands that from process to process late.
    if tab.browser().engine().has_cdp() {
        tab.click("#sign-in-again, #sign-in").await?;
        pass_the_provider(tab, "olive").await?;
        tab.eval(mark, &[]).await?;
        tab.goto(&elsewhere).await?;
        tab.eval("sessionStorage.clear()", &[]).await?;
        tab.back().await?;
        shows_nobody().await?;
        assert_eq!(tab.eval("return window.left === true", &[]).await?, json!(true), "it did not come out of memory");
    }
    tab.browser().forget_console().await;
    Ok(())
}

async fn st_12_a_page_that_is_prepared_redeems_nothing_until_it_is_visited(stage: Stage) -> Result {
    let tab = stage.tab().await?;
    // A driven browser prepares no pages by itself; this one is told that it is being prepared.
    tab.before_every_page(
        "if (location.search.includes('code='))
            Object.defineProperty(document, 'prerendering', { value: true, configurable: true });",
    )
    .await?;
    let consent = StartPage::open(&stage, &tab).await?.sign_in().await?.person("olive").await?;
    consent.decide("allow").await?;
    stage.gateway().callback().await?;
    tab.until("the app has started", "return document.querySelector('#shell') === null", &[]).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    codes_were_sent(&stage, 0).await?;
    let left = kept(&tab).await?;
    assert!(left.len() == 1 && left[0].starts_with("transaction:"), "{left:?}");
    tab.eval("delete document.prerendering; document.dispatchEvent(new Event('prerenderingchange'))", &[]).await?;
    SignedInPage::wait(&tab).await?;
    assert_eq!(tab.url().await?, stage.site());
    codes_were_sent(&stage, 1).await?;
    only_a_session_is_kept(&tab).await
}

/// The name of the shipped file that begins and ends so.
fn shipped(begins: &str, ends: &str) -> Result<(String, Vec<u8>)> {
    for entry in fs::read_dir(Settings::from_env()?.dist)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with(begins) && name.ends_with(ends) {
            return Ok((name, fs::read(path)?));
        }
    }
    None.context(format!("no {begins}…{ends} is shipped"))
}

/// Opens the site while this file is another than the one it was built with.
async fn with_changed(stage: &Stage, name: &str, content_type: &'static str, body: String) -> Result<Tab> {
    stage.gateway().reset();
    stage.gateway().rule(&format!("/{name}"), Rule::Answer { status: 200, content_type, body });
    let tab = stage.tab().await?;
    tab.goto(&stage.site()).await?;
    Ok(tab)
}

async fn st_16_a_file_that_was_changed_is_not_run(stage: Stage) -> Result {
    let changed = "globalThis.changed = true;\n";
    let (module, text) = shipped("app-", ".js")?;
    let (wasm, _) = shipped("app-", ".wasm")?;
    let text = changed.to_owned() + &String::from_utf8(text)?;
    for (name, content_type, body) in
        [(module, "text/javascript", text), (wasm, "application/wasm", "\0asm\u{1}\0\0\0".to_owned())]
    {
        let tab = with_changed(&stage, &name, content_type, body).await?;
        let says = "return document.querySelector('main').dataset.view === 'error'
            && document.querySelector('main').innerText.includes('did not arrive')";
        eventually(format!("waiting until the page says that {name} did not arrive"), async || {
            let said = tab.eval(says, &[]).await? == json!(true);
            said.then_some(()).context(tab.describe().await)
        })
        .await?;
        assert!(!tab.has("#sign-in").await?, "a button that does nothing");
        assert_eq!(tab.eval("return globalThis.changed === true", &[]).await?, json!(false), "{name} was run");
        tab.browser().forget_console().await;
    }
    let (name, boot) = shipped("boot-", ".js")?;
    let boot = changed.to_owned() + &String::from_utf8(boot)?;
    let tab = with_changed(&stage, &name, "text/javascript", boot).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(tab.eval("return globalThis.changed === true", &[]).await?, json!(false), "{name} was run");
    assert!(tab.has("#shell").await?, "the app was started");
    tab.browser().forget_console().await;
    let (style, _) = shipped("style-", ".css")?;
    let tab = with_changed(&stage, &style, "text/css", "main { display: none }".to_owned()).await?;
    StartPage::wait(&tab).await?;
    assert!(tab.text("main").await?.contains("Sign in"), "the style was applied");
    tab.browser().forget_console().await;
    Ok(())
}
