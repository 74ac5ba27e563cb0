//! Access tokens, as every service reads them.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::kit::auth::{Authenticator as _, Credential, Presented, Principal};
use crate::kit::clock::SharedClock;
use crate::kit::error::{ApiError, Code};
use crate::users::api::Users;
use crate::users::audit::Action;
use crate::users::local::tests::stage::{Stage, rules, stage};
use crate::users::store::{Change, ChangeAccount, Which, Within};
use crate::users::token::TokenRules;
use crate::users::verifier::{Verifier, VerifierOptions};

fn verifier_for(stage: &Stage, rules: TokenRules) -> Verifier {
    let users: Arc<dyn Users> = Arc::new(stage.users.clone());
    let clock: SharedClock = Arc::new(stage.time.clone());
    let options = VerifierOptions {
        rules,
        cache_entries: 100,
        cache_ttl: Duration::from_hours(1),
        patience: Duration::from_secs(30),
    };
    Verifier::new(users, clock, options)
}

async fn ask(verifier: &Verifier, token: &str) -> Result<Principal, ApiError> {
    verifier.authenticate(&Credential::new(token)).await
}

async fn renew(stage: &Stage, verifier: &Verifier) {
    stage.time.advance(SignedDuration::from_secs(1));
    verifier.renew(stage.users.clock.now()).await.unwrap();
}

fn decode(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

#[tokio::test]
async fn a_token_says_who_it_is_for_fifteen_minutes() {
    let stage = stage().await;
    let tokens = stage.logged_in("ada@example.org").await;
    let verifier = verifier_for(&stage, rules());
    let token = tokens.access.expose_secret();
    let who = ask(&verifier, token).await.unwrap();
    assert_eq!((who.user_id, who.role.as_str()), (tokens.account.id, "student"));
    assert_eq!(who.credential, Presented::Session(tokens.session));
    stage.time.advance(SignedDuration::from_mins(14));
    ask(&verifier, token).await.unwrap();
    stage.time.advance(SignedDuration::from_mins(2));
    let refused = ask(&verifier, token).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthorized);
    assert!(refused.detail().contains("expired"), "{}", refused.detail());
}

#[tokio::test]
async fn a_token_is_of_the_profile_and_names_its_key() {
    let stage = stage().await;
    let tokens = stage.logged_in("ada@example.org").await;
    let parts: Vec<&str> = tokens.access.expose_secret().split('.').collect();
    let header = decode(parts[0]);
    assert_eq!((header["alg"].as_str(), header["typ"].as_str()), (Some("EdDSA"), Some("at+jwt")));
    assert_eq!(header["kid"], stage.users.trust(0).await.unwrap().signing_keys[0].kid);
    let claims = decode(parts[1]);
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 900);
    assert_eq!(claims["sub"], tokens.account.id.to_string());
}

#[tokio::test]
async fn a_token_that_was_tampered_with_is_no_token() {
    let stage = stage().await;
    let tokens = stage.logged_in("ada@example.org").await;
    let verifier = verifier_for(&stage, rules());
    let good = tokens.access.expose_secret();
    let parts: Vec<&str> = good.split('.').collect();
    let (header, claims, signature) = (decode(parts[0]), decode(parts[1]), parts[2]);
    let kid = header["kid"].clone();
    let mut admin = claims.clone();
    admin["role"] = json!("admin");
    let with = |header: Value, claims: &Value| format!("{}.{}.{signature}", encode(&header), encode(claims));
    let bad = [
        with(header.clone(), &admin),
        with(json!({"alg": "none", "typ": "at+jwt", "kid": kid}), &claims),
        format!("{}.{}.", encode(&json!({"alg": "none", "typ": "at+jwt", "kid": kid})), parts[1]),
        with(json!({"alg": "HS256", "typ": "at+jwt", "kid": kid}), &claims),
        with(json!({"alg": "EdDSA", "typ": "JWT", "kid": kid}), &claims),
        with(json!({"alg": "EdDSA", "typ": "at+jwt"}), &claims),
        with(json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "another"}), &claims),
        good[..good.len() - 2].to_owned(),
        format!("{good}.x"),
        "..".to_owned(),
        "x".repeat(4000),
    ];
    for token in bad {
        assert_eq!(ask(&verifier, &token).await.unwrap_err().code(), Code::Unauthorized, "{token}");
    }
    ask(&verifier, good).await.unwrap();
}

