//! Routes that change while requests are under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::Routed;
use super::service::Service;
use crate::support::wait;

#[tokio::test]
async fn routes_change_without_a_request_lost_and_a_file_with_a_mistake_changes_nothing() {
    let (old, new) = (Service::start("old").await, Service::start("new").await);
    let mut routed = Routed::by(&old.routed("/own", "")).await;
    let client = routed.cluster.client();
    let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let load: Vec<_> = (0..8)
        .map(|_| {
            let (client, stop, sent) = (client.clone(), Arc::clone(&stop), Arc::clone(&sent));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    client.get("/own").await.expect(200);
                    sent.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let answers = async |name: &str| {
        wait::until("the new route", async || (client.read("/own").await["service"] == name).then_some(()))
            .await;
    };
    answers("old").await;
    routed.change(&new.routed("/own", ""));
    answers("new").await;

    routed.change("[routes.own]\nprefix = \"no path\"\nupstream = \"voice\"\n");
    wait::until("the mistake is told", async || {
        let log = routed.cluster.log();
        log.iter()
            .any(|line| line.contains("routes.own.prefix") && line.contains("stay as they were"))
            .then_some(())
    })
    .await;
    assert_eq!(client.read("/own").await["service"], "new");

    routed.change(&old.routed("/own", ""));
    routed.cluster.all().signal("HUP");
    answers("old").await;
    stop.store(true, Ordering::Relaxed);
    for task in load {
        task.await.unwrap();
    }
    assert!(sent.load(Ordering::Relaxed) > 50, "{sent:?}");
    assert!(client.metric("voicera_gateway_reloads_total", "outcome=\"done\"").await >= 2);
}

#[tokio::test]
async fn a_request_under_way_is_answered_by_the_route_that_it_came_by() {
    let (old, new) = (Service::start("old").await, Service::start("new").await);
    let routed = Routed::by(&old.routed("/own", "")).await;
    let client = routed.cluster.client();
    let held = tokio::spawn({
        let client = client.clone();
        async move { client.get("/own/held").await }
    });
    old.asked().await;
    routed.change(&new.routed("/own", ""));
    wait::until("the new route", async || (client.read("/own").await["service"] == "new").then_some(()))
        .await;
    old.let_go();
    assert_eq!(held.await.unwrap().expect(200).json()["service"], "old");
}
