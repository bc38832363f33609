//! English.
// long: one language, whole

use polar_signin_core::{
    curl::Step,
    error::Code,
    redirect_uri::RedirectUriProblem,
    snapshot::{RenewalStatus, SignedOut},
};

/// What an error page says.
pub struct Words {
    /// What happened, in a few words.
    pub title: &'static str,
    /// What that means.
    pub what: &'static str,
    /// What to do.
    pub todo: &'static str,
}

/// The words for an error. Every code is here: there is no other arm.
#[must_use]
pub fn error(code: Code) -> Words {
    let words = |title, what, todo| Words { title, what, todo };
    let again = "Please sign in once more.";
    let later = "Please try again in a moment.";
    let owner = "Only the owner of this page can mend that.";
    match code {
        Code::AccessDenied => words(
            "You said no",
            "Access was not allowed, so nothing was handed over.",
            "If that was a slip, sign in again and choose “Allow”.",
        ),
        Code::AccountSelectionRequired | Code::ConsentRequired | Code::InteractionRequired | Code::LoginRequired => {
            words("The provider needs you", "It has something to ask you before you can go on.", again)
        }
        Code::AuthorizationFailed | Code::TokenRefused => {
            words("The provider said no", "It answered the sign-in with an error.", again)
        }
        Code::ApiInvalid => words("Not a question it understands", "The provider does not accept the request.", owner),
        Code::ApiNotFound => words("Not there", "There is no such thing, or this sign-in does not reach it.", ""),
        Code::ApiUnauthorized => words(
            "Not with this token",
            "The provider does not answer this with the token that was sent.",
            "Another kind of sign-in may get an answer.",
        ),
        Code::CallbackInterrupted => words(
            "The sign-in was interrupted",
            "This page was reloaded in the middle of it. For your safety nothing is sent twice.",
            again,
        ),
        Code::CallbackMalformed => words(
            "The answer makes no sense",
            "The provider’s answer was damaged on its way, or somebody changed it.",
            again,
        ),
        Code::CallbackUnknown => words(
            "This sign-in is not known here",
            "It was begun in another tab or browser, or has been finished already.",
            "Continue here by signing in once more.",
        ),
        Code::ClientRefused | Code::InvalidConfiguration | Code::RegistrationMalformed => words(
            "This page is not set up rightly",
            "The provider does not know this app, or a setting is wrong.",
            owner,
        ),
        Code::ClockSkew => words(
            "Your clock is off",
            "By this device’s clock you were signed in in the future.",
            "Set the clock of this device and sign in again.",
        ),
        Code::DpopNonce | Code::DpopProof => words(
            "The provider does not accept this browser’s proof",
            "This app signs each request with a key of this browser, and the provider refused the signature.",
            "Check the clock of this device, then sign in again.",
        ),
        Code::EntropyUnavailable => words(
            "This browser is not safe enough",
            "It has no source of secure random numbers, and signing in needs one.",
            "Please use another browser.",
        ),
        Code::GrantRefused | Code::TransactionExpired => {
            words("The sign-in took too long", "What the provider handed over is no longer valid.", again)
        }
        Code::HttpStatus | Code::ServerError | Code::TemporarilyUnavailable => {
            words("The provider has trouble", "It answered with an error of its own.", later)
        }
        Code::IdTokenAccessTokenHash
        | Code::IdTokenAlgorithm
        | Code::IdTokenAudience
        | Code::IdTokenAuthContext
        | Code::IdTokenAuthTime
        | Code::IdTokenAuthorizedParty
        | Code::IdTokenExpired
        | Code::IdTokenIssuedAt
        | Code::IdTokenIssuer
        | Code::IdTokenMalformed
        | Code::IdTokenMissing
        | Code::IdTokenNonce
        | Code::IdTokenNotYetValid
        | Code::IdTokenSignature
        | Code::IdTokenSubject
        | Code::IdTokenUnsupported
        | Code::KeyUnknown
        | Code::KeysMalformed => words(
            "We could not make sure that it is you",
            "The proof of who you are did not pass every check, so it was thrown away.",
            "Sign in once more. If it happens again, tell the owner of this page.",
        ),
        Code::InsufficientScope => words(
            "That was not allowed",
            "This sign-in does not include the permission for it.",
            "Sign in again and allow it.",
        ),
        Code::Internal => words("Something broke", "That is a fault of this app.", again),
        Code::IssuerParameterMismatch | Code::IssuerParameterMissing => words(
            "The answer came from somebody else",
            "It does not say that it comes from the provider that was asked.",
            again,
        ),
        Code::KeyLost => words(
            "The key of this sign-in is gone",
            "It was bound to a key that only this browser had, and the browser has removed it.",
            "Sign in once more.",
        ),
        Code::MetadataEndpoint | Code::MetadataIssuer | Code::MetadataMalformed | Code::MetadataUnsupported => {
            words("The provider cannot be trusted", "What it says about itself is not what this app expects.", owner)
        }
        Code::Network => {
            words("No connection", "The provider could not be reached.", "Check the connection and try again.")
        }
        Code::OrganizationChanged => words(
            "Another organization",
            "This sign-in was for one organization, and the provider now names another. It is not taken for your choice.",
            "Choose the organization once more.",
        ),
        Code::OrganizationLost => words(
            "No longer a member",
            "You had chosen this organization, and this sign-in does not reach it any more.",
            "Ask its owner, or choose another one.",
        ),
        Code::OrganizationNone => words(
            "No organization",
            "An organization was asked for, and you belong to none that this app may see.",
            "Sign in without one, or with another account.",
        ),
        Code::OrganizationSeveral => words(
            "More than one organization",
            "One was asked for, and the provider handed over several. None of them is taken for your choice.",
            "Choose the organization once more.",
        ),
        Code::ApiMalformed | Code::OrganizationsMalformed | Code::UserinfoMalformed => {
            words("An answer makes no sense", "The provider sent something that this app cannot read.", later)
        }
        Code::ProviderChanged => {
            words("This page has changed", "The sign-in was begun with other settings than this page has now.", again)
        }
        Code::RateLimited => {
            words("Too many requests", "The provider asks for a pause.", "Wait a minute and try again.")
        }
        Code::PopupBlocked => words(
            "No window was opened",
            "This browser does not let this page open a window.",
            "Allow it, or sign in on this page instead.",
        ),
        Code::PopupClosed => words("The window was closed", "The sign-in was not finished.", again),
        Code::RedirectMismatch => words(
            "Wrong address",
            "This page was opened at another address than the one it is registered with.",
            "Open it at its own address and sign in there.",
        ),
        Code::RegistrationRefused => words(
            "The client was not created",
            "The provider refused it.",
            "Change what it names, or create the client by hand.",
        ),
        Code::SessionExpired => {
            words("Your session has ended", "It was only good for a while.", "Sign in again to go on.")
        }
        Code::StorageFull => words(
            "No room",
            "This browser’s storage for this site is full, so the sign-in cannot be kept.",
            "Close other tabs of this site, or clear its data.",
        ),
        Code::StorageUnavailable => words(
            "This browser keeps nothing",
            "Storage is blocked for this site, and without it you could not find the way back.",
            "Allow this site to store data, or leave private browsing.",
        ),
        Code::Timeout => words("No answer", "The provider did not answer in time.", later),
        Code::TokenMalformed | Code::TokenType => {
            words("The answer makes no sense", "The provider sent tokens in a form that is not safe to use.", again)
        }
        Code::TooLarge => words("The answer is too large", "It was not read to its end.", later),
        Code::TransactionCorrupt => {
            words("The sign-in cannot be finished", "What this tab remembered of it was damaged.", again)
        }
        Code::UserinfoSubject => words(
            "Two different people",
            "The provider’s details are about somebody else. You were signed out, to be safe.",
            again,
        ),
        Code::UserinfoUnauthorized => {
            words("Not accepted", "The provider does not accept this sign-in for its details.", again)
        }
    }
}

