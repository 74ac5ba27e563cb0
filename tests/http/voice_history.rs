//! The history of five hundred commands: pages, filters, figures.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

use crate::support::{Client, Cluster};

const TEXTS: [&str; 5] = [
    "show my grades",
    "when is my next assignment due",
    "hello",
    "thank you",
    "what is my schedule for tomorrow",
];
const COMMANDS: usize = 500;
const SESSIONS: usize = 4;

async fn five_hundred() -> (Cluster, Client) {
    let cluster = Cluster::installation().await;
    let client = cluster.client();
    let send = |number: usize| {
        let body =
            json!({"command": TEXTS[number % TEXTS.len()], "sessionId": format!("s-{}", number % SESSIONS)});
        let client = client.clone();
        async move {
            client.ask_as(&body).await;
        }
    };
    stream::iter(0..COMMANDS).map(send).buffer_unordered(32).collect::<Vec<_>>().await;
    (cluster, client)
}

fn ids(commands: &[Value]) -> Vec<&str> {
    commands.iter().map(|command| command["jobId"].as_str().unwrap()).collect()
}

fn count(commands: &[Value], fits: impl Fn(&Value) -> bool) -> usize {
    commands.iter().filter(|command| fits(command)).count()
}

#[tokio::test]
async fn pages_and_filters_and_figures_agree_over_five_hundred_commands() {
    let (_cluster, client) = five_hundred().await;
    let all = client.history().await;
    assert_eq!(all.len(), COMMANDS);
    assert_eq!(ids(&all).into_iter().collect::<BTreeSet<_>>().len(), COMMANDS, "each command once");
    let times: Vec<_> = all.iter().map(|command| command["createdAt"].as_str().unwrap()).collect();
    assert!(times.is_sorted_by(|newer, older| instant(newer) >= instant(older)), "newest first");

    pages(&client, &all).await;
    filters(&client, &all).await;
    figures(&client, &all).await;
}

async fn pages(client: &Client, all: &[Value]) {
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = client.read(&format!("/api/voice/history?limit=77{cursor}")).await;
        let commands = page["commands"].as_array().unwrap().clone();
        assert!(commands.len() == 77 || page.get("nextCursor").is_none());
        seen.extend(commands);
        let Some(next) = page["nextCursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(ids(&seen), ids(all));

    let page = client.read("/api/voice/history?limit=10&offset=490").await;
    assert_eq!(ids(page["commands"].as_array().unwrap()), ids(&all[490..]));
    assert!(page.get("nextCursor").is_none());
    let page = client.read("/api/voice/history").await;
    assert_eq!(ids(page["commands"].as_array().unwrap()), ids(&all[..50]), "fifty unless told");
    for wrong in ["limit=0", "limit=201", "offset=10001", "cursor=x", "offset=1&cursor=x"] {
        client.get(&format!("/api/voice/history?{wrong}")).await.expect(422).problem();
    }
}

async fn filters(client: &Client, all: &[Value]) {
    let by = async |query: &str| client.history_where(&format!("&{query}")).await;
    let grades = by("intent=get_grades").await;
    assert_eq!(grades.len(), count(all, |command| command["result"]["intent"] == "get_grades"));
    assert!(!grades.is_empty());
    assert_eq!(by("language=en").await.len(), COMMANDS);
    assert_eq!(by("language=xx").await.len(), 0);
    assert_eq!(by("text=assignment").await.len(), COMMANDS / TEXTS.len());
    assert_eq!(by("text=100%25").await.len(), 0, "wildcards of the store are plain characters");
    assert_eq!(by("sessionId=s-3").await.len(), COMMANDS / SESSIONS);
    assert_eq!(by("session=s-3").await.len(), COMMANDS / SESSIONS, "the name that older clients use");
    let both = by("sessionId=s-3&text=hello").await;
    let expected = count(all, |command| command["sessionId"] == "s-3" && command["command"] == "hello");
    assert_eq!(both.len(), expected);

    let middle = all[COMMANDS / 2]["createdAt"].as_str().unwrap();
    let from = by(&format!("from={middle}")).await;
    let to = by(&format!("to={middle}")).await;
    assert_eq!(from.len() + to.len(), COMMANDS, "`from` is included, `to` is not");
    assert_eq!(
        from.len(),
        count(all, |command| instant(command["createdAt"].as_str().unwrap()) >= instant(middle))
    );
}

async fn figures(client: &Client, all: &[Value]) {
    let stats = client.read("/api/voice/stats").await;
    assert_eq!(stats["total"], COMMANDS);
    assert_eq!(stats["completed"], COMMANDS);
    assert_eq!(stats["failed"], 0);
    assert_eq!(stats["byLanguage"], json!({"en": COMMANDS}));
    for (member, of_result) in [("byIntent", "intent"), ("bySource", "source")] {
        for (name, number) in stats[member].as_object().unwrap() {
            let counted = count(all, |command| command["result"][of_result].as_str() == Some(name));
            assert_eq!(*number, counted, "{member} {name}");
        }
    }
    let none = client.read("/api/voice/stats?from=2001-01-01T00:00:00Z&to=2001-01-02T00:00:00Z").await;
    assert_eq!(none["total"], 0);
    client.get("/api/voice/stats?from=yesterday").await.expect(422).problem();
}

fn instant(text: &str) -> jiff::Timestamp {
    text.parse().unwrap()
}
