//! A person and several organizations, signed in side by side in one tab.

use std::collections::BTreeSet;

use fantoccini::key::Key;
use polar_signin_e2e::{
    Context, Result, Stage, Tab,
    flows::signed_in_as,
    hygiene::session_records,
    pages::{Consent, ErrorPage, Organization, SignedInPage},
    provider::USERINFO,
    sessions::{duplicate, refuse_the_grant},
    suite,
    tab::eventually,
};

suite![
    a_person_and_three_organizations_side_by_side,
    ending_one_leaves_the_others,
    whoever_says_no_stays_who_they_were,
    rt_19_a_membership_that_is_lost_is_said_in_words,
    each_identity_asks_with_its_own_token,
    an_identity_that_the_provider_ends_ends_alone,
    a_copy_of_the_tab_has_all_of_them,
    the_switcher_needs_no_mouse,
    many_are_found_by_name,
];

/// The names of the list, in its order, and which one is active.
async fn identities(tab: &Tab) -> Result<(Vec<String>, String)> {
    let names = tab.texts("[data-identity] strong").await?;
    let active = tab.texts("[data-identity][aria-current=true] strong").await?;
    let [active] = active.as_slice() else { return None.context(format!("active: {active:?}")) };
    Ok((names, active.clone()))
}

/// Waits until exactly these are listed, and this one is active.
async fn until(tab: &Tab, names: &[&str], active: &str) -> Result {
    eventually(format!("waiting for {names:?}, active {active}"), async || {
        let seen = identities(tab).await?;
        let good = seen.0 == names && seen.1 == active;
        if good { Ok(()) } else { None.context(format!("{seen:?}")) }
    })
    .await
}

/// Asks for one organization more, and comes to the provider's question.
async fn add(tab: &Tab) -> Result<(Consent, Vec<Organization>)> {
    tab.click("#add-organization").await?;
    let consent = Consent::wait(tab).await?;
    let offered = consent.organizations().await?;
    Ok((consent, offered))
}

/// Sam, who is signed in as a person and for so many of the three organizations.
async fn sam(stage: &Stage, organizations: usize) -> Result<(Tab, Vec<Organization>)> {
    let tab = signed_in_as(stage, "sam").await?.tab().clone();
    let mut chosen = Vec::new();
    for number in 0..organizations {
        let (consent, offered) = add(&tab).await?;
        assert_eq!((offered.len(), consent.kind_of_choice().await?.as_str()), (3, "radio"));
        let page = consent.choose(&offered[number]).await?.allow().await?;
        assert_eq!(page.reach().await?.kind, "selected");
        chosen.push(offered[number].clone());
    }
    Ok((tab, chosen))
}

const SAM: &str = "sam@example.com";

async fn a_person_and_three_organizations_side_by_side(stage: Stage) -> Result {
    let (tab, chosen) = sam(&stage, 3).await?;
    let all = [SAM, chosen[0].name.as_str(), chosen[1].name.as_str(), chosen[2].name.as_str()];
    until(&tab, &all, all[3]).await?;
    let rows = tab.texts("[data-identity]").await?;
    for (row, organization) in rows[1..].iter().zip(&chosen) {
        assert!(row.contains(&organization.slug) && row.contains(SAM) && row.contains("until "), "{row}");
    }
    assert!(rows[0].contains("3 organizations"), "{}", rows[0]);
    // Whoever is chosen is who the page is about.
    tab.click("[data-identity='1']").await?;
    until(&tab, &all, all[1]).await?;
    let page = SignedInPage::wait(&tab).await?;
    let reach = page.reach().await?;
    assert_eq!((reach.kind.as_str(), reach.organizations[0].0.as_str()), ("selected", chosen[0].id.as_str()));
    // A reload keeps all of it.
    tab.reload().await?;
    until(&tab, &all, all[1]).await?;
    assert_eq!(SignedInPage::wait(&tab).await?.reach().await?.kind, "selected");
    tab.click("[data-identity='0']").await?;
    until(&tab, &all, SAM).await?;
    assert_eq!(page.reach().await?.kind, "organizations");
    Ok(())
}

