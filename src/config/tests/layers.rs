//! Which layer wins, how each is read, and where values are said to come from.

use std::path::PathBuf;

use super::World;
use crate::config::{Config, LogFormat, Mode, Origin, Role, Span};

#[test]
fn nothing_given_means_the_defaults() {
    let loaded = World::new().loaded();
    assert_eq!(loaded.config.server.role, Role::All);
    assert_eq!(loaded.config.server.listen.to_string(), "127.0.0.1:3000");
    assert!(!loaded.config.llm.enabled());
    assert_eq!(loaded.origins.of("server.listen"), &Origin::Default);
    assert!(loaded.origins.read().is_empty());
}

#[test]
fn a_file_beats_the_defaults_a_variable_the_file_and_a_flag_the_variable() {
    let mut world = World::new().with_file("[server]\nlisten = \"127.0.0.1:1\"\nmax_connections = 1\n");
    let listens_on = |world: &World, port: u16, origin: Origin| {
        let loaded = world.loaded();
        assert_eq!(loaded.config.server.listen.port(), port);
        assert_eq!(loaded.origins.of("server.listen"), &origin);
        assert_eq!(loaded.config.server.max_connections, 1);
        assert_eq!(loaded.config.server.max_body_bytes, 1_048_576);
    };
    listens_on(&world, 1, Origin::File("voicera.toml".into()));
    world = world.with_env(&[("VOICERA_SERVER__LISTEN", "127.0.0.1:2")]);
    listens_on(&world, 2, Origin::Variable("VOICERA_SERVER__LISTEN".to_owned()));
    world = world.with(|sources| sources.flags.listen = Some("127.0.0.1:3".to_owned()));
    listens_on(&world, 3, Origin::Flag("--listen".to_owned()));
    let read: Vec<String> = world.loaded().origins.read().iter().map(ToString::to_string).collect();
    assert_eq!(read, ["voicera.toml", "VOICERA_SERVER__LISTEN", "--listen"]);
}

#[test]
fn a_named_file_is_read_instead_of_the_usual_one() {
    let world = World::new()
        .with_file("[server]\nmax_connections = 1")
        .with_file_at("other.toml", "[storage]\nreaders = 2")
        .with(|sources| sources.file = Some("other.toml".into()));
    let loaded = world.loaded();
    assert_eq!((loaded.config.server.max_connections, loaded.config.storage.readers), (10_000, 2));
    assert_eq!(loaded.origins.of("storage.readers"), &Origin::File("other.toml".into()));
}

#[test]
fn every_flag_sets_its_key() {
    let world = World::new().with_file_at("mine", "").with_file_at("yours", "").with(|sources| {
        sources.flags.role = Some("gateway".to_owned());
        sources.env.insert("VOICERA_PEERS__SERVICE_KEY".to_owned(), "k".to_owned());
        sources.flags.data_dir = Some("elsewhere".into());
        sources.flags.skills = vec!["mine".into(), "yours".into()];
        for url in ["VOICE", "USERS", "ANALYTICS"] {
            sources.env.insert(format!("VOICERA_GATEWAY__{url}_URLS"), "http://10.0.0.1".to_owned());
        }
    });
    let loaded = world.loaded();
    assert_eq!(loaded.config.server.role, Role::Gateway);
    assert_eq!(loaded.config.server.data_dir, PathBuf::from("elsewhere"));
    assert_eq!(loaded.config.voice.skills, [PathBuf::from("mine"), PathBuf::from("yours")]);
    assert_eq!(loaded.origins.of("voice.skills"), &Origin::Flag("--skills".to_owned()));
}

#[test]
fn variables_are_read_by_the_kind_of_their_key() {
    let loaded = World::new()
        .with_env(&[
            ("VOICERA_VOICE__QUEUE__CONCURRENCY", " 1_000 "),
            ("VOICERA_VOICE__CACHE__ENABLED", "off"),
            ("VOICERA_LLM__RETRY_BUDGET", "1"),
            ("VOICERA_LLM__DEADLINE", "1m30s"),
            ("VOICERA_LLM__API_KEY", "12345"),
            ("VOICERA_LLM__MODELS", "a, b ,,c"),
            ("VOICERA_TELEMETRY__LOG_FORMAT", "json"),
            ("VOICERA_TELEMETRY__SERVICE_NAME", "true"),
            ("VOICERA_VOICE__UNDERSTANDING__MODE", "llm_first"),
        ])
        .loaded();
    let config = loaded.config;
    assert_eq!(config.voice.queue.concurrency, 1000);
    assert!(!config.voice.cache.enabled);
    assert!((config.llm.retry_budget - 1.0).abs() < f64::EPSILON);
    assert_eq!(config.llm.deadline, Span::from_secs(90));
    assert_eq!(config.llm.api_key.expose(), "12345");
    assert_eq!(config.llm.models, ["a", "b", "c"]);
    assert_eq!(config.telemetry.log_format, LogFormat::Json);
    assert_eq!(config.telemetry.service_name, "true");
    assert_eq!(config.voice.understanding.mode, Mode::LlmFirst);
}

