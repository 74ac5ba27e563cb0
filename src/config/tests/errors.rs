//! Errors: all at once, each with its origin and its fix, none with a secret.

use super::World;
use crate::config::Origin;

#[test]
fn every_mistake_is_found_at_once() {
    let world = World::new()
        .with_file(
            r#"
listen = "0.0.0.0:80"

[server]
role = "gatway"
max_body_bytes = 12
request_timeout = 60

[storage]
kind = "mongodb"

[voice]
timezone = "Mars/Olympus"
max_text_char = 5
skills = "mine"

[servr]
listen = "0.0.0.0:80"

[llm]
base_url = "https://me:hunter2@llm.example.com/v1"
attempt_timeout = "9s"
"#,
        )
        .with_env(&[
            ("VOICERA_VOICE__QUEUE__CONCURENCY", "7"),
            ("VOICERA_TELEMETRY__OTLP_SAMPLE_RATIO", "often"),
            ("VOICERA_LISTEN", "0.0.0.0:80"),
        ])
        .with(|sources| sources.flags.listen = Some("localhost:3000".to_owned()));
    let text = world.load().unwrap_err().to_string();
    assert!(!text.contains("hunter2"));
    insta::assert_snapshot!(text);
}

#[test]
fn a_mistyped_key_gets_the_one_that_was_meant() {
    for (file, key, meant) in [
        ("[server]\nlisen = 1", "server.lisen", "did you mean server.listen?"),
        ("[server]\nreaders = 1", "server.readers", "did you mean storage.readers?"),
        ("[voice.que]\nlease = 1", "voice.que", "did you mean voice.queue?"),
        ("timezone = 1", "timezone", "did you mean voice.timezone?"),
        ("[weather]\nsunny = true", "weather", "take it out"),
        ("[server]\n\"\" = 1", "server.", "did you mean"),
        ("[server]\n\"\" = { listen = 1 }", "server.", "did you mean"),
        ("\"\" = 1", "", "take it out"),
        ("\"server.listen\" = 1", "server.listen", "did you mean"),
    ] {
        let error = World::new().with_file(file).error();
        assert_eq!(error.key, key);
        assert!(error.fix.starts_with(meant), "{file}: {error:?}");
    }
}

#[test]
fn a_mistyped_variable_gets_the_one_that_was_meant() {
    for (name, meant) in [
        ("VOICERA_SERVER_LISTEN", "VOICERA_SERVER__LISTEN"),
        ("VOICERA_server__listen", "VOICERA_SERVER__LISTEN"),
        ("VOICERA_LISTEN", "VOICERA_SERVER__LISTEN"),
        ("VOICERA_LLM__API_KEY_FIL", "VOICERA_LLM__API_KEY_FILE"),
        ("VOICERA_SERVER__LISTEN_FILE", "VOICERA_SERVER__LISTEN"),
    ] {
        let error = World::new().with_env(&[(name, "x")]).error();
        assert_eq!(error.origin, Origin::Variable(name.to_owned()));
        assert!(error.fix.contains(&format!("did you mean {meant}?")), "{error:?}");
    }
    assert!(World::new().with_env(&[("VOICERA_WEATHER", "x")]).error().fix.contains("unset it"));
}

#[test]
fn a_value_of_the_wrong_kind_is_refused_with_the_right_one() {
    for (file, key, fix) in [
        ("server = 1", "server", "[server]"),
        ("[server]\nlisten = 3000", "server.listen", "text in quotes"),
        ("[server]\nlisten = {}", "server.listen", "text in quotes"),
        ("[server]\nheader_timeout = 10", "server.header_timeout", "\"10s\""),
        ("[server]\nheader_timeout = 2020-01-01", "server.header_timeout", "\"30s\""),
        ("[storage]\nreaders = \"4\"", "storage.readers", "a whole number"),
        ("[storage]\nreaders = 4.0", "storage.readers", "a whole number"),
        ("[storage]\nreaders = -4", "storage.readers", "zero or more"),
        ("[storage]\nreaders = 9999999999", "storage.readers", "smaller"),
        ("[llm]\ntemperature = \"hot\"", "llm.temperature", "0.5"),
        ("[voice.cache]\nenabled = \"yes\"", "voice.cache.enabled", "true or false"),
        ("[llm]\nmodels = \"one\"", "llm.models", "[\"a\", \"b\"]"),
        ("[llm]\nmodels = [1]", "llm.models", "[\"a\", \"b\"]"),
    ] {
        let error = World::new().with_file(file).error();
        assert_eq!(error.key, key, "{file}");
        assert!(error.fix.contains(fix), "{file}: {error:?}");
        assert_eq!(error.origin, Origin::File("voicera.toml".into()));
    }
    let world = World::new().with_env(&[("VOICERA_VOICE__CACHE__ENABLED", "maybe")]);
    assert_eq!(world.error().fix, "write true or false");
}

