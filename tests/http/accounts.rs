//! Somebody's way through an installation, over plain HTTP: in, around, and out.

use reqwest::Method;
use serde_json::{Value, json};
use voicera::kit::clock::{Clock as _, SystemClock};

use crate::support::Role::{Analytics, Gateway, Users, Voice};
use crate::support::passkey::Passkey;
use crate::support::{Client, Cluster, Reply, wait};

const PASSWORD: &str = "correct horse battery staple";
const ORIGIN: &str = "http://localhost:3000";

/// A client that is nobody yet, or somebody by an access token.
struct Person {
    client: Client,
    access: Option<String>,
    device: &'static str,
}

impl Person {
    fn nobody(cluster: &Cluster, device: &'static str) -> Self {
        Self { client: cluster.client().anonymous(), access: None, device }
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Reply {
        let mut request = self.client.request(method, path).header("user-agent", self.device);
        if let Some(access) = &self.access {
            request = request.bearer_auth(access);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        Client::send(request).await.unwrap()
    }

    async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(Method::POST, path, Some(&body)).await
    }

    async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, None).await
    }

    /// Takes the tokens of a reply; gives the refresh token and the session's id.
    fn is_in(&mut self, reply: &Reply) -> (String, String) {
        let reply = reply.json();
        self.access = Some(reply["accessToken"].as_str().expect("an access token").to_owned());
        let text = |name: &str| reply[name].as_str().expect("a text").to_owned();
        (text("refreshToken"), text("sessionId"))
    }
}

/// The token in the latest message to `address`, which goes to the log where no mail server is.
async fn token_for(cluster: &Cluster, address: &str) -> String {
    wait::until("a message", async || {
        let lines = cluster.log();
        let line = lines.iter().rev().find(|line| line.contains("users.mail") && line.contains(address))?;
        let start = line.find("vo_")?;
        Some(line[start..start + 67].to_owned())
    })
    .await
}

/// What an authenticator shows that was set up with `uri`.
fn code(uri: &str) -> String {
    let now = SystemClock.now().as_second();
    totp_rs::Totp::from_url(uri).expect("a second factor").generate(now.unsigned_abs()).to_string()
}

