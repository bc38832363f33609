//! The app on hosts as people run them, with the recipes of `examples/hosting` and `docs/hosting.md`.

use std::{fs, process::Output, time::Duration};

use http_body_util::Full;
use hyper::{Method, Request, Response, StatusCode, body::Bytes};
use polar_signin_e2e::{
    Context, Result, Stage, Tab,
    flows::{codes_were_sent, nothing_is_kept},
    host::{Host, recipe},
    http::Http,
    hygiene,
    pages::{SignedInPage, StartPage},
    settings::Engine,
    stage::BASE,
    suite,
};
use serde_json::{Value, json};

suite![
    st_07_st_09_nginx_carries_a_whole_session,
    st_07_a_policy_in_the_page_carries_a_whole_session,
    st_11_nginx_says_of_each_file_what_it_is_and_how_long_it_may_be_kept,
    st_11_an_address_that_is_not_there_is_no_app_and_repeats_nothing,
    st_11_a_service_worker_by_the_recipe_keeps_no_answer,
    st_11_the_deploy_check_finds_what_is_wrong,
];

/// What no page of the app may have been in: an address with an answer of the provider.
const SECRET: &str = "a-code-that-nobody-may-repeat";

/// Signs in, has the token renewed, reloads, signs out.
async fn a_whole_session(stage: &Stage, host: &Host) -> Result<Tab> {
    let short = json!({ "endpoint": "token", "times": 1, "json_merge": { "expires_in": 10 } });
    stage.provider().fault(short).await?;
    let (tab, page) = host.open(stage).await?;
    let page = page.sign_in().await?.allow_as("olive").await?;
    page.reach().await?;
    let subject = page.subject().await?;
    assert_eq!(page.userinfo("sub").await?, subject);
    assert_eq!(tab.url().await?, host.site(), "the answer is still in the address");
    // The one with the code, and its renewal.
    for _ in 0..150 {
        if stage.provider().code_posts().await?.len() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    codes_were_sent(stage, 2).await?;
    tab.reload().await?;
    let page = SignedInPage::wait(&tab).await?;
    assert_eq!(page.userinfo("sub").await?, subject);
    page.sign_out().await?;
    nothing_is_kept(&tab).await?;
    hygiene::check(tab.browser(), stage).await?;
    for line in tab.browser().console().await? {
        assert_ne!(line.level, "SEVERE", "in the console: {}", line.message);
    }
    Ok(tab)
}

/// That the page's policy is at work: each of these would be a hole.
async fn the_policy_is_enforced(tab: &Tab) -> Result {
    for sink in [
        "document.createElement('div').innerHTML = '<b>x</b>'",
        "document.createElement('script').src = 'own.js'",
        "document.createElement('script').text = '1'",
        "new DOMParser().parseFromString('<b>x</b>', 'text/html')",
    ] {
        let script = format!("try {{ {sink}; return 'nothing' }} catch (error) {{ return error.name }}");
        assert_eq!(tab.eval_text(&script, &[]).await?, "TypeError", "{sink}");
    }
    let policy = tab.eval("return trustedTypes.defaultPolicy ?? null", &[]).await?;
    assert_eq!(policy, Value::Null, "a default policy would let every text through");
    let refused = "const done = arguments[0];
        return fetch(arguments[0]).then(() => 'an answer', error => error.name)";
    let elsewhere = "http://127.0.0.1:9/";
    assert_eq!(tab.eval_text(refused, &[elsewhere]).await?, "TypeError");
    // This page has done what none may; what the browser said of it is no fault of the app.
    tab.goto("about:blank").await?;
    tab.browser().forget_console().await;
    Ok(())
}

async fn st_07_st_09_nginx_carries_a_whole_session(stage: Stage) -> Result {
    let host = Host::nginx(&stage, |recipe| recipe).await?;
    let tab = a_whole_session(&stage, &host).await?;
    the_policy_is_enforced(&tab).await?;
    let logs = host.logs()?;
    assert!(logs.contains(&format!("\"GET {BASE}index.html\" 200")), "{logs}");
    for parameter in ["code=", "state=", "?"] {
        assert!(!logs.contains(parameter), "{parameter} is in a log: {logs}");
    }
    Ok(())
}

async fn st_07_a_policy_in_the_page_carries_a_whole_session(stage: Stage) -> Result {
    let guide = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/hosting.md"))?;
    let line = guide.lines().find(|line| line.contains("<meta http-equiv")).context("the guide has no tag")?;
    let provider = stage.provider().origin();
    let tag = line.trim().replace("https://api.polar.sh", provider);
    let tag = tag.replace("img-src 'self' https:", &format!("img-src 'self' https: {provider}"));
    let host = Host::without_headers(&stage, &tag).await?;
    let (status, headers, _) = ask(&host, Method::GET, BASE).await?;
    assert_eq!((status, headers.get("content-security-policy")), (StatusCode::OK, None));
    let tab = a_whole_session(&stage, &host).await?;
    // What the tag cannot do: another page may put this one into a frame. The app then shows no button.
    the_policy_is_enforced(&tab).await?;
    let checked = host.check(&["--meta"])?;
    assert!(checked.status.success(), "{}", said(&checked));
    Ok(())
}

async fn ask(host: &Host, method: Method, path: &str) -> Result<(StatusCode, hyper::HeaderMap, Bytes)> {
    let request = Request::builder().method(method).uri(format!("{}{path}", host.origin));
    let response: Response<Bytes> = Http::default().send(request.body(Full::default())?).await?;
    let (parts, body) = response.into_parts();
    Ok((parts.status, parts.headers, body))
}

async fn st_11_nginx_says_of_each_file_what_it_is_and_how_long_it_may_be_kept(stage: Stage) -> Result {
    let host = Host::nginx(&stage, |recipe| recipe).await?;
    let forever = "public, max-age=31536000, immutable";
    let policy = format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self' {0}; img-src \
         'self' https: {0}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for \
         'script'",
        stage.provider().origin()
    );
    let mut kinds = std::collections::BTreeSet::new();
    let mut paths = vec![String::new()];
    for entry in fs::read_dir(host.dir())? {
        paths.push(entry?.file_name().to_string_lossy().into_owned());
    }
    for name in paths.iter().filter(|name| !name.starts_with('.')) {
        let (status, headers, body) = ask(&host, Method::GET, &format!("{BASE}{name}")).await?;
        let file = if name.is_empty() { "index.html" } else { name };
        let (stem, kind) = file.rsplit_once('.').context("a file without a kind")?;
        kinds.insert(kind.to_owned());
        let content_type = match kind {
            "html" => "text/html; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "json" => "application/json",
            "wasm" => "application/wasm",
            "svg" => "image/svg+xml",
            other => panic!("what is {other}?"),
        };
        let has_hash = stem.contains('-');
        let expected = [
            ("content-type", content_type),
            ("cache-control", if has_hash { forever } else { "no-store" }),
            ("content-security-policy", policy.as_str()),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("strict-transport-security", "max-age=31536000"),
            ("server", "nginx"),
        ];
        assert_eq!(status, StatusCode::OK, "{name}");
        assert_eq!(body, fs::read(host.dir().join(file))?, "{name}");
        for (header, value) in expected {
            let all: Vec<_> = headers.get_all(header).iter().collect();
            assert_eq!(all, [value], "{header} of {name}");
        }
        if has_hash {
            // The recipe for Netlify and Cloudflare names these files one by one.
            let rules = recipe("_headers")?;
            let rule = rules.lines().any(|line| {
                line.strip_suffix('*').is_some_and(|start| start.len() > 1 && format!("/{file}").starts_with(start))
            });
            assert!(rule, "_headers has no rule for {file}");
        }
    }
    assert_eq!(kinds.iter().map(String::as_str).collect::<Vec<_>>(), ["css", "html", "js", "json", "svg", "wasm"]);
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let (status, ..) = ask(&host, method.clone(), BASE).await?;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
    }
    Ok(())
}