/// What is wrong with a redirect URI.
#[must_use]
pub fn redirect_uri_problem(problem: RedirectUriProblem) -> &'static str {
    match problem {
        RedirectUriProblem::NotAnAddress => "This is not a whole address.",
        RedirectUriProblem::Scheme => "It must begin with https://.",
        RedirectUriProblem::HttpHost => "http:// is only allowed for localhost. Serve this page over https.",
        RedirectUriProblem::Fragment => "It must not contain “#”.",
    }
}

/// `9 days 23:59:58`; `23:59:58` within a day.
#[must_use]
pub fn remaining(millis: i64) -> String {
    let seconds = millis.max(0) / 1000;
    let two = |number: i64, out: &mut String| {
        if number < 10 {
            out.push('0');
        }
        out.push_str(&number.to_string());
    };
    let mut out = String::new();
    let days = seconds / 86_400;
    if days > 0 {
        out.push_str(&days.to_string());
        out.push_str(if days == 1 { " day " } else { " days " });
    }
    two(seconds / 3600 % 24, &mut out);
    out.push(':');
    two(seconds / 60 % 60, &mut out);
    out.push(':');
    two(seconds % 60, &mut out);
    out
}

/// What a step of the flow does.
#[must_use]
pub fn step(step: Step) -> &'static str {
    match step {
        Step::Metadata => "What the provider says of itself",
        Step::Pkce => "A secret of your own, and its hash",
        Step::Authorize => "The address to open in a browser",
        Step::Exchange => "The code for tokens",
        Step::Userinfo => "Who that is",
        Step::Organizations => "Which organizations the token reaches",
        Step::Renew => "A new access token",
    }
}

