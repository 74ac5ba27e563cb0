//! The command line by itself: configuration, documents, wrong use.

use std::fs;

use crate::support::command::{run, run_with};

fn home() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn it_knows_its_version() {
    let shown = run(home().path(), &["--version"]).expect(0);
    assert_eq!(shown.out.trim(), concat!("voicera ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_use_is_explained_and_exits_with_two() {
    let home = home();
    let cases: [(&[&str], &str); 9] = [
        (&["frobnicate"], "frobnicate"),
        (&["say"], "<TEXT>"),
        (&["say", "hello", "--file", "x.txt"], "cannot be used with"),
        (&["say", "hello", "--server", "ftp://x", "--key", "k"], "--server"),
        (&["say", "--file", "nowhere.txt", "--key", "k"], "nowhere.txt"),
        (&["jobs", "retry", "--key", "k"], "<JOB_ID>"),
        (&["jobs", "retry", "not-an-id"], "not-an-id"),
        (&["completions", "cobol"], "cobol"),
        (&["serve", "--role", "everything"], "everything"),
    ];
    for (arguments, says) in cases {
        let ended = run(home.path(), arguments);
        assert_eq!(ended.status, 2, "{arguments:?}: {ended:#?}");
        assert!(ended.err.contains(says), "{arguments:?}: {ended:#?}");
        assert_eq!(ended.out, "", "{arguments:?}");
    }
}

#[test]
fn without_a_key_it_says_where_one_comes_from_and_exits_with_two() {
    let ended = run(home().path(), &["say", "hello"]).expect(2);
    for says in ["no API key", "api-key", "--data-dir", "VOICERA_API_KEY"] {
        assert!(ended.err.contains(says), "{says}: {}", ended.err);
    }
}

#[test]
fn a_server_that_is_not_there_is_an_error_that_says_so() {
    // Port 1 is nobody's.
    let arguments = ["say", "hello", "--server", "http://127.0.0.1:1", "--key", "vk_secret_of_the_user"];
    let ended = run(home().path(), &arguments).expect(1);
    assert!(ended.err.contains("http://127.0.0.1:1/ does not answer"), "{}", ended.err);
    assert!(ended.err.contains("voicera serve"), "{}", ended.err);
    assert!(!ended.err.contains("vk_secret_of_the_user"));
}

#[test]
fn every_error_of_a_configuration_comes_at_once_with_its_fix() {
    let home = home();
    let text = "[server]\nlisen = \"x\"\nlisten = \"nowhere\"\n[voice.queue]\nconcurrency = 0\n[llm]\ndeadline = \"8\"\n";
    fs::write(home.path().join("bad.toml"), text).unwrap();
    let variables = [("VOICERA_STORAGE__KIND", "papyrus")];
    for command in ["check", "show"] {
        let ended =
            run_with(home.path(), &["config", command, "--config", "bad.toml"], &variables, "").expect(2);
        for key in
            ["server.lisen", "server.listen", "voice.queue.concurrency", "llm.deadline", "storage.kind"]
        {
            assert!(ended.err.contains(&format!("  {key} (")), "{key}: {}", ended.err);
        }
        assert!(ended.err.contains("did you mean server.listen?"), "{}", ended.err);
        assert!(ended.err.contains("VOICERA_STORAGE__KIND"), "{}", ended.err);
        assert_eq!(ended.err.matches("fix:").count(), 5, "{}", ended.err);
    }
    let ended = run_with(home.path(), &["serve", "--config", "bad.toml"], &variables, "").expect(2);
    assert!(ended.err.contains("server.lisen"), "nothing starts on a wrong configuration: {}", ended.err);
}

#[test]
fn a_split_role_on_embedded_stores_is_refused_with_the_reason() {
    let ended = run(home().path(), &["serve", "--role", "voice", "--listen", "127.0.0.1:0"]).expect(2);
    for says in ["storage", "single_instance", "peers.users_url"] {
        assert!(ended.err.contains(says), "{says}: {}", ended.err);
    }
}

#[test]
fn the_effective_configuration_has_origins_and_no_secrets() {
    let home = home();
    fs::write(home.path().join("voicera.toml"), "[server]\nlisten = \"127.0.0.1:4000\"\n").unwrap();
    let secret = "gsk_secret_of_the_operator";
    let variables = [("VOICERA_LLM__API_KEY", secret), ("VOICERA_VOICE__QUEUE__CONCURRENCY", "7")];
    let shown = run_with(home.path(), &["config", "show", "--role", "all"], &variables, "").expect(0).out;
    for says in [
        "listen = \"127.0.0.1:4000\"",
        "voicera.toml",
        "concurrency = 7",
        "VOICERA_VOICE__QUEUE__CONCURRENCY",
    ] {
        assert!(shown.contains(says), "{says}: {shown}");
    }
    assert!(!shown.contains(secret));

    let json = run_with(home.path(), &["config", "show", "--json"], &variables, "").expect(0).out;
    assert!(!json.contains(secret));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["config"]["server"]["listen"], "127.0.0.1:4000");
    assert_eq!(json["config"]["voice"]["queue"]["concurrency"], 7);

    let checked = run_with(home.path(), &["config", "check"], &variables, "").expect(0).out;
    assert!(checked.contains("configuration is valid"), "{checked}");
}

#[test]
fn what_config_show_prints_is_a_configuration() {
    let home = home();
    let shown = run(home.path(), &["config", "show"]).expect(0).out;
    fs::write(home.path().join("shown.toml"), &shown).unwrap();
    run(home.path(), &["config", "check", "--config", "shown.toml"]).expect(0);
}

#[test]
fn shells_get_completions() {
    for (shell, has) in [("bash", "_voicera"), ("zsh", "#compdef voicera"), ("fish", "complete -c voicera")] {
        let script = run(home().path(), &["completions", shell]).expect(0).out;
        assert!(script.contains(has), "{shell}");
        for command in ["serve", "say", "jobs", "config", "openapi"] {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
}

#[test]
fn every_command_explains_itself_with_an_example() {
    for command in [
        &["serve"][..],
        &["say"],
        &["jobs", "list"],
        &["jobs", "retry"],
        &["config", "show"],
        &["config", "check"],
        &["openapi"],
        &["completions"],
    ] {
        let help = run(home().path(), &[command, &["--help"]].concat()).expect(0).out;
        assert!(help.contains("Example"), "{command:?}: {help}");
        assert!(help.contains(&format!("voicera {}", command.join(" "))), "{command:?}: {help}");
    }
}

#[test]
fn skills_that_cannot_be_read_stop_the_start_with_their_place() {
    let home = home();
    fs::create_dir(home.path().join("skills")).unwrap();
    fs::write(home.path().join("skills/bad.yml"), "version: \"3.1\"\nnlu:\n- intent: [\n").unwrap();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--skills", "skills"];
    let ended = run(home.path(), &arguments).expect(2);
    assert!(ended.err.contains("skills/bad.yml"), "{}", ended.err);
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--skills", "nowhere"];
    let ended = run(home.path(), &arguments).expect(2);
    assert!(ended.err.contains("nowhere"), "{}", ended.err);
}
