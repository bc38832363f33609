//! Renewal, and one session in several tabs: what a person has who leaves a page open.

use std::{collections::BTreeSet, time::Duration};

use polar_signin_e2e::{
    Result, Stage,
    flows::{nothing_is_kept, only_a_session_is_kept, pass_the_provider, signed_in_as},
    pages::{ErrorPage, SignedInPage, StartPage},
    sessions::{duplicate, member, record, refuse_the_grant, refuse_the_token, renewals, renewed, signed_in_for},
    suite,
};
use serde_json::json;

suite![
    rt_02_a_token_is_renewed_before_it_ends,
    rt_08_duplicated_tabs_share_one_refresh_token,
    rt_10_a_provider_that_is_busy_ends_no_session,
    rt_09_lo_09_a_revoked_session_ends_once,
    ui_05_a_refused_token_is_renewed_and_userinfo_asked_again,
    lo_07_the_other_tabs_follow_a_sign_out,
];

async fn rt_02_a_token_is_renewed_before_it_ends(stage: Stage) -> Result {
    let page = signed_in_for(&stage, 10).await?;
    let before = record(page.tab()).await?;
    let seen = renewed(&stage, 1).await?;
    assert_eq!(seen[0].form_names(), ["grant_type", "refresh_token", "client_id"]);
    assert_eq!(seen[0].form()["refresh_token"], member(&before, "refresh_token"));
    let after = record(page.tab()).await?;
    for name in ["access_token", "refresh_token"] {
        assert!(!member(&after, name).is_empty());
        assert_ne!(member(&after, name), member(&before, name), "{name}");
    }
    assert_eq!(after["generation"], 1);
    // Nobody has noticed but the clock on the page.
    let left = page.field("expires").await?;
    assert!(left.contains("days") || left.contains(':'), "{left}");
    assert_eq!(page.subject().await?, page.userinfo("sub").await?);
    page.tab().reload().await?;
    SignedInPage::wait(page.tab()).await?;
    only_a_session_is_kept(page.tab()).await
}

async fn rt_08_duplicated_tabs_share_one_refresh_token(stage: Stage) -> Result {
    let page = signed_in_for(&stage, 25).await?;
    let first = page.tab().clone();
    let tabs = [duplicate(&first, &stage).await?, duplicate(&first, &stage).await?, first];
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let mut holders = 0;
    for tab in &tabs {
        holders += usize::from(!member(&record(tab).await?, "refresh_token").is_empty());
    }
    assert_eq!(holders, 1, "tabs that keep the refresh token");
    renewed(&stage, 1).await?;
    let mut tokens = BTreeSet::new();
    for tab in &tabs {
        let kept = record(tab).await?;
        assert_eq!(kept["generation"], 1);
        tokens.insert(member(&kept, "access_token"));
        SignedInPage::wait(tab).await?;
        assert!(!tab.has("[data-error-code]").await?);
    }
    assert_eq!(tokens.len(), 1, "all have the new access token");
    Ok(())
}

async fn rt_10_a_provider_that_is_busy_ends_no_session(stage: Stage) -> Result {
    let page = signed_in_for(&stage, 8).await?;
    let fault = json!({ "endpoint": "token", "times": 1, "status": 429, "body": "{}" });
    stage.provider().fault(fault).await?;
    renewed(&stage, 1).await?;
    // Its access token ends meanwhile.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let page = SignedInPage::wait(page.tab()).await?;
    assert!(page.field("renewal").await?.contains("made again"));
    only_a_session_is_kept(page.tab()).await?;
    assert_eq!(renewals(&stage).await?.len(), 1, "not before its time");
    Ok(())
}

async fn rt_09_lo_09_a_revoked_session_ends_once(stage: Stage) -> Result {
    let page = signed_in_for(&stage, 8).await?;
    refuse_the_grant(&stage).await?;
    let error = ErrorPage::wait(page.tab()).await?;
    assert_eq!(error.code().await?, "session_expired");
    nothing_is_kept(page.tab()).await?;
    renewed(&stage, 1).await?;
    assert_eq!(page.tab().url().await?, stage.site(), "nobody is sent anywhere");
    page.tab().reload().await?;
    StartPage::wait(page.tab()).await?;
    Ok(())
}

async fn ui_05_a_refused_token_is_renewed_and_userinfo_asked_again(stage: Stage) -> Result {
    refuse_the_token(&stage).await?;
    let page = signed_in_as(&stage, "olive").await?;
    assert_eq!(page.userinfo("sub").await?, page.subject().await?);
    renewed(&stage, 1).await?;
    Ok(())
}

async fn lo_07_the_other_tabs_follow_a_sign_out(stage: Stage) -> Result {
    let page = signed_in_as(&stage, "olive").await?;
    let copy = duplicate(page.tab(), &stage).await?;
    // The same person, in a session of its own.
    let other = stage.another_tab(page.tab()).await?;
    StartPage::open(&stage, &other).await?;
    other.click("#sign-in").await?;
    pass_the_provider(&other, "olive").await?;
    page.sign_out().await?;
    StartPage::wait(&copy).await?;
    nothing_is_kept(&copy).await?;
    copy.reload().await?;
    StartPage::wait(&copy).await?;
    SignedInPage::wait(&other).await?;
    only_a_session_is_kept(&other).await
}
