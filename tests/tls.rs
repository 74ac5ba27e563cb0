//! Servers that talk TLS alone, with certificates of an authority that has to be named.

use crate::support::backends::initiate;
use crate::support::certificates::Certificates;
use crate::support::command::run_with;
use crate::support::{Cluster, servers, wait};

#[tokio::test]
async fn a_redis_behind_tls_carries_all_of_it() {
    let certificates = Certificates::new();
    let redis = servers::redis_tls(&certificates.server());
    let url = format!("rediss://127.0.0.1:{}", redis.port());
    let settings = [("redis.url", url.as_str()), ("voice.queue.kind", "bullmq")];
    let authority = certificates.authority();
    let trusting = [settings.as_slice(), &[("redis.tls_ca", authority.as_str())]].concat();
    let cluster = Cluster::single_with(&trusting).await;
    let client = cluster.client();
    assert_eq!(client.ask("show my grades").await["source"], "local");
    assert_eq!(client.ask("show my grades").await["source"], "cache");
    let id = client.accept("hello").await;
    assert_eq!(client.settled(&id).await["result"]["intent"], "greeting");
    let health = client.read("/health").await;
    assert_eq!(health["checks"]["redis.server"]["status"], "up", "{health}");
    // The connection for subscriptions is another driver's.
    assert_eq!(client.metric("voicera_pubsub_published_total", "outcome=\"failed\"").await, 0);
    drop(cluster);

    let strange = Cluster::start_with(&[crate::support::Role::All], &[("redis.url", &url)]).await;
    let health = strange.client().read("/health").await;
    let redis = &health["checks"]["redis.server"];
    assert_eq!(redis["status"], "degraded", "{health}");
    assert!(redis["detail"].as_str().unwrap().contains("certificate"), "{health}");
}

#[tokio::test]
async fn a_mongodb_behind_tls_keeps_all_of_it() {
    let certificates = Certificates::new();
    let authority = certificates.authority();
    let mongod = servers::mongod_tls(&certificates.server(), &authority);
    let tls = format!("&tls=true&tlsCAFile={authority}");
    initiate(&mongod, &tls).await.shutdown().await;
    let address = format!("mongodb://127.0.0.1:{}/?replicaSet=rs0", mongod.port());

    let home = tempfile::tempdir().unwrap();
    let migrate = |url: &str| {
        let settings = [
            ("VOICERA_STORAGE__KIND", "mongodb"),
            ("VOICERA_STORAGE__MONGODB__URL", url),
            ("VOICERA_STORAGE__MONGODB__SERVER_SELECTION_TIMEOUT", "2s"),
        ];
        run_with(home.path(), &["migrate", "status"], &settings, "")
    };
    let stranger = migrate(&format!("{address}&tls=true")).expect(1);
    assert!(stranger.err.contains("certificate"), "{stranger:#?}");
    migrate(&address).expect(1);

    let url = format!("{address}{tls}");
    let cluster = Cluster::single_with(&[("storage.kind", "mongodb"), ("storage.mongodb.url", &url)]).await;
    let client = cluster.client();
    assert_eq!(client.ask("show my grades").await["intent"], "get_grades");
    assert_eq!(client.history().await.len(), 1);
    assert_eq!(client.read("/api/auth/me").await["name"], "owner");
    wait::until("it is counted", async || {
        let counters = client.read("/api/analytics/real-time").await;
        (counters["allTime"]["commands"] == 1).then_some(())
    })
    .await;
}
