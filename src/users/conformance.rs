//! What every [`Users`] has to do; one list, run on the module itself and on its client over HTTP.

use std::sync::Arc;
use std::time::Duration;

use axum::middleware::from_fn_with_state;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::api::Users;
use super::local::LocalUsers;
use super::remote::RemoteUsers;
use super::store::UserStore;
use super::store::sqlite::SqliteUsers;
use crate::kit::auth::{self, Credential, Scope};
use crate::kit::clock::{ManualClock, SharedClock};
use crate::kit::error::Code;
use crate::kit::health::{HealthState, Probe, Status, router as health_router};
use crate::kit::ids::{Entropy, Ids};
use crate::kit::peer::Peer;
use crate::kit::storage::StorageError;
use crate::kit::storage::sqlite::Options;

const SERVICE_KEY: &str = "between services";

/// A users module with a first key, and one of its two faces.
struct Stage {
    users: Arc<dyn Users>,
    store: Arc<dyn UserStore>,
    key: String,
    local: Arc<LocalUsers>,
    stop: CancellationToken,
    _folder: TempDir,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn local() -> Stage {
    let folder = tempfile::tempdir().unwrap();
    let clock: SharedClock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
    let store =
        SqliteUsers::open(&Options::new(folder.path().join("users.db")), &clock, &|_| ()).await.unwrap();
    let store: Arc<dyn UserStore> = Arc::new(store);
    let ids = Ids::new(Arc::clone(&clock), Entropy::seeded(1));
    // Nothing is remembered: what the store says is what counts.
    let local = Arc::new(LocalUsers::new(Arc::clone(&store), clock, ids, 10, Duration::ZERO));
    let key = local.bootstrap::<StorageError>(|_| Ok(())).await.unwrap().unwrap();
    Stage {
        users: local.clone(),
        store,
        key: key.expose_secret().to_owned(),
        local,
        stop: CancellationToken::new(),
        _folder: folder,
    }
}

async fn remote() -> Stage {
    remote_with(SERVICE_KEY).await
}

async fn remote_with(service_key: &str) -> Stage {
    let mut stage = local().await;
    let probe: Arc<dyn Probe> = stage.local.clone();
    let key = Arc::new(SecretString::from(SERVICE_KEY));
    let app = stage
        .local
        .internal_router()
        .layer(from_fn_with_state(key, auth::service_key))
        .merge(health_router(HealthState { probe, stopping: Arc::default() }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let stop = stage.stop.clone();
    tokio::spawn(
        async move { axum::serve(listener, app).with_graceful_shutdown(stop.cancelled_owned()).await },
    );
    let peer = Peer::new("users", &base, SecretString::from(service_key), Duration::from_secs(5)).unwrap();
    stage.users = Arc::new(RemoteUsers::new(peer, 10, Duration::ZERO));
    stage
}

async fn the_first_key_is_good_for_everything(stage: Stage) {
    let principal = stage.users.authenticate(&Credential::new(stage.key.as_str())).await.unwrap();
    assert_eq!(principal.scopes, Scope::ALL.iter().copied().collect());
    assert_eq!(principal.name, "owner");
}

async fn an_unknown_key_is_refused(stage: Stage) {
    for key in ["", "vk_nobody", &stage.key[1..], &format!("{}0", stage.key)] {
        let refused = stage.users.authenticate(&Credential::new(key)).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthorized, "{key}");
    }
}

async fn health_says_that_the_store_works_and_when_it_does_not(stage: Stage) {
    assert_eq!(stage.users.health().await.status, Status::Up);
    stage.store.close().await;
    assert_eq!(stage.users.health().await.status, Status::Down);
}

async fn a_store_that_is_gone_is_no_refusal(stage: Stage) {
    stage.store.close().await;
    let failed = stage.users.authenticate(&Credential::new(stage.key.as_str())).await.unwrap_err();
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
    the_first_key_is_good_for_everything
    an_unknown_key_is_refused
    health_says_that_the_store_works_and_when_it_does_not
    a_store_that_is_gone_is_no_refusal
}

#[tokio::test]
async fn a_second_start_makes_no_second_key() {
    let stage = local().await;
    assert!(stage.local.bootstrap::<StorageError>(|_| panic!("kept")).await.unwrap().is_none());
}

#[tokio::test]
async fn a_peer_without_the_service_key_learns_nothing() {
    let stage = remote_with("a guess").await;
    let refused = stage.users.authenticate(&Credential::new(stage.key.as_str())).await.unwrap_err();
    assert_eq!(refused.code(), Code::BadGateway, "its own mistake, not its client's");
}
