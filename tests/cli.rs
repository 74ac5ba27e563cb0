//! The command line by itself: configuration, documents, wrong use.

use std::fs;
use std::process::{Command, Stdio};

use crate::support::command::{run, run_with};
use crate::support::node::voicera;

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
fn the_key_of_this_machine_is_sent_to_no_other() {
    let home = home();
    fs::create_dir(home.path().join("data")).unwrap();
    fs::write(home.path().join("data/api-key"), "vk_of_this_machine\n").unwrap();
    // Addresses that are kept for documentation (RFC 5737, RFC 6761): whoever asked them would hang.
    for server in ["http://192.0.2.1:3000", "https://voicera.invalid", "http://127.0.0.1@192.0.2.1"] {
        for command in [&["say", "hello"][..], &["jobs", "list"], &["say", "hello", "--data-dir", "data"]] {
            let ended = run(home.path(), &[command, &["--server", server]].concat()).expect(2);
            for says in ["no API key for http", "this machine alone", "--key KEY", "VOICERA_API_KEY"] {
                assert!(ended.err.contains(says), "{command:?} {server}: {}", ended.err);
            }
            assert!(!ended.err.contains("vk_of_this_machine"), "{}", ended.err);
        }
    }
    for server in ["http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1"] {
        let ended = run(home.path(), &["jobs", "list", "--server", server]).expect(1);
        assert!(ended.err.contains("does not answer"), "{server}: {}", ended.err);
    }
}

#[test]
fn the_key_is_looked_for_where_the_configuration_has_the_data() {
    let home = home();
    fs::write(home.path().join("voicera.toml"), "[server]\ndata_dir = \"of-the-file\"\nlisten = 1\n")
        .unwrap();
    fs::write(home.path().join("other.toml"), "[server]\ndata_dir = \"of-the-other\"\n").unwrap();
    let by_variable = ("VOICERA_SERVER__DATA_DIR", "of-the-variable");
    let by_other_file = ("VOICERA_CONFIG", "other.toml");
    for (options, variables, looked_at) in [
        (&[][..], &[][..], "of-the-file/api-key"),
        (&[], &[by_other_file], "of-the-other/api-key"),
        (&[], &[by_variable, by_other_file], "of-the-variable/api-key"),
        (&["--data-dir", "of-the-option"], &[by_variable], "of-the-option/api-key"),
    ] {
        for command in [&["say", "hello"][..], &["jobs", "list"]] {
            let ended = run_with(home.path(), &[command, options].concat(), variables, "").expect(2);
            assert!(ended.err.contains(&format!("no API key: {looked_at} cannot be read")), "{}", ended.err);
        }
    }
}

/// Runs `voicera` with that standard output; the exit status and standard error.
pub fn run_into(mut command: Command, out: impl Into<Stdio>) -> (Option<i32>, String) {
    let ended = command.stdin(Stdio::null()).stdout(out).output().unwrap();
    (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
}

/// Has the command print to a disk that is full, and to a reader that went away.
pub fn check_output_that_fails(command: impl Fn() -> Command) {
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let (status, err) = run_into(command(), full);
    assert_eq!(status, Some(1), "{:?}: {err}", command());
    assert!(err.contains("standard output cannot be written"), "{:?}: {err}", command());
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(run_into(command(), writer), (Some(0), String::new()), "{:?}", command());
}

#[test]
fn output_that_cannot_be_written_is_a_failure_and_a_reader_that_left_is_none() {
    let home = home();
    for arguments in [
        &["config", "show"][..],
        &["config", "show", "--json"],
        &["config", "check"],
        &["openapi"],
        &["completions", "bash"],
    ] {
        check_output_that_fails(|| {
            let mut command = voicera(home.path());
            command.args(arguments);
            command
        });
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
        &[][..],
        &["serve"],
        &["say"],
        &["jobs"],
        &["jobs", "list"],
        &["jobs", "retry"],
        &["config"],
        &["config", "show"],
        &["config", "check"],
        &["openapi"],
        &["completions"],
    ] {
        let help = run(home().path(), &[command, &["--help"]].concat()).expect(0).out;
        assert!(help.contains("Example"), "{command:?}: {help}");
        let (_, examples) = help.split_once("Example").unwrap();
        assert!(examples.contains(&["voicera", &command.join(" ")].join(" ")), "{command:?}: {help}");
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
