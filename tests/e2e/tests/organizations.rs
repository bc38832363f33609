//! Which organizations a sign-in reaches: as Polar does it now, and as it was documented earlier.

use polar_signin_e2e::{
    Context, Result, Stage,
    flows::{codes_were_sent, kept, only_a_session_is_kept, pass_the_provider},
    pages::{Consent, Organization, Reach, SignedInPage, StartPage},
    suite,
};
use serde_json::json;

suite![
    one_organization_of_one_now,
    one_organization_of_several_now,
    one_organization_of_forty_now,
    one_organization_of_one_earlier,
    one_organization_of_several_earlier,
    one_organization_of_forty_earlier,
    a_person_without_organizations_signs_in_as_a_person,
    a_person_without_organizations_cannot_choose_one,
    a_person_of_several_reaches_all_of_them,
    a_person_of_forty_reaches_all_of_them,
    a_person_of_a_thousand_is_told_the_number,
    boxes_narrow_a_sign_in_to_some,
    one_box_narrows_a_sign_in_to_one,
    an_organization_is_asked_for_again_every_time,
    tk_26_several_organizations_are_never_taken_for_the_chosen_one,
    whoever_leaves_the_chosen_organization_is_told,
    without_the_scope_the_reach_is_unknown,
    a_list_that_fails_leaves_the_session_and_can_be_tried_again,
];

/// Signs in with one organization: the one of this number in the provider's list.
async fn with_one(stage: &Stage, person: &str, number: usize, of: usize) -> Result<(SignedInPage, Organization)> {
    let tab = stage.tab().await?;
    let consent = StartPage::open(stage, &tab).await?.sign_in_with_organization().await?.person(person).await?;
    let offered = consent.organizations().await?;
    assert_eq!(offered.len(), of);
    assert_eq!(consent.kind_of_choice().await?, "radio");
    let chosen = offered[number].clone();
    let page = consent.choose(&chosen).await?.allow().await?;
    let asked = stage.provider().requests_to("GET", "/oauth2/authorize").await?.remove(0).query;
    assert_eq!(asked.get("sub_type").map(String::as_str), Some("organization"));
    assert_eq!(asked.get("prompt").map(String::as_str), Some("consent"));
    assert!(!asked.contains_key("sub"));
    codes_were_sent(stage, 1).await?;
    only_a_session_is_kept(page.tab()).await?;
    Ok((page, chosen))
}

/// That the page names exactly this organization: id, name and slug.
fn names_one(reach: &Reach, organization: &Organization) {
    let [(id, text)] = reach.organizations.as_slice() else { panic!("not one organization: {reach:?}") };
    assert_eq!(*id, organization.id);
    names(text, organization);
}

fn names(text: &str, organization: &Organization) {
    for part in [&organization.name, &organization.slug, &organization.id] {
        assert!(text.contains(part.as_str()), "{part} is not in {text:?}");
    }
}

async fn selected_now(stage: Stage, person: &str, number: usize, of: usize) -> Result {
    let (page, chosen) = with_one(&stage, person, number, of).await?;
    let reach = page.reach().await?;
    assert_eq!(reach.kind, "selected");
    names_one(&reach, &chosen);
    // The subject is the person, whose token was narrowed.
    assert_ne!(page.subject().await?, chosen.id);
    assert!(page.field("email").await?.starts_with(person));
    // A reload finds it out again.
    page.tab().reload().await?;
    let page = SignedInPage::wait(page.tab()).await?;
    assert_eq!(page.reach().await?.kind, "selected");
    Ok(())
}

async fn itself_earlier(stage: Stage, person: &str, number: usize, of: usize) -> Result {
    stage.provider().settings(json!({ "organizations": "earlier" })).await?;
    let (page, chosen) = with_one(&stage, person, number, of).await?;
    let reach = page.reach().await?;
    assert_eq!(reach.kind, "itself");
    names_one(&reach, &chosen);
    // The token is the organization's own.
    assert_eq!(page.subject().await?, chosen.id);
    assert_eq!(page.userinfo("sub").await?, chosen.id);
    assert_eq!(page.userinfo("name").await?, chosen.slug);
    page.tab().reload().await?;
    let page = SignedInPage::wait(page.tab()).await?;
    assert_eq!(page.reach().await?.kind, "itself");
    Ok(())
}