async fn ending_one_leaves_the_others(stage: Stage) -> Result {
    let (tab, chosen) = sam(&stage, 3).await?;
    let names: Vec<&str> = chosen.iter().map(|organization| organization.name.as_str()).collect();
    tab.click("[data-end='2']").await?;
    until(&tab, &[SAM, names[0], names[2]], names[2]).await?;
    let said = tab.text("[role=status].notice").await?;
    assert!(said.contains("signed out"), "{said}");
    // The active one: somebody who is still here takes over, and that is on the screen.
    tab.click("#sign-out").await?;
    until(&tab, &[SAM, names[0]], SAM).await?;
    tab.reload().await?;
    until(&tab, &[SAM, names[0]], SAM).await?;
    // Whoever is alone needs no list.
    tab.click("[data-end='1']").await?;
    tab.until("the list goes", "return document.querySelector('[data-identity]') === null", &[]).await?;
    SignedInPage::wait(&tab).await?.sign_out().await?;
    assert_eq!(session_records(&tab).await?, []);
    Ok(())
}

async fn whoever_says_no_stays_who_they_were(stage: Stage) -> Result {
    let (tab, chosen) = sam(&stage, 1).await?;
    let (consent, offered) = add(&tab).await?;
    let page = consent.deny().await?;
    assert_eq!(page.code().await?, "access_denied");
    assert!(tab.text("main").await?.contains(&chosen[0].name) || tab.text("main").await?.contains(SAM));
    // Once more means: an organization once more.
    tab.click("#try-again").await?;
    let again = Consent::wait(&tab).await?;
    assert_eq!(again.kind_of_choice().await?, "radio");
    again.choose(&offered[2]).await?.allow().await?;
    until(&tab, &[SAM, &chosen[0].name, &offered[2].name], &offered[2].name).await?;
    // No, and on as before.
    add(&tab).await?.0.deny().await?;
    tab.click("#dismiss").await?;
    until(&tab, &[SAM, &chosen[0].name, &offered[2].name], &offered[2].name).await
}

async fn rt_19_a_membership_that_is_lost_is_said_in_words(stage: Stage) -> Result {
    let (tab, chosen) = sam(&stage, 2).await?;
    let all = [SAM, chosen[0].name.as_str(), chosen[1].name.as_str()];
    until(&tab, &all, all[2]).await?;
    stage.provider().leave_organization("sam", &chosen[0].slug).await?;
    tab.click("[data-identity='1']").await?;
    let page = SignedInPage::wait(&tab).await?;
    assert_eq!(page.reach_failed_by().await?, "organization_lost");
    // It is still called by its name, and nobody has taken its place.
    until(&tab, &all, all[1]).await?;
    assert!(tab.text("[data-identity='1']").await?.contains("No longer a member"));
    tab.reload().await?;
    until(&tab, &all, all[1]).await?;
    assert_eq!(page.reach_failed_by().await?, "organization_lost");
    tab.click("[data-identity='2']").await?;
    until(&tab, &all, all[2]).await?;
    assert_eq!(page.reach().await?.kind, "selected");
    Ok(())
}

/// The tokens that asked for userinfo so far.
async fn bearers(stage: &Stage) -> Result<Vec<String>> {
    let seen = stage.provider().requests_to("GET", USERINFO).await?;
    let bearer = |seen: &polar_signin_e2e::provider::Seen| seen.headers.get("authorization").cloned();
    Ok(seen.iter().filter_map(bearer).collect())
}

async fn each_identity_asks_with_its_own_token(stage: Stage) -> Result {
    let (tab, chosen) = sam(&stage, 2).await?;
    let before = bearers(&stage).await?.len();
    tab.reload().await?;
    until(&tab, &[SAM, &chosen[0].name, &chosen[1].name], &chosen[1].name).await?;
    let asked = eventually("waiting for three".to_owned(), async || {
        let asked = bearers(&stage).await?.split_off(before);
        if asked.len() == 3 { Ok(asked) } else { None.context(format!("{} so far", asked.len())) }
    });
    let asked: BTreeSet<String> = asked.await?.into_iter().collect();
    assert_eq!(asked.len(), 3, "each with its own");
    // A request of the page goes out as whoever is active.
    let mut used = BTreeSet::new();
    for number in ["0", "1", "2"] {
        let before = bearers(&stage).await?.len();
        tab.click(&format!("[data-identity='{number}']")).await?;
        tab.wait_for(&format!("[data-identity='{number}'][aria-current=true]")).await?;
        tab.click("#send:enabled").await?;
        let sent = eventually("waiting for the request".to_owned(), async || {
            bearers(&stage).await?.get(before).cloned().context("not yet")
        });
        used.insert(sent.await?);
    }
    assert_eq!(used, asked);
    Ok(())
}

