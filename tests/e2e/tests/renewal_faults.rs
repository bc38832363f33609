//! Renewals that go wrong: lies of the provider, too many who ask, lifetimes of no use, a storage
//! that is full, and memberships that are gone.

use std::{collections::BTreeSet, time::Duration};

use polar_signin_e2e::{
    Context, Result, Stage,
    flows::{nothing_is_kept, only_a_session_is_kept, pass_the_provider, signed_in_as},
    pages::{ErrorPage, Organization, SignedInPage, StartPage},
    provider::USERINFO,
    sessions::{
        first_token_lasts, member, record, refuse_the_token, renewals, renewed, signed_in_for, until_generation,
    },
    stage::CLIENT_ID,
    suite,
    tab::eventually,
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

suite![
    rt_05_a_renewed_id_token_of_somebody_else_ends_the_session,
    rt_05_rt_06_a_renewed_id_token_of_the_same_person_goes_on,
    rt_07_many_who_are_refused_make_one_renewal,
    rt_12_short_lifetimes_make_no_storm,
    rt_16_new_tokens_that_find_no_room_are_kept_in_memory,
    rt_19_a_chosen_organization_stays_the_only_one,
    rt_19_a_grant_that_is_gone_ends_the_session_once,
    rt_19_an_organizations_token_that_becomes_its_members_is_not_taken_for_it,
];

const ORGANIZATIONS: &str = "/v1/organizations/";

async fn rt_05_a_renewed_id_token_of_somebody_else_ends_the_session(stage: Stage) -> Result {
    let tab = stage.tab().await?;
    for (fault, code) in [
        (json!({ "claims": { "iss": "https://evil.example" } }), "id_token_issuer"),
        (json!({ "claims": { "sub": "somebody-else" } }), "id_token_subject"),
        (json!({ "claims": { "aud": ["another-app"] } }), "id_token_audience"),
        (json!({ "claims": { "azp": CLIENT_ID } }), "id_token_authorized_party"),
        (json!({ "claims": { "azp": "another-app" } }), "id_token_authorized_party"),
        (json!({ "signature": "flip" }), "id_token_signature"),
        (json!({ "header": { "alg": "none" }, "signature": "empty" }), "id_token_algorithm"),
    ] {
        stage.provider().reset().await?;
        stage.provider().settings(json!({ "refresh_id_token": true })).await?;
        let mut spoilt = json!({ "endpoint": "id_token", "grant": "refresh_token" });
        spoilt.as_object_mut().context("an object")?.extend(fault.as_object().cloned().unwrap_or_default());
        stage.provider().fault(spoilt).await?;
        // The first token is refused, so that the second is asked for right after the sign-in.
        refuse_the_token(&stage).await?;
        let page = StartPage::open(&stage, &tab).await?.sign_in().await?.allow_in_vain("olive").await?;
        assert_eq!(page.code().await?, code, "{fault}");
        nothing_is_kept(page.tab()).await?;
        renewed(&stage, 1).await?;
        // Nobody has used the new token, and the session of before does not come back.
        assert_eq!(stage.provider().requests_to("GET", USERINFO).await?.len(), 1, "{fault}");
        page.tab().reload().await?;
        StartPage::wait(page.tab()).await?;
        nothing_is_kept(page.tab()).await?;
    }
    Ok(())
}

async fn rt_05_rt_06_a_renewed_id_token_of_the_same_person_goes_on(stage: Stage) -> Result {
    stage.provider().settings(json!({ "refresh_id_token": true })).await?;
    refuse_the_token(&stage).await?;
    let page = signed_in_as(&stage, "olive").await?;
    until_generation(page.tab(), 1).await?;
    assert_eq!(page.userinfo("sub").await?, page.subject().await?);
    renewed(&stage, 1).await?;
    only_a_session_is_kept(page.tab()).await
}

async fn rt_07_many_who_are_refused_make_one_renewal(stage: Stage) -> Result {
    // Userinfo and organizations are both refused, and the renewal takes a while.
    let body = json!({ "error": "Unauthorized", "detail": "Unauthorized" }).to_string();
    for endpoint in ["userinfo", "organizations"] {
        stage.provider().fault(json!({ "endpoint": endpoint, "status": 401, "body": body })).await?;
    }
    let slow = json!({ "endpoint": "token", "grant": "refresh_token", "times": 1, "delay_ms": 8000 });
    stage.provider().fault(slow).await?;
    let page = signed_in_as(&stage, "olive").await?;
    // Meanwhile somebody is impatient.
    page.reach_failed_by().await?;
    for _ in 0..10 {
        page.tab().eval("document.querySelector('#retry-organizations, #retry-userinfo')?.click()", &[]).await?;
    }
    assert_eq!(renewals(&stage).await?.len(), 1);
    stage.provider().clear_faults().await?;
    let kept = until_generation(page.tab(), 1).await?;
    assert_eq!(page.userinfo("sub").await?, page.subject().await?);
    page.reach().await?;
    renewed(&stage, 1).await?;
    // Whoever was refused asked once more with the new token, and only once.
    let new = format!("Bearer {}", member(&kept, "access_token"));
    for path in [USERINFO, ORGANIZATIONS] {
        let asked = stage.provider().requests_to("GET", path).await?;
        let with_new = asked.iter().filter(|seen| seen.headers.get("authorization") == Some(&new)).count();
        assert_eq!(with_new, 1, "{path}");
    }
    assert!(!page.tab().has("[data-error-code]").await?);
    Ok(())
}

async fn rt_12_short_lifetimes_make_no_storm(stage: Stage) -> Result {
    stage.provider().settings(json!({ "refreshed_lifetime": 1 })).await?;
    let first = stage.tab().await?;
    let mut tabs = Vec::new();
    for seconds in [30, 1, 0, i64::MAX] {
        let tab = if tabs.is_empty() { first.clone() } else { stage.another_tab(&first).await? };
        first_token_lasts(&stage, seconds).await?;
        StartPage::open(&stage, &tab).await?;
        let since = Instant::now();
        tab.click("#sign-in").await?;
        pass_the_provider(&tab, "olive").await?;
        tabs.push((seconds, tab, since, BTreeSet::new()));
    }
    let end = Instant::now() + Duration::from_secs(36);
    while Instant::now() < end {
        for (_, tab, _, seen) in &mut tabs {
            seen.insert(member(&record(tab).await?, "refresh_token"));
        }
        sleep(Duration::from_millis(300)).await;
    }
    let mut sum = 0;
    for (seconds, tab, since, tokens) in &tabs {
        let renewed = record(tab).await?["generation"].as_u64().context("no generation")?;
        let allowed = since.elapsed().as_secs() / 30 + 1;
        let wanted = if *seconds == i64::MAX { 0..=0 } else { 1..=allowed };
        assert!(wanted.contains(&renewed), "{seconds}: {renewed} renewals, allowed {allowed}");
        let all = renewals(&stage).await?.into_iter();
        let mine = all.filter(|seen| tokens.contains(&seen.form()["refresh_token"]));
        let times: Vec<u64> = mine.map(|seen| seen.millis).collect();
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 29_500), "{seconds}: {times:?}");
        SignedInPage::wait(tab).await?;
        assert!(!tab.has("[data-error-code]").await?, "{seconds}");
        sum += renewed;
    }
    assert_eq!(renewals(&stage).await?.len() as u64, sum);
    Ok(())
}