#[test]
fn a_list_in_a_variable_may_be_toml() {
    let models = |text: &str| {
        World::new().with_env(&[("VOICERA_LLM__MODELS", text)]).load().map(|loaded| loaded.config.llm.models)
    };
    assert_eq!(models(r#"["a,1", 'b']"#).unwrap(), ["a,1", "b"]);
    for wrong in ["[1, 2]", "[\"a\"", "[\"a\"]\nserver = 1", "[]"] {
        assert!(models(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_secret_may_stand_in_a_file() {
    for (content, secret) in [
        ("gsk-1\n", "gsk-1"),
        ("gsk-1\r\n", "gsk-1"),
        ("gsk-1", "gsk-1"),
        (&*format!("{}\n", "k".repeat(8192)), &*"k".repeat(8192)),
    ] {
        let world = World::new()
            .with_file_at("key", content)
            .with_env(&[("VOICERA_LLM__API_KEY_FILE", "key"), ("VOICERA_LLM__API_KEY", "")]);
        let loaded = world.loaded();
        assert_eq!(loaded.config.llm.api_key.expose(), secret);
        assert_eq!(
            loaded.origins.of("llm.api_key"),
            &Origin::Variable("VOICERA_LLM__API_KEY_FILE".to_owned())
        );
    }
}

#[test]
fn a_secret_file_that_is_none_is_refused() {
    for (content, problem) in [
        (&b""[..], "is empty"),
        (b"\n", "is empty"),
        (b"\xff\xfe", "is not text"),
        (&vec![b'k'; 64 * 1024 + 1], "is larger than 64 KiB"),
        (b"two words\n", "holds a space"),
    ] {
        let world =
            World::new().with_file_at("key", content).with_env(&[("VOICERA_PEERS__SERVICE_KEY_FILE", "key")]);
        let error = world.error();
        assert!(error.problem.contains(problem), "{error:?}");
        assert_eq!(error.origin, Origin::Variable("VOICERA_PEERS__SERVICE_KEY_FILE".to_owned()));
    }
    for path in ["absent", "."] {
        let world = World::new().with_env(&[("VOICERA_LLM__API_KEY_FILE", path)]);
        assert!(world.error().problem.contains("cannot be read"), "{path}");
    }
}

#[test]
fn a_secret_given_twice_is_refused() {
    let world = World::new()
        .with_file_at("key", "from-the-file")
        .with_env(&[("VOICERA_LLM__API_KEY", "direct"), ("VOICERA_LLM__API_KEY_FILE", "key")]);
    assert!(world.error().problem.contains("VOICERA_LLM__API_KEY is set too"));
}

#[test]
fn variables_of_others_are_left_alone() {
    let world = World::new().with_env(&[
        ("VOICERA_API_KEY", "x"),
        ("VOICERA_SERVER", "http://127.0.0.1:3000"),
        ("VOICERA_CONFIG", ""),
        ("PATH", "/bin"),
        // What Kubernetes announces for services named voicera and voicera-users.
        ("VOICERA_SERVICE_HOST", "10.0.0.1"),
        ("VOICERA_SERVICE_PORT", "3000"),
        ("VOICERA_SERVICE_PORT_HTTP", "3000"),
        ("VOICERA_PORT", "tcp://10.0.0.1:3000"),
        ("VOICERA_PORT_3000_TCP", "tcp://10.0.0.1:3000"),
        ("VOICERA_USERS_PORT_3002_TCP_ADDR", "10.0.0.1"),
    ]);
    assert!(world.loaded().origins.read().is_empty());
}

#[test]
fn the_data_folder_is_found_whatever_else_is_wrong() {
    let found = |world: &World| Config::data_dir(&world.sources).display().to_string();
    assert_eq!(found(&World::new()), "data");
    let file =
        World::new().with_file("[server]\ndata_dir = \"there\"\nlisten = \"nowhere\"\n[weather]\nsunny = 1");
    assert_eq!(found(&file), "there");
    assert_eq!(found(&file.with_env(&[("VOICERA_SERVER__DATA_DIR", "/data"), ("VOICERA_X", "y")])), "/data");
    assert_eq!(found(&World::new().with_file("not toml at all")), "data");
}