async fn an_identity_that_the_provider_ends_ends_alone(stage: Stage) -> Result {
    stage.provider().settings(serde_json::json!({ "access_token_lifetime": 4 })).await?;
    let tab = signed_in_as(&stage, "sam").await?.tab().clone();
    stage.provider().settings(serde_json::json!({ "access_token_lifetime": 86_400 })).await?;
    let (consent, offered) = add(&tab).await?;
    refuse_the_grant(&stage).await?;
    consent.choose(&offered[0]).await?.decide("allow").await?;
    // The first to be renewed is refused; the other was not asked for and lives.
    let page = ErrorPage::wait(&tab).await?;
    assert_eq!(page.code().await?, "session_expired");
    assert!(tab.text("main").await?.contains("still signed in"), "{}", tab.text("main").await?);
    tab.click("#dismiss").await?;
    let page = SignedInPage::wait(&tab).await?;
    assert_eq!(page.reach().await?.organizations[0].0, offered[0].id);
    Ok(())
}

async fn a_copy_of_the_tab_has_all_of_them(stage: Stage) -> Result {
    let (tab, chosen) = sam(&stage, 2).await?;
    let all = [SAM, chosen[0].name.as_str(), chosen[1].name.as_str()];
    let copy = duplicate(&tab, &stage).await?;
    until(&copy, &all, all[2]).await?;
    // One is active in each tab, and another may be in the other.
    copy.click("[data-identity='0']").await?;
    until(&copy, &all, SAM).await?;
    until(&tab, &all, all[2]).await?;
    // Signing one out is meant for all tabs, and for that one.
    copy.click("[data-end='1']").await?;
    until(&copy, &[all[0], all[2]], SAM).await?;
    until(&tab, &[all[0], all[2]], all[2]).await?;
    let refresh_tokens = async |tab: &Tab| -> Result<usize> {
        Ok(session_records(tab).await?.iter().filter(|(_, record)| record.contains("\"refresh_token\"")).count())
    };
    eventually("one tab of each session keeps the refresh token".to_owned(), async || {
        let held = refresh_tokens(&tab).await? + refresh_tokens(&copy).await?;
        if held == 2 { Ok(()) } else { None.context(format!("{held}")) }
    })
    .await
}

async fn the_switcher_needs_no_mouse(stage: Stage) -> Result {
    let (tab, chosen) = sam(&stage, 1).await?;
    until(&tab, &[SAM, &chosen[0].name], &chosen[0].name).await?;
    tab.eval("document.querySelector('main h1').focus()", &[]).await?;
    for _ in 0..3 {
        tab.press(Key::Tab).await?;
        let at = tab.eval_text("return document.activeElement?.dataset.identity ?? ''", &[]).await?;
        if at == "0" {
            tab.press(Key::Enter).await?;
            until(&tab, &[SAM, &chosen[0].name], SAM).await?;
            // Whoever cannot see the page hears who it is about now.
            return tab
                .until("the heading has the focus", "return document.activeElement?.tagName === 'H1'", &[])
                .await;
        }
    }
    None.context("the first identity is not among the first stops")
}

async fn many_are_found_by_name(stage: Stage) -> Result {
    let (tab, chosen) = sam(&stage, 1).await?;
    assert!(!tab.has("#search-identities").await?, "two can be told apart");
    // The person's session at ten further places.
    let copied = tab.eval(
        "const key = Object.keys(sessionStorage).find(key => /[^.]:session$/.test(key) && !/[.]1:/.test(key));
         for (let place = 2; place < 12; place++) sessionStorage[key.replace(':session', `.${place}:session`)] = sessionStorage[key];",
        &[],
    );
    copied.await?;
    tab.reload().await?;
    SignedInPage::wait(&tab).await?;
    eventually("waiting for twelve".to_owned(), async || {
        let count = tab.count("[data-identity]").await?;
        if count == 12 { Ok(()) } else { None.context(format!("{count}")) }
    })
    .await?;
    tab.type_into("#search-identities", &chosen[0].slug.to_uppercase()).await?;
    eventually("waiting for one".to_owned(), async || {
        let names = tab.texts("[data-identity] strong").await?;
        if names == [chosen[0].name.clone()] { Ok(()) } else { None.context(format!("{names:?}")) }
    })
    .await?;
    let at = tab.eval_text("return document.activeElement?.id ?? ''", &[]).await?;
    assert_eq!(at, "search-identities", "whoever types goes on typing");
    Ok(())
}