#[test]
fn a_file_that_cannot_be_read_or_parsed_is_refused() {
    let absent = World::new().with(|sources| sources.file = Some("absent.toml".into()));
    assert!(absent.error().problem.contains("cannot be read"));

    let folder = World::new().with(|sources| sources.file = Some(".".into()));
    assert!(folder.error().problem.contains("cannot be read"));

    assert!(World::new().with_file_at("voicera.toml", b"\xff").error().problem.contains("UTF-8"));
    assert!(World::new().with_file(&"#".repeat(1 << 21)).error().problem.contains("1 MiB"));

    let broken = World::new().with_file("[llm]\napi_key = \"gsk-secret\n");
    let error = broken.load().unwrap_err().to_string();
    assert!(error.contains("line 2, column ") && !error.contains("gsk-secret"), "{error}");
}

#[test]
fn no_error_repeats_a_secret() {
    for (file, variable) in [
        ("[llm]\napi_key = [\"s3cr3t\"]", None),
        ("[llm]\napi_key = \"s3cr3t s3cr3t\"", None),
        ("[llm]\nbase_url = \"http://user:s3cr3t@h\"", None),
        ("[llm]\nbase_url = \"user:s3cr3t@h\"", None),
        ("[llm]\nbase_url = \"https://h?key=s3cr3t\"", None),
        ("[llm]\napi_key = \"s3cr3t\"\napi_key = \"s3cr3t\"", None),
        ("[llm]\napi_key = s3cr3t", None),
        ("", Some(("VOICERA_LLM__API_KEY", "s3cr3t\u{7f}"))),
        ("", Some(("VOICERA_LLM__API_KY", "s3cr3t"))),
        ("", Some(("VOICERA_TELEMETRY__OTLP_ENDPOINT", "ftp://a:s3cr3t@h/p"))),
        ("", Some(("VOICERA_TELEMETRY__OTLP_ENDPOINT", "https://a:s3cr3t/s3cr3t@h/p"))),
    ] {
        let world = World::new().with_file(file).with_env(&Vec::from_iter(variable));
        let errors = world.load().unwrap_err();
        assert!(!format!("{errors} {errors:?}").contains("s3cr3t"), "{errors}");
    }
    let loaded = World::new().with_file("[llm]\napi_key = \"s3cr3t\"").loaded();
    assert!(!format!("{loaded:?}").contains("s3cr3t"));
}

#[test]
fn a_wrong_value_does_not_drag_others_in() {
    // The rule between the two would see the default in place of what was meant.
    let world =
        World::new().with_file("[server]\nrequest_timeout = \"5s\"\n[voice]\nmax_wait = \"4 s econds\"");
    assert_eq!(world.error().key, "voice.max_wait");
}

#[test]
fn a_value_that_is_overridden_is_still_checked_for_its_kind() {
    let world = World::new().with_file("server = 1").with_env(&[("VOICERA_SERVER__LISTEN", "127.0.0.1:0")]);
    assert_eq!(world.error().key, "server");
}

#[test]
fn variables_that_are_not_unicode_are_named() {
    let world = World::new().with(|sources| {
        sources.not_unicode = vec!["VOICERA_SERVER__DATA_DIR".to_owned(), "OTHER".to_owned()];
    });
    assert_eq!(world.error().key, "VOICERA_SERVER__DATA_DIR");
}