async fn rt_16_new_tokens_that_find_no_room_are_kept_in_memory(stage: Stage) -> Result {
    let page = signed_in_for(&stage, 8).await?;
    let tab = page.tab();
    let before = record(tab).await?;
    // The storage is full to the last byte, and the new set is longer than the old.
    tab.eval(
        "let size = 1 << 20;
         for (let number = 0; size >= 1; number += 1) {
             try { sessionStorage.setItem('filler' + number, 'x'.repeat(size)) } catch { size >>= 1 }
         }",
        &[],
    )
    .await?;
    let long = format!("polar_at_u_{}", "x".repeat(20_000));
    let fault =
        json!({ "endpoint": "token", "grant": "refresh_token", "times": 1, "json_merge": { "access_token": long } });
    stage.provider().fault(fault).await?;
    renewed(&stage, 1).await?;
    tab.until("it says so", "return document.querySelector('.notice')?.innerText.includes('keeps nothing')", &[])
        .await?;
    assert_eq!(page.subject().await?, page.userinfo("sub").await?);
    // What is used up is not left behind, nor is anything else of it.
    for name in ["refresh_token", "access_token"] {
        let old = member(&before, name);
        let found = tab.eval("return JSON.stringify({ ...sessionStorage }).includes(arguments[0])", &[&old]).await?;
        assert_eq!(found, Value::Bool(false), "{name}");
    }
    nothing_is_kept(tab).await?;
    tab.reload().await?;
    StartPage::wait(tab).await?;
    renewed(&stage, 1).await?;
    Ok(())
}

