//! What every [`Users`] has to do; one list, run on the module itself and on its client over HTTP.

use std::sync::Arc;
use std::time::Duration;

use axum::middleware::from_fn_with_state;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use crate::kit::auth::{self, Credential, Presented, Principal, Reach};
use crate::kit::error::Code;
use crate::kit::health::{HealthState, Probe, Status, router as health_router};
use crate::kit::ids::UserId;
use crate::kit::peer::Peer;
use crate::users::api::{Preferences, Users};
use crate::users::local::tests::stage::{Stage, stage};
use crate::users::remote::RemoteUsers;
use crate::users::store::Which;

const SERVICE_KEY: &str = "between services";

/// A users module with somebody in it, and one of its two faces.
struct Face {
    users: Arc<dyn Users>,
    stage: Stage,
    key: String,
    stop: CancellationToken,
}

impl Drop for Face {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn local() -> Face {
    let stage = stage().await;
    let key = stage.first_key().await;
    Face { users: Arc::new(stage.users.clone()), stage, key, stop: CancellationToken::new() }
}

async fn remote() -> Face {
    remote_with(SERVICE_KEY, &[]).await
}

/// The client with this key, which knows of other addresses, too.
async fn remote_with(service_key: &str, others: &[String]) -> Face {
    let mut face = local().await;
    let probe: Arc<dyn Probe> = Arc::new(face.stage.users.clone());
    let key = Arc::new(SecretString::from(SERVICE_KEY));
    let app = face
        .stage
        .users
        .internal_router()
        .layer(from_fn_with_state(key, auth::service_key))
        .merge(health_router(HealthState { probe, stopping: Arc::default() }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let stop = face.stop.clone();
    tokio::spawn(
        async move { axum::serve(listener, app).with_graceful_shutdown(stop.cancelled_owned()).await },
    );
    let peer =
        |base: &String| Peer::new("users", base, SecretString::from(service_key), Duration::from_secs(5));
    let peers = others.iter().chain([&base]).map(|base| peer(base).unwrap());
    face.users = Arc::new(RemoteUsers::new(peers.collect()));
    face
}

async fn the_first_key_is_an_administrators(face: Face) {
    let identity = face.users.identify(&Credential::new(face.key.as_str())).await.unwrap();
    assert_eq!((identity.name.as_str(), identity.role.as_str()), ("owner", "admin"));
    assert_eq!(identity.scopes, None, "whatever the role permits");
}

async fn an_unknown_key_is_refused(face: Face) {
    for key in ["", "vk_nobody", &face.key[1..], &format!("{}0", face.key)] {
        let refused = face.users.identify(&Credential::new(key)).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthorized, "{key}");
    }
}

async fn trust_has_the_keys_and_the_roles(face: Face) {
    let trust = face.users.trust(0).await.unwrap();
    assert_eq!(trust.signing_keys.len(), 1);
    let names: Vec<_> = trust.roles.iter().map(|role| role.name.as_str()).collect();
    assert_eq!(names, ["admin", "institution_admin", "student", "teacher"]);
}

async fn what_is_revoked_is_told_once(face: Face) {
    let before = face.users.trust(0).await.unwrap();
    let tokens = face.stage.logged_in("ada@example.org").await;
    let who = Principal {
        user_id: tokens.account.id,
        name: String::new(),
        role: String::new(),
        reach: Reach::Own,
        institution: None,
        credential: Presented::Session(tokens.session),
        scopes: [].into(),
    };
    face.stage.users.sessions.end(&who, Which::All).await.unwrap();
    let after = face.users.trust(before.position).await.unwrap();
    let revoked: Vec<_> = after.revocations.iter().map(|revoked| revoked.subject).collect();
    assert_eq!(revoked, [tokens.session.uuid()]);
    assert!(face.users.trust(after.position).await.unwrap().revocations.is_empty());
}

async fn preferences_are_those_of_the_account(face: Face) {
    let ada = face.stage.logged_in("ada@example.org").await.account.id;
    assert_eq!(face.users.preferences(ada).await.unwrap(), Preferences::default());
    let nobody: UserId = uuid::Uuid::nil().into();
    assert_eq!(face.users.preferences(nobody).await.unwrap_err().code(), Code::NotFound);
}

async fn health_says_that_the_store_works_and_when_it_does_not(face: Face) {
    assert_eq!(face.users.health().await.status, Status::Up);
    face.stage.users.store.close().await;
    assert_eq!(face.users.health().await.status, Status::Down);
}

async fn a_store_that_is_gone_is_no_refusal(face: Face) {
    face.stage.users.store.close().await;
    let failed = face.users.identify(&Credential::new(face.key.as_str())).await.unwrap_err();
    assert_ne!(failed.code(), Code::Unauthorized);
}

macro_rules! cases {
    ($($case:ident)*) => {
        mod on_local {
            $(#[tokio::test] async fn $case() { super::$case(super::local().await).await; })*
        }
        mod on_remote {
            $(#[tokio::test] async fn $case() { super::$case(super::remote().await).await; })*
        }
    };
}

cases! {
    the_first_key_is_an_administrators
    an_unknown_key_is_refused
    trust_has_the_keys_and_the_roles
    what_is_revoked_is_told_once
    preferences_are_those_of_the_account
    health_says_that_the_store_works_and_when_it_does_not
    a_store_that_is_gone_is_no_refusal
}

#[tokio::test]
async fn a_peer_without_the_service_key_learns_nothing() {
    let face = remote_with("a guess", &[]).await;
    let refused = face.users.identify(&Credential::new(face.key.as_str())).await.unwrap_err();
    assert_eq!(refused.code(), Code::BadGateway, "its own mistake, not its client's");
}

#[tokio::test]
async fn where_one_process_is_away_another_is_asked() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", taken.local_addr().unwrap());
    drop(taken);
    let face = remote_with(SERVICE_KEY, &[nobody]).await;
    for _ in 0..2 {
        let identity = face.users.identify(&Credential::new(face.key.as_str())).await.unwrap();
        assert_eq!(identity.name, "owner");
    }
    assert_eq!(face.users.health().await.status, Status::Up);
    face.stage.users.store.close().await;
    face.users.trust(0).await.unwrap_err();
}