async fn st_11_an_address_that_is_not_there_is_no_app_and_repeats_nothing(stage: Stage) -> Result {
    let host = Host::nginx(&stage, |recipe| recipe).await?;
    fs::write(host.dir().join(".hidden"), "x")?;
    let query = format!("?code={SECRET}&state={SECRET}");
    for path in [
        "/".to_owned(),
        "/callback".to_owned(),
        format!("{BASE}callback"),
        format!("{BASE}callback/"),
        BASE.trim_end_matches('/').to_owned(),
        format!("{BASE}index.html/more"),
        format!("{BASE}.hidden"),
        format!("{BASE}%2e%2e/%2e%2e/site.conf"),
        // As after another deployment: it must not be remembered as missing.
        format!("{BASE}app-0123456789abcdef.js"),
    ] {
        let (status, headers, body) = ask(&host, Method::GET, &format!("{path}{query}")).await?;
        let body = String::from_utf8_lossy(&body);
        assert!(status == StatusCode::NOT_FOUND || status == StatusCode::BAD_REQUEST, "{path}: {status}");
        assert!(!body.contains("data-wasm") && !body.contains(SECRET), "{path}: {body}");
        for (name, value) in &headers {
            assert!(!value.to_str()?.contains(SECRET), "{path}: the code is in {name}");
        }
        assert!(headers["cache-control"] == "no-store", "{path}: {:?}", headers["cache-control"]);
        assert!(headers.contains_key("content-security-policy"), "{path}");
    }
    // Nor does anything happen in a browser that was sent there.
    let tab = stage.tab().await?;
    tab.goto(&format!("{}{BASE}callback{query}", host.origin)).await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!tab.has("main").await?);
    nothing_is_kept(&tab).await?;
    assert!(stage.provider().code_posts().await?.is_empty());
    assert!(!host.logs()?.contains(SECRET), "{}", host.logs()?);
    // The browser's own word on a page that is not there.
    tab.goto("about:blank").await?;
    tab.browser().forget_console().await;
    Ok(())
}