/// So many organizations.
#[must_use]
pub fn organizations(total: u64) -> String {
    match total {
        1 => "one organization".to_owned(),
        many => [&number(many), " organizations"].concat(),
    }
}

/// When an identity's access token ends, as a time to read.
#[must_use]
pub fn ends_at(time: Option<String>) -> String {
    time.map_or_else(|| "no known end".to_owned(), |time| ["until ", &time].concat())
}

/// What the button says that ends this identity.
#[must_use]
pub fn end_of(name: &str) -> String {
    ["Sign out of ", name].concat()
}

/// What a sign-in reaches: `This sign-in reaches 40 organizations.`
#[must_use]
pub fn reaches(total: u64, listed: usize) -> String {
    let all = match total {
        0 => return "This sign-in reaches no organization.".to_owned(),
        more => organizations(more),
    };
    let mut words = ["This sign-in reaches ", &all, "."].concat();
    if total > listed as u64 {
        words.push_str(&[" The first ", &number(listed as u64), " are listed."].concat());
    }
    words
}

/// What a token that was pasted reaches: `It reaches 2 organizations: Acme Tools, Birch Studio.`
#[must_use]
pub fn token_reaches(total: u64, names: &[&str]) -> String {
    if total == 0 {
        return "It reaches no organization.".to_owned();
    }
    let further = if total > names.len() as u64 { ", …" } else { "." };
    ["It reaches ", &organizations(total), ": ", &names.join(", "), further].concat()
}

/// What a search has found: `12 of 1,000 found.`
#[must_use]
pub fn found(found: usize, all: usize) -> String {
    [&number(found as u64), " of ", &number(all as u64), " found."].concat()
}

/// The button for the rest of a list: `Show all 1,000`
#[must_use]
pub fn show_all(total: u64) -> String {
    ["Show all ", &number(total)].concat()
}

/// `1,000`
fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The button.
#[must_use]
pub fn sign_in_with(provider: &str) -> String {
    ["Sign in with ", provider].concat()
}

/// Under the heading of the first page.
#[must_use]
pub fn lead(provider: &str) -> String {
    ["Use your ", provider, " account. There is no password to make here."].concat()
}

/// After signing out: what that means, and what it does not.
#[must_use]
pub fn signed_out(reached: &SignedOut, provider: &str) -> String {
    let rest = match reached {
        SignedOut::Here => " may still remember you, so the next sign-in can be silent.",
        SignedOut::Elsewhere => " may still remember you. You signed out in another tab.",
        SignedOut::Revoked => " has ended this app's access, and may still remember you.",
        SignedOut::NotRevoked(_) => " did not confirm that it ended this app's access. It ends by itself.",
        SignedOut::Everywhere => " has signed you out as well.",
    };
    ["You are signed out of this app. ", provider, rest].concat()
}

/// How the session goes on when its access token ends.
#[must_use]
pub fn renewal(status: &RenewalStatus) -> &'static str {
    match status {
        RenewalStatus::NotOffered => "no",
        RenewalStatus::Possible => "yes",
        RenewalStatus::Elsewhere => "yes, by another tab",
        RenewalStatus::UnderWay => "right now",
        RenewalStatus::Later(..) => "yes; the last attempt failed and is made again",
        RenewalStatus::Stopped(_) => "no, the provider refuses",
    }
}

/// A clock that is wrong by so many seconds; positive is behind.
#[must_use]
pub fn clock_is_wrong(skew: i64) -> String {
    let minutes = (skew.abs() / 60).max(1).to_string();
    let where_to = if skew > 0 { " min behind the provider's. " } else { " min ahead of the provider's. " };
    ["This device's clock is ", &minutes, where_to, "Set it right: sign-ins may fail."].concat()
}

