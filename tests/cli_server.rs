//! The command line towards a running server: the key, one command, many commands.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::cli::check_output_that_fails;
use crate::support::command::{Finished, run_with};
use crate::support::{Behaviour, Cluster, LlmServer, Role, node, wait};

/// Runs `voicera` in the cluster's home against its server, with the data folder instead of a key.
fn voicera(cluster: &Cluster, arguments: &[&str], input: &str) -> Finished {
    let base = cluster.client().base().to_owned();
    let server = [("VOICERA_SERVER", base.as_str())];
    run_with(cluster.home(), &[arguments, &["--data-dir", Role::All.as_str()]].concat(), &server, input)
}

#[tokio::test]
async fn the_first_start_shows_the_key_once_and_keeps_it_for_its_owner_alone() {
    let mut cluster = Cluster::single().await;
    let key = cluster.key().unwrap();
    let shown = |cluster: &mut Cluster| cluster.all().out.text();
    assert!(shown(&mut cluster).contains(&format!("API key: {key}")));
    let file = cluster.folder(Role::All).join("api-key");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(key.starts_with("vk_") && key.len() == 67, "{key}");

    cluster.restart().await;
    assert!(!shown(&mut cluster).contains("vk_"), "the second start shows no key");
    assert_eq!(cluster.key().unwrap(), key);
    cluster.client().get("/api/auth/me").await.expect(200);
    assert!(!cluster.all().err.text().contains(&key));
}

#[tokio::test]
async fn say_finds_the_key_in_the_data_folder_and_shows_the_answer() {
    let cluster = Cluster::single().await;
    let shown = voicera(&cluster, &["say", "show my physics grades"], "").expect(0);
    assert_eq!(shown.err, "");
    // What depends on the training and on the machine is left out of the picture.
    let stable = |line: &str| match line.split_whitespace().next() {
        Some(label @ ("confidence" | "reply" | "time")) => format!("{label:<10} […]\n"),
        _ => format!("{line}\n"),
    };
    insta::assert_snapshot!(shown.out.lines().map(stable).collect::<String>(), @r#"
    intent     get_grades
    confidence […]
    entity     subject: "physics"
    reply      […]
    source     local
    language   en
    time       […]
    "#);
}

#[tokio::test]
async fn say_prints_json_and_takes_a_key_and_a_language() {
    let cluster = Cluster::single().await;
    let answer = voicera(&cluster, &["say", "--json", "--language", "en", "hello"], "").expect(0).out;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["status"], "completed");
    assert_eq!(answer["result"]["intent"], "greeting");

    let (base, key) = (cluster.client().base().to_owned(), cluster.key().unwrap());
    let variables = [("VOICERA_SERVER", base.as_str()), ("VOICERA_API_KEY", key.as_str())];
    run_with(cluster.home(), &["say", "hello"], &variables, "").expect(0);
    let wrong = run_with(cluster.home(), &["say", "hello", "--key", "vk_wrong"], &variables, "").expect(1);
    assert!(wrong.err.contains("401"), "{}", wrong.err);
    let refused = voicera(&cluster, &["say", " "], "").expect(1);
    assert!(refused.err.contains("422") && refused.err.contains("must not be empty"), "{}", refused.err);
}

#[tokio::test]
async fn a_batch_is_answered_in_the_order_of_its_lines() {
    let cluster = Cluster::single().await;
    let texts: Vec<_> = (0..120)
        .map(|number| format!("{} {number}", ["hello", "show my grades", "thank you"][number % 3]))
        .collect();
    let input = texts.join("\n\n") + "\r\n \n";
    fs::write(cluster.home().join("commands.txt"), &input).unwrap();

    let from_file = voicera(&cluster, &["say", "--file", "commands.txt", "--json"], "").expect(0);
    let from_stdin = voicera(&cluster, &["say", "--file", "-", "--json"], &input).expect(0);
    for batch in [&from_file, &from_stdin] {
        let lines: Vec<Value> = batch.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let commands: Vec<_> = lines.iter().map(|line| line["command"].as_str().unwrap()).collect();
        assert_eq!(commands, texts);
        assert!(lines.iter().all(|line| line["status"] == "completed"));
        assert!(batch.err.contains("120 commands in"), "{}", batch.err);
        assert!(batch.err.contains("120 answered, 0 without an answer"), "{}", batch.err);
        assert!(batch.err.contains("latency: p50"), "{}", batch.err);
    }
    assert_eq!(cluster.client().history().await.len(), 240);

    let shown = voicera(&cluster, &["say", "--file", "commands.txt"], "").expect(0).out;
    let places: Vec<_> = texts.iter().map(|text| shown.find(&format!("{text}\n")).expect(text)).collect();
    assert!(places.is_sorted(), "{shown}");
    assert!(shown.contains("120 commands in"), "{shown}");
}