async fn st_11_a_service_worker_by_the_recipe_keeps_no_answer(stage: Stage) -> Result {
    let host = Host::nginx(&stage, |recipe| recipe).await?;
    fs::write(host.dir().join("service-worker.js"), recipe("service-worker.js")?)?;
    let (tab, _) = host.open(&stage).await?;
    tab.eval(
        "const policy = trustedTypes.createPolicy('test', { createScriptURL: address => address });
         return navigator.serviceWorker.register(policy.createScriptURL('service-worker.js'))
             .then(() => navigator.serviceWorker.ready).then(() => true)",
        &[],
    )
    .await?;
    tab.until("the service worker has the page", "return navigator.serviceWorker.controller !== null", &[]).await?;
    tab.reload().await?;
    let page = StartPage::wait(&tab).await?.sign_in().await?.allow_as("olive").await?;
    page.reach().await?;
    let kept = "return caches.keys().then(names => Promise.all(names.map(name => caches.open(name))))
        .then(all => Promise.all(all.map(cache => cache.keys())))
        .then(all => all.flat().map(request => request.url))";
    let kept = tab.eval(kept, &[]).await?;
    let kept: Vec<&str> = kept.as_array().context("no list")?.iter().filter_map(Value::as_str).collect();
    // WebKit shows the page no record that the service worker has put, not even to whoever puts another in its place.
    let is_shown = tab.browser().engine() != Engine::WebKit;
    assert!(!is_shown || kept.iter().any(|url| url.ends_with(".wasm")), "it kept nothing: {kept:?}");
    for url in kept {
        let name = url.strip_prefix(&host.site()).context(format!("{url} is not the app's"))?;
        assert!(name.contains('-') && !name.contains('?'), "{url} is kept");
    }
    codes_were_sent(&stage, 1).await
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

async fn st_11_the_deploy_check_finds_what_is_wrong(stage: Stage) -> Result {
    let host = Host::nginx(&stage, |recipe| recipe).await?;
    let checked = host.check(&[])?;
    assert!(checked.status.success(), "{}", said(&checked));
    assert!(said(&checked).ends_with("all is well\n"), "{}", said(&checked));
    let provider = stage.provider().origin();
    let connect = format!("connect-src 'self' {provider}");
    for (right, wrong, complaint) in [
        // As if for a router, which the app does not have.
        ("index.html =404;", "index.html /some/sub/index.html;", "an address that is not there is a 404"),
        ("default \"no-store\"", "default \"public, max-age=600\"", "the page is kept by no cache"),
        ("default \"no-store\"", "default \"public, max-age=600\"", "config.json is kept by no cache"),
        (&connect, "connect-src 'self'", &format!("connect-src has {provider}")),
        ("style-src 'self'", "style-src 'self' 'unsafe-inline'", "the policy has no 'unsafe-inline'"),
        ("; require-trusted-types-for 'script'", "", "the policy has require-trusted-types-for 'script'"),
        ("frame-ancestors 'none'; ", "", "the policy has frame-ancestors 'none'"),
        ("application/wasm wasm;", "", "_bg.wasm is application/wasm"),
        ("\"nosniff\"", "\"none\"", "X-Content-Type-Options: nosniff"),
        ("\"no-referrer\"", "\"unsafe-url\"", "Referrer-Policy: no-referrer"),
    ] {
        let broken = Host::nginx(&stage, |recipe| {
            assert!(recipe.contains(right), "{right}");
            recipe.replace(right, wrong)
        })
        .await?;
        let checked = broken.check(&[])?;
        assert!(!checked.status.success(), "{wrong} is fine?\n{}", said(&checked));
        let complains = said(&checked).lines().any(|line| line.starts_with("FAILED") && line.contains(complaint));
        assert!(complains, "{wrong}: {}", said(&checked));
    }
    Ok(())
}
