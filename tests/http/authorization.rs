//! Who has no valid credential gets nothing but the few public answers.

use crate::openapi::{NOBODY, document, operations};
use crate::support::{Client, Cluster, Reply};

/// The operations for everybody: how a server is, and the ways to a credential. Every entry has to be
/// one of these two.
const PUBLIC: [&str; 14] = [
    "askReset",
    "confirmReset",
    "health",
    "jwks",
    "live",
    "login",
    "loginPasskey",
    "loginSecondFactor",
    "ready",
    "refresh",
    "register",
    "resendVerification",
    "startPasskeyLogin",
    "verifyEmail",
];

#[track_caller]
fn is_refused(reply: &Reply, what: &str) {
    assert_eq!(reply.status, 401, "{what}: {reply:?}");
    assert_eq!(reply.problem()["code"], "unauthorized", "{what}");
    assert!(
        reply.header("www-authenticate").is_some_and(|scheme| scheme.starts_with("Bearer ")),
        "{what}: {reply:?}"
    );
}

#[tokio::test]
async fn no_operation_is_public_but_those_on_the_list() {
    let cluster = Cluster::installation().await;
    let all = operations(&document(&cluster.client()).await);
    let mut public: Vec<_> =
        all.iter().filter(|operation| !operation.secured).map(|one| one.id.as_str()).collect();
    public.sort_unstable();
    assert_eq!(public, PUBLIC);
}

#[tokio::test]
async fn every_other_operation_asks_for_a_valid_credential() {
    let cluster = Cluster::installation().await;
    let client = cluster.client();
    let (anonymous, key) = (client.anonymous(), cluster.key().unwrap());
    let other = if key.ends_with('0') { '1' } else { '0' };
    let near_miss = format!("{}{other}", &key[..key.len() - 1]);
    let short = &key[..key.len() - 1];
    let bearer_key = format!("Bearer {key} {key}");
    let basic_key = format!("Basic {key}");
    let huge = "k".repeat(5_000);
    let credentials: [(&str, &str); 13] = [
        ("x-api-key", ""),
        ("x-api-key", "vk_wrong"),
        ("x-api-key", &near_miss),
        ("x-api-key", short),
        ("x-api-key", "key\tkey"),
        ("x-api-key", &huge),
        ("authorization", ""),
        ("authorization", "Bearer"),
        ("authorization", "Bearer "),
        ("authorization", "Bearer vk_wrong"),
        ("authorization", &bearer_key),
        ("authorization", &basic_key),
        ("authorization", &key),
    ];
    for operation in operations(&document(&client).await).iter().filter(|operation| operation.secured) {
        for prefix in ["/api/", "/api/v1/"] {
            let path = operation.path_with(NOBODY).replacen("/api/", prefix, 1);
            let request = || anonymous.request(operation.method.clone(), &path).json(&operation.example());
            let what = format!("{} {path}", operation.method);
            is_refused(&Client::send(request()).await.unwrap(), &what);
            for (name, value) in credentials {
                let reply = Client::send(request().header(name, value)).await.unwrap();
                is_refused(&reply, &format!("{what} with {name}: {value}"));
            }
            let latin = reqwest::header::HeaderValue::from_bytes(b"Bearer \xe9\xff").unwrap();
            is_refused(&Client::send(request().header("authorization", latin)).await.unwrap(), &what);
        }
    }
    assert_eq!(client.history().await.len(), 0, "nothing was done for anybody");
    let log = cluster.log().join("\n");
    assert!(!log.contains("vk_wrong") && !log.contains(&key), "credentials stay out of the log");
}

#[tokio::test]
async fn a_valid_credential_is_taken_from_either_header() {
    let cluster = Cluster::installation().await;
    let (client, key) = (cluster.client(), cluster.key().unwrap());
    let anonymous = client.anonymous();
    for (name, value) in [
        ("x-api-key", key.clone()),
        ("authorization", format!("Bearer {key}")),
        ("authorization", format!("bearer {key}")),
    ] {
        let request = anonymous.request(reqwest::Method::GET, "/api/auth/me").header(name, value);
        let me = Client::send(request).await.unwrap().expect(200);
        assert_eq!(me.json()["name"], "owner");
        assert!(!me.text.contains(&key));
    }
}

#[tokio::test]
async fn other_spellings_of_a_path_are_no_way_around() {
    let cluster = Cluster::installation().await;
    let anonymous = cluster.client().anonymous();
    for path in [
        "//api/voice/history",
        "/api//voice/history",
        "/api/voice//history",
        "/api/voice/history/",
        "/API/voice/history",
        "/api/voice%2Fhistory",
        "/api/v1/v1/voice/history",
        "/api/v1//voice/history",
        "/health/..%2Fapi/voice/history",
        "/docs/..%2F..%2Fapi/voice/history",
        "/internal/users/authenticate",
        "/internal/analytics/record",
        "/api/internal/users/authenticate",
    ] {
        let reply = anonymous.get(path).await;
        assert!(matches!(reply.status, 400 | 401 | 404), "{path}: {reply:?}");
        // The page of the documentation is another's, and so is what it says of pages it has not.
        if !path.starts_with("/docs/") {
            reply.problem();
        }
    }
}