/// Below the buttons.
#[must_use]
pub fn what_happens(provider: &str) -> String {
    let rest = " and come back here. This page never sees your password and keeps nothing after you close the tab.";
    ["You sign in at ", provider, rest].concat()
}

/// While the browser leaves.
#[must_use]
pub fn going_to(provider: &str) -> String {
    ["Going to ", provider].concat()
}

/// A scope that was not granted.
#[must_use]
pub fn scope_is_missing(scope: &str) -> String {
    ["This needs the permission ", scope, ", which this sign-in does not have."].concat()
}

/// The server asked for a pause.
#[must_use]
pub fn pausing(millis: i64) -> String {
    let seconds = (millis.max(0) + 999) / 1000;
    ["The provider asks for a pause: it goes on in ", &seconds.to_string(), " s by itself."].concat()
}

/// How far a list has come.
#[must_use]
pub fn fetched(so_far: u64, total: u64, done: bool) -> String {
    let (so_far, total) = (number(so_far), number(total));
    if done { ["All ", &so_far, "."].concat() } else { [&so_far, " of ", &total, " so far…"].concat() }
}

// Everything that is said in one piece; the name says where.
pub const ACTIVE: &str = "Active";
pub const ADD_ACCOUNT: &str = "Add another account";
pub const ADD_ORGANIZATION: &str = "Add an organization";
pub const ALL_ARE_HERE: &str = "All of them are listed.";
pub const ALLOW_IT: &str = "Sign in again and allow it";
pub const ANOTHER_ACCOUNT: &str = "Sign in with another account";
pub const ANOTHER_CLIENT: &str = "Use another client";
pub const ASKED_FOR: &str = "Asked for";
pub const ASKING: &str = "Asking…";
pub const AS_ORGANIZATION: &str = "Signed in as an organization";
pub const A_PERSON: &str = "a person";
pub const BACK: &str = "Back";
pub const BY_HAND: &str = "By hand: enter the same in ";
pub const CANCEL: &str = "Cancel";
pub const CHOOSE_ORGANIZATION: &str = "Choose an organization";
pub const CLAIMS: &str = "ID token claims, verified";
pub const CLIENT_ID: &str = "Client id";
pub const CLIENT_ID_HINT: &str = "It begins with polar_ci_.";
pub const CLIENT_NAME: &str = "Application name";
pub const CLIENT_NAME_HINT: &str = "What people see when they consent.";
pub const CLIENT_NAME_VALUE: &str = "My app";
pub const CLIENT_TYPE: &str = "Client type";
pub const CLOSE_POPUP: &str = "The sign-in goes on where you began it.";
pub const COMPLETING: &str = "Signing you in";
pub const CONTINUE: &str = "Continue";
pub const COPY: &str = "Copy";
pub const COPY_CURL: &str = "Copy as cURL";
pub const CREATE: &str = "Create the client for me";
pub const CREATED: &str = "The client was created";
pub const CREATING: &str = "Creating the client…";
pub const ENDS_IN: &str = "Ends in";
pub const EXISTING: &str = "A client that is there already";
pub const FETCHING_ORGANIZATIONS: &str = "Fetching organizations";
pub const FETCHING_USERINFO: &str = "Fetching userinfo";
pub const FETCH_ALL: &str = "Fetch every page";
pub const FILTER: &str = "Search organizations";
pub const FORGET_TOKEN: &str = "Forget it";
pub const FOR_AN_ORGANIZATION: &str = "Sign in for an organization";
pub const FOR_DEVELOPERS: &str = "Details for the developer";
pub const FOR_EVERYONE: &str = "For everyone who visits this page, put it into config.json beside index.html:";
pub const GOING: &str = "You sign in there and come back here.";
pub const GRANTED: &str = "Granted";
pub const HOMEPAGE: &str = "Homepage";
pub const IN_POPUP: &str = "Sign in in the other window";
pub const IN_POPUP_HOW: &str = "It has opened beside this one. If you have closed it, cancel and begin again.";
pub const ITSELF: &str = "This sign-in belongs to the organization itself.";
pub const ITSELF_SHORT: &str = "the organization itself";
pub const KEEP_IT: &str =
    "Shown this once. Whoever has it can change or delete the client: keep it where you keep passwords.";