#[tokio::test]
async fn a_labelled_file_shows_how_many_intents_were_right() {
    let cluster = Cluster::single().await;
    let yaml = "version: \"3.1\"\nnlu:\n- intent: get_grades\n  examples: |\n    - show my grades\n    - hello\n- intent: greeting\n  examples: |\n    - hello\n- intent: oos\n  examples: |\n    - purple monkey dishwasher quantum\n";
    fs::write(cluster.home().join("labelled.yml"), yaml).unwrap();
    let shown = voicera(&cluster, &["say", "--file", "labelled.yml"], "").expect(0).out;
    assert!(shown.contains("right intents: 2 of 3 (66.7 %)"), "{shown}");
    assert!(shown.contains("out of scope recognised: 1 of 1 (100.0 %)"), "{shown}");
    assert!(shown.contains("(expected get_grades)"), "{shown}");
}

#[tokio::test]
async fn a_line_that_is_refused_does_not_stop_the_others() {
    let cluster = Cluster::single().await;
    let input = format!("hello\n{}\nthank you\n", "a".repeat(2_001));
    let ended = voicera(&cluster, &["say", "--file", "-", "--json"], &input).expect(1);
    let lines: Vec<Value> = ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[1]["failure"].as_str().unwrap().contains("422"), "{}", lines[1]);
    assert_eq!(lines[2]["status"], "completed");
    assert!(ended.err.contains("2 answered, 1 without an answer"), "{}", ended.err);
}

#[tokio::test]
async fn answers_that_cannot_be_written_are_a_failure_and_a_reader_that_left_is_none() {
    let cluster = Cluster::single().await;
    fs::write(cluster.home().join("commands.txt"), "hello\nthank you\n").unwrap();
    let base = cluster.client().base().to_owned();
    for arguments in [
        &["say", "hello"][..],
        &["say", "hello", "--json"],
        &["say", "--file", "commands.txt"],
        &["say", "--file", "commands.txt", "--json"],
        &["jobs", "list"],
        &["jobs", "retry", "--all"],
    ] {
        check_output_that_fails(|| {
            let mut command = node::voicera(cluster.home());
            command.args(arguments).args(["--server", &base, "--data-dir", Role::All.as_str()]);
            command
        });
    }
}

#[tokio::test]
async fn a_command_that_fails_is_shown_and_exits_with_one() {
    let llm = LlmServer::start().await.unwrap();
    llm.otherwise(Behaviour::Hang);
    let mut cluster = Cluster::single_with(&[
        ("llm.base_url", &llm.base_url()),
        ("voice.understanding.mode", "llm_first"),
        ("llm.deadline", "20s"),
        ("llm.attempt_timeout", "20s"),
        ("voice.queue.concurrency", "1"),
    ])
    .await;
    let client = cluster.client();
    // The only worker is busy with this one, so that what comes after it can be cancelled.
    client.accept("show my grades").await;
    assert!(llm.received(1).await);
    let (home, base) = (cluster.home().to_owned(), client.base().to_owned());
    let said: Vec<_> = [&["say", "hello"][..], &["say", "hello", "--json"]]
        .into_iter()
        .map(|arguments| {
            let (home, base) = (home.clone(), base.clone());
            let arguments = [arguments, &["--data-dir", Role::All.as_str()]].concat();
            tokio::task::spawn_blocking(move || run_with(&home, &arguments, &[("VOICERA_SERVER", &base)], ""))
        })
        .collect();
    let waiting = wait::until("both wait", async || {
        let jobs = client.read("/api/voice/jobs?state=waiting").await["jobs"].as_array().unwrap().clone();
        (jobs.len() == 2).then_some(jobs)
    })
    .await;
    for job in waiting {
        client.delete(&format!("/api/voice/jobs/{}", job["jobId"].as_str().unwrap())).await;
    }
    for (said, shows) in said.into_iter().zip(["failed     ", "\"status\":\"failed\""]) {
        let ended = said.await.unwrap().expect(1);
        assert!(ended.out.contains(shows), "{}", ended.out);
        assert!(ended.err.starts_with("error: the command has no answer: "), "{}", ended.err);
    }
    // Nobody has to wait for what the first one waits for.
    cluster.all().kill9();
}