async fn one_organization_of_one_now(stage: Stage) -> Result {
    selected_now(stage, "olive", 0, 1).await
}

async fn one_organization_of_several_now(stage: Stage) -> Result {
    selected_now(stage, "sam", 1, 3).await
}

async fn one_organization_of_forty_now(stage: Stage) -> Result {
    selected_now(stage, "fay", 36, 40).await
}

async fn one_organization_of_one_earlier(stage: Stage) -> Result {
    itself_earlier(stage, "olive", 0, 1).await
}

async fn one_organization_of_several_earlier(stage: Stage) -> Result {
    itself_earlier(stage, "sam", 2, 3).await
}

async fn one_organization_of_forty_earlier(stage: Stage) -> Result {
    itself_earlier(stage, "fay", 36, 40).await
}

/// Signs in as a person, with nothing chosen.
async fn as_a_person(stage: &Stage, person: &str) -> Result<SignedInPage> {
    let tab = stage.tab().await?;
    let page = StartPage::open(stage, &tab).await?.sign_in().await?.allow_as(person).await?;
    let asked = stage.provider().requests_to("GET", "/oauth2/authorize").await?.remove(0).query;
    assert!(!asked.contains_key("sub_type"));
    Ok(page)
}

async fn a_person_without_organizations_signs_in_as_a_person(stage: Stage) -> Result {
    let reach = as_a_person(&stage, "nora").await?.reach().await?;
    assert_eq!(reach.kind, "organizations");
    assert!(reach.organizations.is_empty());
    assert!(!reach.text.is_empty(), "it says nothing about it");
    Ok(())
}

async fn a_person_without_organizations_cannot_choose_one(stage: Stage) -> Result {
    let tab = stage.tab().await?;
    let consent = StartPage::open(&stage, &tab).await?.sign_in_with_organization().await?.person("nora").await?;
    assert!(consent.organizations().await?.is_empty());
    let page = consent.deny().await?;
    assert_eq!(page.code().await?, "access_denied");
    codes_were_sent(&stage, 0).await
}

/// That a person who chooses nothing reaches everything that they could have chosen from.
async fn reaches_all(stage: Stage, person: &str, number: usize) -> Result {
    let tab = stage.tab().await?;
    let consent = StartPage::open(&stage, &tab).await?.sign_in().await?.person(person).await?;
    let offered = consent.organizations().await?;
    assert_eq!((offered.len(), consent.kind_of_choice().await?.as_str()), (number, "checkbox"));
    let reach = consent.allow().await?.reach().await?;
    assert_eq!((reach.kind.as_str(), reach.organizations.len()), ("organizations", number));
    assert!(reach.text.contains(&number.to_string()), "the number is not there: {}", reach.text);
    for organization in &offered {
        let found = reach.organizations.iter().find(|(id, _)| *id == organization.id);
        names(&found.context(format!("{organization:?} is missing"))?.1, organization);
    }
    Ok(())
}

async fn a_person_of_several_reaches_all_of_them(stage: Stage) -> Result {
    reaches_all(stage, "sam", 3).await
}

async fn a_person_of_forty_reaches_all_of_them(stage: Stage) -> Result {
    reaches_all(stage, "fay", 40).await
}

async fn a_person_of_a_thousand_is_told_the_number(stage: Stage) -> Result {
    let reach = as_a_person(&stage, "max").await?.reach().await?;
    assert!((1..=100).contains(&reach.organizations.len()), "{} are listed", reach.organizations.len());
    let digits: String = reach.text.replace([',', '.', '\u{202f}', '\u{a0}', '\''], "");
    assert!(digits.contains("1000"), "the number is not there: {}", &reach.text[..200]);
    Ok(())
}

async fn boxes_narrow_a_sign_in_to_some(stage: Stage) -> Result {
    let tab = stage.tab().await?;
    let consent = StartPage::open(&stage, &tab).await?.sign_in().await?.person("sam").await?;
    let offered = consent.organizations().await?;
    assert_eq!((offered.len(), consent.kind_of_choice().await?.as_str()), (3, "checkbox"));
    consent.choose(&offered[0]).await?.choose(&offered[2]).await?;
    let reach = consent.allow().await?.reach().await?;
    assert_eq!(reach.kind, "organizations");
    let mut reached: Vec<&str> = reach.organizations.iter().map(|(id, _)| id.as_str()).collect();
    let mut chosen = [offered[0].id.as_str(), offered[2].id.as_str()];
    reached.sort_unstable();
    chosen.sort_unstable();
    assert_eq!(reached, chosen);
    Ok(())
}

