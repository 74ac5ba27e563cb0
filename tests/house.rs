//! The rules of the house: who may know whom, and how long a file may be.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules: each knows the shared floor, itself, and of the others only their `api`.
const MODULES: [&str; 4] = ["gateway", "voice", "users", "analytics"];
/// Everything directly under `src`.
const ROOMS: [&str; 9] = ["nlu", "kit", "config", "roles", "cli", "gateway", "voice", "users", "analytics"];
/// Files that name a room which they must not know. May only get shorter.
const KNOWN: [(&str, &str); 0] = [];
/// Files of `src` over the limit, with the length that they may have. May only get shorter.
const LONG: [(&str, usize); 7] = [
    // Vocabulary: tables of words.
    ("src/nlu/entity/builtin/lang/ar.rs", 415),
    ("src/nlu/entity/builtin/lang/de.rs", 475),
    ("src/nlu/entity/builtin/lang/en.rs", 537),
    ("src/nlu/entity/builtin/lang/hi.rs", 437),
    ("src/nlu/entity/builtin/lang/pt.rs", 404),
    ("src/nlu/entity/builtin/lang/ru.rs", 445),
    ("src/nlu/entity/builtin/lang/ur.rs", 451),
];
const LONGEST: usize = 400;

/// Whether code in room `from` may name `path`, which begins with a room.
fn allowed(from: &str, path: &[String]) -> bool {
    let Some(to) = path.first().map(String::as_str) else { return true };
    if from == to {
        return true;
    }
    let of_the_contract = path.get(1).is_some_and(|next| next == "api");
    match from {
        "nlu" | "kit" => false,
        // Configuration is plain values, read by those who build.
        "config" => to == "kit",
        "roles" => to != "cli",
        "cli" => matches!(to, "roles" | "config" | "nlu" | "kit"),
        module if MODULES.contains(&module) => {
            to == "kit" || (module == "voice" && to == "nlu") || (MODULES.contains(&to) && of_the_contract)
        }
        _ => to == "cli",
    }
}

#[test]
fn no_room_knows_one_that_it_must_not_know() {
    let (mut wrong, mut known) = (Vec::new(), BTreeSet::new());
    let mut arrows = 0;
    for file in files("src") {
        let place = place(&file);
        for path in paths(&code(&fs::read_to_string(root().join(&file)).unwrap()), &place) {
            if !ROOMS.contains(&path[0].as_str()) {
                continue;
            }
            arrows += 1;
            if allowed(&place[0], &path) {
                continue;
            }
            let exception = KNOWN.iter().find(|(name, to)| file == Path::new(name) && path[0] == *to);
            if let Some(exception) = exception {
                known.insert(*exception);
            } else {
                wrong.push(format!("{} names {}", file.display(), path.join("::")));
            }
        }
    }
    assert!(arrows > 300, "only {arrows} arrows were found: this test does not read the source any more");
    wrong.dedup();
    assert_eq!(known.into_iter().collect::<Vec<_>>(), KNOWN, "take off the list what is mended");
    assert!(wrong.is_empty(), "DESIGN.md says who may know whom:\n{}", wrong.join("\n"));
}