pub const LOGO: &str = "Logo address";
pub const KEEP_TOKEN: &str = "Keep it in this tab until nobody is signed in here";
pub const LOOKING_UP: &str = "Looking up organizations";
pub const MAKING_SURE: &str = "Making sure that it is you.";
pub const NEW_CLIENT: &str = "A new client";
pub const NOTHING_KEPT: &str = "This browser keeps nothing for this site: a reload signs you out.";
pub const NOT_ALLOWED: &str = "Which ones is not known: seeing organizations was not allowed.";
pub const NOT_FOR_ORGANIZATIONS: &str =
    "This is about a person, and an organization is signed in: the provider would say no.";
pub const NOT_VERIFIED: &str = "not verified";
pub const NO_MATCH: &str = "No name and no slug has that in it.";
pub const NO_ORGANIZATIONS_HERE: &str = "This provider does not list organizations.";
pub const NO_USERINFO: &str = "This provider has no userinfo.";
pub const OF_ALL: &str = "All that is reached";
pub const OF_ORGANIZATION: &str = "Of the organization";
pub const ONLY_READS: &str =
    "Requests that only read, with the access token of this sign-in. The token itself is never shown.";
pub const OPTIONAL: &str = "Logo, terms, privacy";
pub const ORGANIZATIONS: &str = "Organizations";
pub const OTHER_TOKEN: &str = "Use a token of your own";
pub const OWN_TOKEN: &str = "Personal or organization access token";
pub const OWN_TOKEN_HINT: &str = "Made in the provider’s settings, for scripts. Unless you say otherwise it stays in this page’s memory and is gone when you reload. Userinfo does not accept such tokens; the other requests do.";
pub const POLAR_SETTINGS: &str = "Polar’s settings";
pub const POPUP_IS_OVER: &str = "You can close this window";
pub const PRIVACY: &str = "Privacy address";
pub const PUBLIC: &str = "Public";
pub const REDIRECT_ALLOWED: &str = "This address is allowed.";
pub const REDIRECT_URI: &str = "Redirect URI";
pub const REGISTRATION_TOKEN: &str = "Registration token";
pub const RELOAD: &str = "Reload";
pub const RENEWABLE: &str = "Can be renewed";
pub const REQUEST: &str = "Request";
pub const SCOPES: &str = "Scopes";
pub const SEARCH_IDENTITIES: &str = "Search by name or slug";
pub const SELECTED: &str = "This sign-in acts for the one you chose.";
pub const SEND: &str = "Send";
pub const SET_UP: &str = "Set this page up";
pub const SET_UP_LEAD: &str = "It needs to be known at Polar as a public client. That takes a minute, and no secret.";
pub const SIGNED_IN_AT: &str = "Signed in";
pub const SIGNED_IN_HERE: &str = "Signed in here";
pub const SIGNED_OUT: &str = "Signed out";
pub const SIGNING_OUT_THERE: &str = "You are signed out here. One moment: the provider is told.";
pub const SIGN_IN: &str = "Sign in";
pub const SIGN_OUT: &str = "Sign out";
pub const SOMEBODY_ELSE: &str = "Sign in as somebody else";
pub const STAY: &str = "Stay here";
pub const STILL_SIGNED_IN: &str = "You are still signed in as ";
pub const STORAGE_BLOCKED: &str =
    "Storage is blocked for this site, so a sign-in would not find its way back. Allow this site to store data.";
pub const SUBJECT: &str = "subject";
pub const TERMS: &str = "Terms address";
pub const THIS_SIGN_IN: &str = "This sign-in";
pub const TOKEN_IN_USE: &str = "Requests go out with the token that you pasted.";
pub const TOKEN_KEPT: &str = "It is kept in this tab.";
pub const TRY_AGAIN: &str = "Try again";
pub const TRY_THE_API: &str = "Try the API";
pub const UNKNOWN: &str = "unknown";
pub const USERINFO: &str = "Userinfo";
pub const USE_CLIENT: &str = "Use this client";
pub const USE_IT: &str = "Use it in this browser";
pub const USE_TOKEN: &str = "Use this token";
pub const VERIFIED: &str = "verified";
pub const WHERE: &str = "Where";
pub const WITH_CURL: &str = "The same with cURL";
pub const WITH_CURL_LEAD: &str = "Every step of this sign-in as a command. What is secret is a variable of your shell: nothing of this session is in it.";
