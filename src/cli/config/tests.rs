//! `voicera config show` and `check`, and the documentation.

use clap::{CommandFactory, Parser};

use super::{ConfigArgs, ConfigCommand, check, show};
use crate::config::tests::World;
use crate::config::{Config, DEFAULT_TOML, MASK};

#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    args: ConfigArgs,
}

/// Exit status, standard output, standard error.
type Outcome = (u8, String, String);

fn outcome(run: impl FnOnce(&mut Vec<u8>, &mut Vec<u8>) -> std::io::Result<u8>) -> Outcome {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let status = run(&mut out, &mut err).unwrap();
    (status, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

fn shown(world: &World, json: bool) -> Outcome {
    outcome(|out, err| show(&world.sources, json, out, err))
}

fn checked(world: &World) -> Outcome {
    outcome(|out, err| check(&world.sources, out, err))
}

fn busy_world() -> World {
    World::new()
        .with_file(
            "[server]\nmax_connections = 77\n[telemetry]\nservice_name = \"a \\\"b\\\" \\u007f\\\\ c\\n\"",
        )
        .with_env(&[("VOICERA_VOICE__QUEUE__LEASE", "90500ms"), ("VOICERA_LLM__MODELS", "a,b")])
        .with(|sources| sources.flags.listen = Some("[::1]:0".to_owned()))
}

#[test]
fn show_prints_each_value_with_its_origin() {
    let (status, out, err) = shown(&busy_world(), false);
    assert_eq!((status, err.as_str()), (0, ""));
    insta::assert_snapshot!(out);
}

#[test]
fn what_show_prints_reads_back() {
    let world = busy_world();
    let (_, out, _) = shown(&world, false);
    let again = World::new().with_file(&out);
    let value = |world: &World| serde_json::to_value(&world.loaded().config).unwrap();
    assert_eq!(value(&again), value(&world));
}

#[test]
fn show_without_any_configuration_prints_the_embedded_file() {
    let (_, out, _) = shown(&World::new(), false);
    let bare = |text: &str| {
        let lines = text.lines().map(|line| line.split("  #").next().unwrap_or_default().trim().to_owned());
        lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect::<Vec<_>>()
    };
    assert_eq!(bare(&out), bare(DEFAULT_TOML));
}

#[test]
fn show_masks_secrets() {
    let world = World::new().with_env(&[("VOICERA_LLM__API_KEY", "gsk-s3cr3t")]);
    for json in [false, true] {
        let (status, out, _) = shown(&world, json);
        assert_eq!(status, 0);
        assert!(
            !out.contains("s3cr3t") && out.contains(MASK) && out.contains("VOICERA_LLM__API_KEY"),
            "{out}"
        );
    }
    let (_, out, _) = shown(&world, false);
    assert!(out.contains("service_key = \"\""), "{out}");
    let error = World::new().with_file(&out).error();
    assert!(error.problem.contains("is the mask"), "{error:?}");
}

#[test]
fn show_prints_json_for_programs() {
    let (_, out, _) = shown(&busy_world(), true);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["config"]["voice"]["queue"]["lease"], "90s500ms");
    assert_eq!(json["origins"]["voice.queue.lease"]["name"], "VOICERA_VOICE__QUEUE__LEASE");
    assert_eq!(json["origins"]["server.max_connections"]["kind"], "file");
    assert_eq!(json["origins"]["server.role"]["kind"], "default");
}

#[test]
fn check_says_that_all_is_well_and_what_was_read() {
    let (status, out, err) = checked(&busy_world());
    assert_eq!((status, err.as_str()), (0, ""));
    assert_eq!(
        out,
        "configuration is valid\nread: the built-in defaults, then voicera.toml, VOICERA_LLM__MODELS, \
         VOICERA_VOICE__QUEUE__LEASE, --listen\n"
    );
    assert_eq!(checked(&World::new()).1, "configuration is valid\nread: the built-in defaults\n");
}

#[test]
fn check_and_show_print_all_errors_and_exit_with_2() {
    let world = World::new().with_file("[server]\nrole = \"x\"\nlisten = \"y\"");
    for (status, out, err) in [checked(&world), shown(&world, false), shown(&world, true)] {
        assert_eq!((status, out.as_str()), (2, ""));
        assert!(err.contains("2 errors") && err.contains("server.role (voicera.toml)"), "{err}");
    }
}

#[test]
fn the_options_are_read_and_become_flags() {
    Cli::command().debug_assert();
    let line = ["voicera", "show", "--json", "--role", "voice", "--skills", "a", "--skills", "b"];
    let Cli { args: ConfigArgs { command: ConfigCommand::Show { options, json } } } = Cli::parse_from(line)
    else {
        panic!("not show");
    };
    assert!(json);
    let flags = options.sources().flags;
    assert_eq!((flags.role.as_deref(), flags.skills.len()), (Some("voice"), 2));
}

#[test]
fn every_example_of_the_documentation_is_a_configuration() {
    let page = include_str!("../../../docs/CONFIGURATION.md");
    let blocks = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut count = 0;
    for example in blocks {
        // The page has it in a file, which its variable names.
        let world = World::new().with_file(example).with_env(&[("VOICERA_PEERS__SERVICE_KEY", "s3cr3t")]);
        let (status, _, err) = checked(&world);
        assert_eq!(status, 0, "{example}{err}");
        count += 1;
    }
    assert!(count >= 7, "only {count} examples were found");
}

#[test]
fn the_documentation_has_every_key_with_its_default() {
    let page = include_str!("../../../docs/CONFIGURATION.md");
    let values = serde_json::to_value(Config::default()).unwrap();
    let mut section = "";
    for line in DEFAULT_TOML.lines().filter(|line| !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
        } else if let Some((key, default)) = line.split_once(" = ") {
            let row = format!("| `{section}.{key}` | `{default}` |");
            assert!(page.contains(&row), "docs/CONFIGURATION.md lacks a row that starts with {row}");
            let pointer = format!("/{}/{key}", section.replace('.', "/"));
            assert!(values.pointer(&pointer).is_some(), "{pointer}");
        }
    }
}
