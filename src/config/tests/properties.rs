//! No text in any layer makes loading panic, and what loads reads back.

use proptest::prelude::*;

use super::World;
use crate::config::Flags;
use crate::config::schema::{SECRETS, Schema, variable_of};
use crate::config::secret::MASK;

/// Any text, or something that a value could be.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[-0-9a-z.:/\\[\\]\",@ ]{0,24}",
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| number.to_string()),
        (any::<u64>(), "(ns|us|ms|s|m|h|d)").prop_map(|(count, unit)| format!("{count}{unit}")),
        "https?://[a-z:@\\[\\]0-9/?#%]{0,20}",
        Just("true".to_owned()),
        Just("[\"a\", \"b\"]".to_owned()),
    ]
}

fn key() -> impl Strategy<Value = String> {
    proptest::sample::select(Schema::embedded().keys().map(str::to_owned).collect::<Vec<_>>())
}

/// TOML that mostly parses, of keys that mostly exist.
fn file() -> impl Strategy<Value = String> {
    let line = (key(), value(), any::<bool>()).prop_map(|(key, value, quote)| {
        if quote { format!("{key} = {value:?}\n") } else { format!("{key} = {value}\n") }
    });
    prop_oneof![any::<String>(), proptest::collection::vec(line, 1..4).prop_map(|lines| lines.concat())]
}

fn variable() -> impl Strategy<Value = String> {
    prop_oneof![
        key().prop_map(|key| variable_of(&key)),
        proptest::sample::select(SECRETS.to_vec()).prop_map(|key| format!("{}_FILE", variable_of(key))),
        "VOICERA_[A-Za-z_0-9]{0,20}",
        any::<String>().prop_map(|name| format!("VOICERA_{name}")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_file_panics(text in file()) {
        let world = World::new().with_file(&text);
        if let Err(errors) = world.load() {
            prop_assert!(errors.iter().count() > 0);
            prop_assert!(!errors.to_string().contains(|c: char| c.is_control() && c != '\n'));
        }
    }

    #[test]
    fn no_environment_panics(
        variables in proptest::collection::btree_map(variable(), value(), 0..4),
        listen in proptest::option::of(value()),
    ) {
        let world = World::new().with(|sources| {
            sources.env = variables;
            sources.flags = Flags { listen, ..Flags::default() };
        });
        if let Ok(loaded) = world.load() {
            let shown = loaded.to_toml().unwrap();
            let again = World::new().with_file(&shown);
            // A secret is not shown, so it does not read back.
            if !shown.contains(MASK) {
                // A skill that was named is looked for where the world is, and this is another one.
                if loaded.config.voice.skills.is_empty() {
                    let again = serde_json::to_value(&again.loaded().config).unwrap();
                    prop_assert_eq!(again, serde_json::to_value(&loaded.config).unwrap());
                }
            }
        }
    }

    #[test]
    fn no_secret_file_panics(content in proptest::collection::vec(any::<u8>(), 0..64)) {
        let world = World::new()
            .with_file_at("key", content)
            .with_env(&[("VOICERA_LLM__API_KEY_FILE", "key")]);
        let _ = world.load();
    }
}