#[tokio::test]
async fn a_token_for_somebody_else_is_refused() {
    let stage = stage().await;
    let tokens = stage.logged_in("ada@example.org").await;
    for rules in [
        TokenRules { issuer: "another".to_owned(), ..rules() },
        TokenRules { audience: "another".to_owned(), ..rules() },
    ] {
        ask(&verifier_for(&stage, rules), tokens.access.expose_secret()).await.unwrap_err();
    }
}

#[tokio::test]
async fn a_session_that_was_ended_is_refused_though_its_token_was_remembered() {
    let stage = stage().await;
    let tokens = stage.logged_in("ada@example.org").await;
    let verifier = verifier_for(&stage, rules());
    let who = ask(&verifier, tokens.access.expose_secret()).await.unwrap();
    stage.users.sessions.end(&who, Which::All).await.unwrap();
    renew(&stage, &verifier).await;
    let refused = ask(&verifier, tokens.access.expose_secret()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthorized);
}

#[tokio::test]
async fn who_was_given_another_role_needs_another_token() {
    let stage = stage().await;
    let tokens = stage.logged_in("ada@example.org").await;
    let verifier = verifier_for(&stage, rules());
    ask(&verifier, tokens.access.expose_secret()).await.unwrap();
    let change = ChangeAccount {
        id: tokens.account.id,
        within: Within::Everyone,
        if_version: None,
        change: Change::Role("teacher".to_owned()),
        at: stage.users.clock.now(),
        trail: stage.users.scribe.entry(Action::SetRole),
    };
    stage.users.store.change_account(change).await.unwrap();
    renew(&stage, &verifier).await;
    let refused = ask(&verifier, tokens.access.expose_secret()).await.unwrap_err();
    assert!(refused.detail().contains("refresh"), "{}", refused.detail());
    let fresh = stage.users.sessions.refresh(tokens.refresh.expose_secret()).await.unwrap();
    assert_eq!(ask(&verifier, fresh.access.expose_secret()).await.unwrap().role, "teacher");
}

#[tokio::test]
async fn tokens_outlive_a_change_of_keys_unless_it_is_an_emergency() {
    let stage = stage().await;
    let before = stage.logged_in("ada@example.org").await;
    let verifier = verifier_for(&stage, rules());
    stage.users.signer.rotate(false).await.unwrap();
    assert_eq!(stage.users.trust(0).await.unwrap().signing_keys.len(), 2, "published before it signs");
    stage.time.advance(SignedDuration::from_mins(11));
    let after = stage.log_in("ada@example.org").await;
    let kid = |token: &str| decode(token.split('.').next().unwrap())["kid"].clone();
    assert_ne!(kid(before.access.expose_secret()), kid(after.access.expose_secret()));
    ask(&verifier, before.access.expose_secret()).await.unwrap();
    ask(&verifier, after.access.expose_secret()).await.unwrap();

    stage.users.signer.rotate(true).await.unwrap();
    renew(&stage, &verifier).await;
    ask(&verifier, after.access.expose_secret()).await.expect_err("its key is not to be trusted");
    let fresh = stage.users.sessions.refresh(after.refresh.expose_secret()).await.unwrap();
    ask(&verifier, fresh.access.expose_secret()).await.unwrap();
}

#[tokio::test]
async fn keys_are_changed_when_it_is_time() {
    let stage = stage().await;
    stage.users.signer.keep_fresh().await.unwrap();
    assert_eq!(stage.users.trust(0).await.unwrap().signing_keys.len(), 1);
    stage.time.advance(SignedDuration::from_hours(721));
    stage.users.signer.keep_fresh().await.unwrap();
    stage.users.signer.keep_fresh().await.unwrap();
    assert_eq!(stage.users.trust(0).await.unwrap().signing_keys.len(), 2);
    stage.time.advance(SignedDuration::from_hours(1));
    assert_eq!(stage.users.trust(0).await.unwrap().signing_keys.len(), 1, "the old one verifies nothing now");
}

#[tokio::test]
async fn nobody_is_let_in_on_old_news() {
    let stage = stage().await;
    let tokens = stage.logged_in("ada@example.org").await;
    let verifier = verifier_for(&stage, rules());
    ask(&verifier, tokens.access.expose_secret()).await.unwrap();
    stage.users.store.close().await;
    stage.time.advance(SignedDuration::from_secs(29));
    ask(&verifier, tokens.access.expose_secret()).await.expect("nobody is asked for a while");
    stage.time.advance(SignedDuration::from_secs(2));
    let failed = ask(&verifier, tokens.access.expose_secret()).await.unwrap_err();
    assert_ne!(failed.code(), Code::Unauthorized, "it is not the token's fault");
}