async fn one_box_narrows_a_sign_in_to_one(stage: Stage) -> Result {
    let tab = stage.tab().await?;
    let consent = StartPage::open(&stage, &tab).await?.sign_in().await?.person("sam").await?;
    let offered = consent.organizations().await?;
    consent.choose(&offered[1]).await?;
    let reach = consent.allow().await?.reach().await?;
    // None was asked for: it is one that the sign-in reaches, not "the selected one".
    assert_eq!(reach.kind, "organizations");
    names_one(&reach, &offered[1]);
    Ok(())
}

async fn an_organization_is_asked_for_again_every_time(stage: Stage) -> Result {
    let (page, first) = with_one(&stage, "sam", 0, 3).await?;
    page.sign_out().await?;
    // The provider remembers the person, but a choice is never taken for granted.
    let tab = page.tab();
    tab.click("#sign-in-organization").await?;
    tab.wait_for("button[name=person], button[name=decision]").await?;
    if tab.has("button[name=person]").await? {
        tab.click("button[name=person][value=sam]").await?;
    }
    let consent = Consent::wait(tab).await?;
    let other = consent.organizations().await?.into_iter().find(|one| *one != first).context("only one is offered")?;
    let page = consent.choose(&other).await?.allow().await?;
    names_one(&page.reach().await?, &other);
    Ok(())
}

async fn tk_26_several_organizations_are_never_taken_for_the_chosen_one(stage: Stage) -> Result {
    // A token that reaches three although one was asked for.
    let three = (1..=3).map(|n| json!({ "id": format!("0000000{n}-0000-4000-8000-000000000000"), "name": format!("No. {n}"), "slug": format!("no-{n}"), "avatar_url": null }));
    let list = json!({ "items": three.collect::<Vec<_>>(), "pagination": { "total_count": 3, "max_page": 1 } });
    stage.provider().fault(json!({ "endpoint": "organizations", "times": 1, "json_merge": list })).await?;
    let (page, _) = with_one(&stage, "sam", 0, 3).await?;
    assert_eq!(page.reach_failed_by().await?, "organization_several");
    assert!(page.reach().await?.organizations.is_empty());
    Ok(())
}

async fn whoever_leaves_the_chosen_organization_is_told(stage: Stage) -> Result {
    let (page, chosen) = with_one(&stage, "sam", 1, 3).await?;
    assert_eq!(page.reach().await?.kind, "selected");
    stage.provider().leave_organization("sam", &chosen.slug).await?;
    page.tab().reload().await?;
    let page = SignedInPage::wait(page.tab()).await?;
    assert_eq!(page.reach_failed_by().await?, "organization_lost");
    assert!(page.reach().await?.organizations.is_empty());
    Ok(())
}

async fn without_the_scope_the_reach_is_unknown(stage: Stage) -> Result {
    let mut config = stage.config();
    config["scope"] = json!("openid email");
    stage.gateway().configure(&config);
    let page = as_a_person(&stage, "sam").await?;
    assert_eq!(page.reach().await?.kind, "unknown");
    assert_eq!(page.scopes("granted").await?, ["openid", "email"]);
    assert!(stage.provider().requests().await?.iter().all(|seen| !seen.path.starts_with("/v1/organizations")));
    Ok(())
}

async fn a_list_that_fails_leaves_the_session_and_can_be_tried_again(stage: Stage) -> Result {
    stage
        .provider()
        .fault(json!({ "endpoint": "organizations", "times": 1, "status": 500, "cors": false, "body": "" }))
        .await?;
    let page = as_a_person(&stage, "sam").await?;
    assert_eq!(page.reach_failed_by().await?, "network");
    page.try_organizations_again().await?;
    page.tab().wait_for("[data-reach=organizations]").await?;
    assert_eq!(page.reach().await?.organizations.len(), 3);
    assert_eq!(kept(page.tab()).await?, ["session"]);
    // The same person again, whom the provider knows: silently, and with everything.
    page.sign_out().await?;
    page.tab().click("#sign-in").await?;
    let page = pass_the_provider(page.tab(), "sam").await?;
    assert_eq!(page.reach().await?.organizations.len(), 3);
    Ok(())
}