/// Sam, for the second of the three organizations.
async fn sam_for_one(stage: &Stage) -> Result<(SignedInPage, Organization)> {
    let tab = stage.tab().await?;
    let consent = StartPage::open(stage, &tab).await?.sign_in_with_organization().await?.person("sam").await?;
    let chosen = consent.organizations().await?.remove(1);
    let page = consent.choose(&chosen).await?.allow().await?;
    Ok((page, chosen))
}

async fn rt_19_a_chosen_organization_stays_the_only_one(stage: Stage) -> Result {
    refuse_the_token(&stage).await?;
    let (page, chosen) = sam_for_one(&stage).await?;
    let kept = until_generation(page.tab(), 1).await?;
    // With the new token, after a reload: nothing of this comes from memory.
    page.tab().reload().await?;
    let reach = SignedInPage::wait(page.tab()).await?.reach().await?;
    assert_eq!(reach.kind, "selected");
    assert_eq!(reach.organizations.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), [chosen.id.as_str()]);
    let asked = stage.provider().requests_to("GET", ORGANIZATIONS).await?;
    let new = format!("Bearer {}", member(&kept, "access_token"));
    assert_eq!(asked.last().and_then(|seen| seen.headers.get("authorization")), Some(&new));
    // The membership ends: the session goes on and says that it reaches nothing.
    stage.provider().leave_organization("sam", &chosen.slug).await?;
    page.tab().reload().await?;
    let page = SignedInPage::wait(page.tab()).await?;
    eventually("waiting for the reach to be empty".to_owned(), async || {
        let reach = page.reach().await?;
        if reach.organizations.is_empty() { Ok(()) } else { None.context(reach.text) }
    })
    .await?;
    assert!(!page.tab().has("[data-error-code]").await?);
    renewed(&stage, 1).await?;
    only_a_session_is_kept(page.tab()).await
}

async fn rt_19_a_grant_that_is_gone_ends_the_session_once(stage: Stage) -> Result {
    let (page, _) = sam_for_one(&stage).await?;
    page.reach().await?;
    page.userinfo("sub").await?;
    stage.provider().revoke_everything().await?;
    page.tab().reload().await?;
    let error = ErrorPage::wait(page.tab()).await?;
    assert_eq!(error.code().await?, "session_expired");
    assert!(error.offers_a_way_on().await?);
    nothing_is_kept(page.tab()).await?;
    renewed(&stage, 1).await?;
    assert_eq!(page.tab().url().await?, stage.site(), "nobody is sent anywhere");
    Ok(())
}

async fn rt_19_an_organizations_token_that_becomes_its_members_is_not_taken_for_it(stage: Stage) -> Result {
    stage.provider().settings(json!({ "organizations": "earlier", "organizations_migrate": true })).await?;
    first_token_lasts(&stage, 6).await?;
    let (page, chosen) = sam_for_one(&stage).await?;
    assert_eq!(page.subject().await?, chosen.id);
    let error = ErrorPage::wait(page.tab()).await?;
    assert_eq!(error.code().await?, "userinfo_subject");
    nothing_is_kept(page.tab()).await?;
    renewed(&stage, 1).await?;
    // Not for a moment was it sam's.
    assert!(!error.all_text().await?.contains("sam@"));
    Ok(())
}