#[test]
fn no_file_is_longer_than_about_four_hundred_lines() {
    let lines = |file: &Path| fs::read_to_string(root().join(file)).unwrap().lines().count();
    for file in files("src").into_iter().chain(files("tests")) {
        let name = file.display().to_string();
        let limit = LONG.iter().find(|(long, _)| *long == name).map_or(LONGEST, |(_, length)| *length);
        let count = lines(&file);
        assert!(count <= limit, "{name} has {count} lines: which two things is it?");
    }
    for (name, length) in LONG {
        let count = lines(Path::new(name));
        assert!(count > LONGEST, "{name} is short enough now: take it off the list");
        assert!(count == length, "{name} has {count} lines: correct the list");
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files under a folder, relative to the repository.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|end| end == "rs") {
                found.push(entry.strip_prefix(root()).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// `src/voice/http/process.rs` as `voice`, `http`, `process`.
fn place(file: &Path) -> Vec<String> {
    let inside = file.strip_prefix("src").unwrap().with_extension("");
    let mut place: Vec<_> = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if place.len() > 1 && place.last().is_some_and(|last| last == "mod") {
        place.pop();
    }
    place
}

/// The source without comments, strings and characters.
fn code(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(next) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with("r\"") || rest.starts_with("r#") {
            raw_string(rest)
        } else if next == '"' {
            string(rest)
        } else if next == '\'' {
            character(rest)
        } else {
            0
        };
        if skipped == 0 {
            code.push(next);
            rest = &rest[next.len_utf8()..];
        } else {
            code.push(' ');
            rest = &rest[skipped..];
        }
    }
    code
}

fn raw_string(text: &str) -> usize {
    let hashes = text[1..].bytes().take_while(|byte| *byte == b'#').count();
    if text.as_bytes().get(1 + hashes) != Some(&b'"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let start = 2 + hashes;
    text[start..].find(&end).map_or(text.len(), |at| start + at + end.len())
}

fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// A character literal; a lifetime is left alone.
fn character(text: &str) -> usize {
    let mut letters = text.char_indices().skip(1);
    match letters.next() {
        Some((_, '\\')) => {
            text[2..].char_indices().skip(1).find(|(_, letter)| *letter == '\'').map_or(0, |(at, _)| at + 3)
        }
        Some(_) => letters.next().filter(|(_, letter)| *letter == '\'').map_or(0, |(at, _)| at + 1),
        None => 0,
    }
}

/// Every path in the code that begins with `crate::`, or climbs out of its room with `super::`;
/// the groups of a `use` one by one.
fn paths(code: &str, place: &[String]) -> Vec<Vec<String>> {
    let words = words(code);
    let mut found = Vec::new();
    for at in 0..words.len() {
        if words.get(at + 1).is_none_or(|word| *word != "::") || (at > 0 && words[at - 1] == "::") {
            continue;
        }
        let mut next = at;
        let mut base = match words[at] {
            "crate" | "voicera" => Vec::new(),
            "super" => {
                let climbed = words[at..].chunks(2).take_while(|pair| *pair == ["super", "::"]).count();
                next = at + 2 * (climbed - 1);
                if climbed < place.len() {
                    continue;
                }
                Vec::new()
            }
            _ => continue,
        };
        tree(&words, &mut (next + 2), &mut base, &mut found);
    }
    found
}

/// One branch of a `use` tree, or of a path in an expression.
fn tree(words: &[&str], at: &mut usize, base: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    let depth = base.len();
    loop {
        match words.get(*at).copied() {
            Some("{") => {
                *at += 1;
                while words.get(*at).is_some_and(|word| *word != "}") {
                    tree(words, at, base, found);
                    if words.get(*at) == Some(&",") {
                        *at += 1;
                    }
                }
                *at += 1;
                break;
            }
            Some(word)
                if word.starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
                    || word == "*" =>
            {
                base.push(word.to_owned());
                *at += 1;
                if words.get(*at) == Some(&"as") {
                    *at += 2;
                }
                if words.get(*at) != Some(&"::") {
                    found.push(base.clone());
                    break;
                }
                *at += 1;
            }
            // A turbofish, or something that no path goes on with.
            _ => {
                found.push(base.clone());
                *at += 1;
                break;
            }
        }
    }
    base.truncate(depth);
    found.retain(|path| !path.is_empty());
}

/// Identifiers, `::`, and single characters.
fn words(code: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("::") {
            2
        } else if first.is_alphanumeric() || first == '_' {
            rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (word, after) = rest.split_at(length);
        words.push(word);
        rest = after.trim_start();
    }
    words
}

#[test]
fn the_reader_of_sources_finds_what_it_has_to() {
    let source = r##"
        // crate::voice::store
        use crate::users::{api::Users, http::{login, me as who}, *};
        use super::super::analytics::api;
        fn f<'a>(x: &'a str) { let _ = ("crate::voice", 'c', '\'', r#"crate::kit"#); crate::kit::ids::fresh::<u8>() }
    "##;
    let place = ["gateway".to_owned(), "routes".to_owned()];
    let found: Vec<_> = paths(&code(source), &place).iter().map(|path| path.join("::")).collect();
    let expected = [
        "users::api::Users",
        "users::http::login",
        "users::http::me",
        "users::*",
        "analytics::api",
        "kit::ids::fresh",
    ];
    assert_eq!(found, expected);
    let path = |text: &str| text.split("::").map(str::to_owned).collect::<Vec<_>>();
    assert!(allowed("gateway", &path("users::api::Users")));
    assert!(!allowed("gateway", &path("users::http::login")));
    assert!(!allowed("gateway", &path("nlu::Model")));
    assert!(!allowed("kit", &path("voice::api")));
    assert!(!allowed("voice", &path("config::Voice")));
}
