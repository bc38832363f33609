//! The commands of the flow, run by a real shell in which `curl` says what it was given.

#![cfg(unix)]

mod support;

use std::process::Command;

use polar_signin_core::{
    config::{Config, Options},
    curl::{Step, steps},
};
use support::{
    fixture::{REDIRECT_URI, config, good_tokens, json, keys, options},
    page::{Page, Trip},
};

fn signed_in(config: Config) -> Page {
    Trip::new(config).complete(json(200, good_tokens().json()), &keys())
}

/// What the commands say when `curl` and `echo` only print what they are given, a line each.
fn said(command: &str) -> Vec<String> {
    let script = format!(
        "curl() {{ printf '%s\\n' \"$@\"; }}; echo() {{ curl \"$@\"; }}
         CODE='c d&e' CODE_VERIFIER=v ACCESS_TOKEN=at REFRESH_TOKEN=rt AUTHORIZATION_ENDPOINT=https://op.example/authorize
         STATE=s NONCE=n CODE_CHALLENGE=ch\n{command}"
    );
    let output = Command::new("sh").args(["-euc", &script]).output().expect("a shell");
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned).collect()
}

fn of(config: &Config, step: Step) -> Vec<String> {
    let page = signed_in(config.clone());
    let account = page.account().expect("signed in");
    let all = steps(config, &account);
    let (_, command) = all.iter().find(|(of, _)| *of == step).expect("there");
    said(command)
}

#[test]
fn each_step_asks_what_the_app_asks() {
    let config = config();
    assert_eq!(of(&config, Step::Metadata), ["https://op.example/.well-known/openid-configuration"]);
    assert_eq!(
        of(&config, Step::Authorize),
        [
            "https://op.example/authorize?response_type=code&client_id=rp-1&redirect_uri=https%3A%2F%2Frp.example%2Fcallback\
          &scope=openid+profile+email&code_challenge_method=S256&state=s&nonce=n&code_challenge=ch"
        ]
    );
    let data = "--data-urlencode";
    assert_eq!(
        of(&config, Step::Exchange),
        [
            "https://op.example/token",
            "-d",
            "grant_type=authorization_code",
            data,
            "code=c d&e",
            data,
            "code_verifier=v",
            data,
            &format!("redirect_uri={REDIRECT_URI}"),
            data,
            "client_id=rp-1"
        ]
    );
    assert_eq!(
        of(&config, Step::Renew),
        [
            "https://op.example/token",
            "-d",
            "grant_type=refresh_token",
            data,
            "refresh_token=rt",
            data,
            "client_id=rp-1"
        ]
    );
    assert_eq!(of(&config, Step::Userinfo), ["-H", "Authorization: Bearer at", "https://op.example/userinfo"]);
}

#[test]
#[expect(clippy::print_stderr, reason = "whoever has no openssl should know that this was not tried")]
fn a_verifier_and_its_challenge_are_a_pair() {
    if Command::new("openssl").arg("version").output().is_err() {
        return eprintln!("there is no openssl here: its two commands were not tried");
    }
    let page = signed_in(config());
    let all = steps(&config(), &page.account().expect("signed in"));
    let (_, command) = all.iter().find(|(step, _)| *step == Step::Pkce).expect("there");
    let script = format!("{command}\necho \"$CODE_VERIFIER $CODE_CHALLENGE $STATE $NONCE\"");
    let output = Command::new("sh").args(["-euc", &script]).output().expect("a shell");
    let text = String::from_utf8(output.stdout).expect("text");
    let [verifier, challenge, state, nonce] = text.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{text}") };
    assert!((43..=128).contains(&verifier.len()) && state.len() == 64 && nonce.len() == 64 && state != nonce);
    assert!(verifier.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{verifier}");
    let expected = polar_signin_core::pkce::code_challenge(&polar_signin_core::secret::CodeVerifier::new(verifier));
    assert_eq!(challenge, expected);
}

#[test]
fn no_value_of_a_session_and_no_trick_of_a_setting_is_in_a_command() {
    let client_id = "a'b$(touch${IFS}x)`id`\"\\";
    let options = Options { client_id: Some(client_id.to_owned()), ..options() };
    let config = Config::new(&options, REDIRECT_URI).expect("a strange one, but a client id");
    // The fixture's tokens are for another client; what is shown needs only an account.
    let page = signed_in(support::fixture::config());
    let account = page.account().expect("signed in");
    for (_, command) in steps(&config, &account) {
        for secret in ["AT-1", "RT-1", &account.subject] {
            assert!(!command.contains(secret), "{command}");
        }
    }
    let exchange = steps(&config, &account).into_iter().find(|(step, _)| *step == Step::Exchange).expect("there").1;
    assert_eq!(said(&exchange).last().map(String::as_str), Some(format!("client_id={client_id}").as_str()));
}