#[tokio::test]
async fn a_new_user_gets_in_and_around_and_out_on_every_role() {
    let cluster =
        Cluster::split_with(&[("users.registration", "open"), ("users.passkeys.origin", ORIGIN)]).await;
    let mut ada = Person::nobody(&cluster, "Ada's laptop");

    // Register, verify, log in.
    let account = json!({"name": "Ada", "email": "ada@example.org", "password": PASSWORD});
    ada.post("/api/auth/register", account.clone()).await.expect(202);
    let login = json!({"email": "ADA@example.org", "password": PASSWORD});
    ada.post("/api/auth/login", login.clone()).await.expect(403).problem();
    let token = token_for(&cluster, "ada@example.org").await;
    let verified = ada.post("/api/auth/verify", json!({"token": token, "password": PASSWORD})).await;
    assert!(verified.status < 300, "{verified:?}");
    let again = ada.post("/api/auth/verify", json!({"token": token, "password": PASSWORD})).await;
    assert!((400..500).contains(&again.status), "a token is good once: {again:?}");
    let (refresh, _) = ada.is_in(&ada.post("/api/auth/login", login.clone()).await.expect(200));

    // Somebody else may not find out that the address is taken.
    let bob = Person::nobody(&cluster, "Bob's");
    let known = bob.post("/api/auth/register", account).await.expect(202).json();
    let unknown = json!({"name": "Ada", "email": "eve@example.org", "password": PASSWORD});
    assert_eq!(known, bob.post("/api/auth/register", unknown).await.expect(202).json());

    // Speak.
    ada.post("/api/voice/process", json!({"command": "hello"})).await.expect(202);
    ada.get("/api/analytics/real-time").await.expect(403).problem();

    // Set up a second factor, and log in with it.
    let proof = json!({"password": PASSWORD});
    let enrolment = ada.post("/api/auth/totp", proof).await.expect(200).json();
    let uri = enrolment["uri"].as_str().unwrap();
    let confirmation = json!({"token": enrolment["token"], "code": code(uri)});
    let codes = ada.post("/api/auth/totp/confirm", confirmation).await.expect(200).json();
    let codes: Vec<&str> =
        codes["recoveryCodes"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(codes.len(), 10);
    let mut second = Person::nobody(&cluster, "Ada's phone");
    let challenge = second.post("/api/auth/login", login.clone()).await.expect(202).json();
    let wrong = json!({"challenge": challenge["challenge"], "code": "000000"});
    second.post("/api/auth/login/second-factor", wrong).await.expect(401).problem();
    // The code of this half minute was used to set it up: a recovery code stands in.
    let answer = json!({"challenge": challenge["challenge"], "code": codes[0]});
    let reply = second.post("/api/auth/login/second-factor", answer).await.expect(200);
    let (_, second_session) = second.is_in(&reply);

    // Add a passkey, and log in with nothing else.
    let mut device = Passkey::at(ORIGIN);
    ada.post("/api/auth/passkeys/start", json!({"password": PASSWORD})).await.expect(403).problem();
    let proof = json!({"password": PASSWORD, "code": codes[1]});
    let begun = ada.post("/api/auth/passkeys/start", proof).await.expect(200).json();
    let credential = device.create(&begun["options"]);
    let made = json!({"token": begun["token"], "name": "Ada's key", "credential": credential});
    let added = ada.post("/api/auth/passkeys", made).await;
    assert!(added.status < 300, "{added:?}");
    let mut third = Person::nobody(&cluster, "Ada's tablet");
    let begun = third.post("/api/auth/login/passkey/start", json!({})).await.expect(200).json();
    let answer = json!({"token": begun["token"], "credential": device.answer(&begun["options"])});
    third.is_in(&third.post("/api/auth/login/passkey", answer.clone()).await.expect(200));
    let replayed = third.post("/api/auth/login/passkey", answer).await;
    assert!((400..500).contains(&replayed.status), "an answer is good once: {replayed:?}");

    // See the sessions from the second device, and end that of the first.
    let sessions = second.get("/api/auth/sessions").await.expect(200).json();
    let sessions = sessions["sessions"].as_array().unwrap();
    let devices: Vec<_> = sessions.iter().map(|session| session["device"].as_str().unwrap()).collect();
    assert_eq!(devices, ["Ada's tablet", "Ada's phone", "Ada's laptop"]);
    let current: Vec<_> = sessions.iter().filter(|session| session["current"] == true).collect();
    assert_eq!(current.len(), 1);
    assert_eq!(current[0]["id"], second_session.as_str());
    let first = sessions[2]["id"].as_str().unwrap();
    second.send(Method::DELETE, &format!("/api/auth/sessions/{first}"), None).await.expect(204);

    // Its tokens are refused by every service, each asked for itself.
    let access = ada.access.clone().unwrap();
    for (role, path) in [
        (Gateway, "/api/voice/history"),
        (Voice, "/api/voice/history"),
        (Users, "/api/auth/me"),
        (Analytics, "/api/analytics/real-time"),
    ] {
        wait::until("the token is refused", async || {
            let request = cluster.client_of(role).anonymous().request(Method::GET, path);
            (Client::send(request.bearer_auth(&access)).await.unwrap().status == 401).then_some(())
        })
        .await;
    }
    let stale = json!({"refreshToken": refresh});
    ada.post("/api/auth/refresh", stale).await.expect(401).problem();
    second.get("/api/auth/me").await.expect(200);

    // Out everywhere.
    second.send(Method::POST, "/api/auth/logout?all=true", None).await.expect(204);
    wait::until("the others are out", async || (third.get("/api/auth/me").await.status == 401).then_some(()))
        .await;
}

#[tokio::test]
async fn a_lost_reply_logs_nobody_out_and_a_thief_does_not_stay() {
    let cluster =
        Cluster::installation_with(&[("users.registration", "open"), ("users.refresh_grace", "0s")]).await;
    let mut ada = Person::nobody(&cluster, "Ada's laptop");
    let account = json!({"name": "Ada", "email": "ada@example.org", "password": PASSWORD});
    ada.post("/api/auth/register", account).await.expect(202);
    let token = token_for(&cluster, "ada@example.org").await;
    ada.post("/api/auth/verify", json!({"token": token, "password": PASSWORD})).await;
    let login = json!({"email": "ada@example.org", "password": PASSWORD});
    let (stolen, _) = ada.is_in(&ada.post("/api/auth/login", login.clone()).await.expect(200));

    let mut thief = Person::nobody(&cluster, "curl");
    let (theirs, _) =
        thief.is_in(&thief.post("/api/auth/refresh", json!({"refreshToken": stolen})).await.expect(200));
    thief.get("/api/auth/me").await.expect(200);
    ada.post("/api/auth/refresh", json!({"refreshToken": stolen})).await.expect(401).problem();
    thief.post("/api/auth/refresh", json!({"refreshToken": theirs})).await.expect(401).problem();
    wait::until("the thief is out", async || (thief.get("/api/auth/me").await.status == 401).then_some(()))
        .await;
    ada.is_in(&ada.post("/api/auth/login", login).await.expect(200));
    ada.get("/api/auth/me").await.expect(200);
}

#[tokio::test]
async fn what_a_person_has_is_kept_through_a_restart() {
    let mut cluster = Cluster::installation_with(&[("users.registration", "open")]).await;
    let mut ada = Person::nobody(&cluster, "Ada's laptop");
    let account = json!({"name": "Ada", "email": "ada@example.org", "password": PASSWORD});
    ada.post("/api/auth/register", account).await.expect(202);
    let token = token_for(&cluster, "ada@example.org").await;
    ada.post("/api/auth/verify", json!({"token": token, "password": PASSWORD})).await;
    let login = json!({"email": "ada@example.org", "password": PASSWORD});
    let (refresh, _) = ada.is_in(&ada.post("/api/auth/login", login).await.expect(200));
    cluster.restart().await;
    let mut again = Person { client: cluster.client().anonymous(), ..ada };
    again.get("/api/auth/me").await.expect(200);
    again.is_in(&again.post("/api/auth/refresh", json!({"refreshToken": refresh})).await.expect(200));
    let name = again.get("/api/auth/me").await.expect(200).json();
    assert_eq!(name["account"]["email"], "ada@example.org");
}
