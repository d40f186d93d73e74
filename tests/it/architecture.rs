//! The house: arrows point down only, pure rooms are pure, registries list what their folders hold.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use libtest_mimic::Trial;

use crate::harness::root;
use crate::test;

/// The tiers, top first. A room may name rooms of its own tier (without a circle) and below.
const TIERS: &[&[&str]] = &[
    &["main"],
    &["cli", "serve"],
    &["observe", "report"],
    &["ops"],
    &["run", "shadow", "handoff", "govern"],
    &["plan", "throttle", "control", "journal"],
    &["target", "gate", "rewrite"],
    &["sql", "keyspace", "spec"],
    &["catalog", "event"],
];

/// Rooms without I/O, clock or async.
const PURE: &[&str] = &["gate", "rewrite", "sql", "keyspace", "spec", "catalog", "event", "report"];

/// What a pure room may not say.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::io",
    "std::thread",
    "tokio",
    "async ",
    "time::Instant",
    "Instant::now",
    "SystemTime",
    "Timestamp::now",
    "Zoned::now",
    "rusqlite",
    "sqlx",
    "reqwest",
];

/// Libraries and the only places that may name them.
const HOMES: &[(&str, &[&str])] = &[
    ("prometheus", &["observe"]),
    ("console", &["observe"]),
    ("indicatif", &["observe"]),
    ("signal_hook", &["control"]),
    ("rusqlite", &["journal", "target"]),
    ("sqlx", &["target"]),
    ("clap", &["cli"]),
    ("axum", &["serve"]),
    ("squawk_syntax", &["sql"]),
    ("ureq", &["throttle"]),
    ("rustix", &["handoff", "throttle"]),
    ("procfs", &["handoff"]),
    ("tempfile", &["cli"]),
    ("mimalloc", &["main"]),
];

pub fn trials() -> Vec<Trial> {
    vec![
        test("architecture: arrows point down", arrows),
        test("architecture: rooms of a tier do not form a circle", circles),
        test("architecture: pure rooms are pure", pure_rooms),
        test("architecture: each library has its home", homes),
        test("architecture: registries list their folders", registries),
        test("architecture: no file is too long", lengths),
    ]
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Every source file with its room and its code: no comments, no tests.
fn sources() -> Vec<(String, PathBuf, String)> {
    let src = root().join("src");
    files(&src)
        .into_iter()
        .map(|path| {
            let relative = path.strip_prefix(&src).unwrap().to_owned();
            let first = relative.components().next().unwrap().as_os_str().to_string_lossy();
            let room = first.trim_end_matches(".rs").to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
            let code: Vec<_> =
                code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            (room, relative, without_texts(&code.join("\n")))
        })
        .filter(|(room, ..)| room != "lib")
        .collect()
}

/// What is said in a text is no code: a runner of migrations may be called as a library is.
fn without_texts(code: &str) -> String {
    let mut kept = String::with_capacity(code.len());
    let mut letters = code.chars().peekable();
    let mut inside = false;
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if inside => drop(letters.next()),
            // A quote as a letter: '"'
            '"' if !inside && kept.ends_with(['\'', '\\']) => kept.push(letter),
            '"' => {
                inside = !inside;
                kept.push(letter);
            }
            _ if inside => {}
            letter => kept.push(letter),
        }
    }
    kept
}

fn tier(room: &str) -> usize {
    TIERS
        .iter()
        .position(|tier| tier.contains(&room))
        .unwrap_or_else(|| panic!("the room `{room}` stands in no tier"))
}

/// Which rooms a file names: `crate::room`, also within braces.
fn named_rooms(code: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for part in code.split("crate::").skip(1).chain(code.split("backstop::").skip(1)) {
        let word = |text: &str| -> String {
            text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
        };
        match part.strip_prefix('{') {
            Some(list) => {
                let list = list.split('}').next().unwrap_or_default();
                rooms.extend(list.split(',').map(|item| word(item.trim())));
            }
            None => rooms.push(word(part)),
        }
    }
    rooms.retain(|room| TIERS.iter().any(|tier| tier.contains(&room.as_str())));
    rooms
}

fn arrows() {
    let mut wrong = Vec::new();
    for (room, path, code) in sources() {
        for named in named_rooms(&code) {
            if tier(&named) < tier(&room) {
                wrong.push(format!(
                    "{} names `{named}`, which stands above `{room}`",
                    path.display()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn circles() {
    let mut arrows: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (room, _, code) in sources() {
        let same = named_rooms(&code);
        let same = same.into_iter().filter(|named| *named != room && tier(named) == tier(&room));
        arrows.entry(room.clone()).or_default().extend(same);
    }
    for (room, named) in &arrows {
        for other in named {
            assert!(!arrows[other].contains(room), "`{room}` and `{other}` name each other");
        }
    }
}

fn pure_rooms() {
    let mut wrong = Vec::new();
    for (room, path, code) in sources() {
        if PURE.contains(&room.as_str()) {
            wrong.extend(
                IMPURE
                    .iter()
                    .filter(|word| code.contains(**word))
                    .map(|word| format!("{} says `{word}`", path.display())),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn homes() {
    for (room, path, code) in sources() {
        for (library, rooms) in HOMES {
            let named = code.contains(&format!("{library}::"));
            assert!(
                !named || rooms.contains(&room.as_str()),
                "{} names `{library}`, whose home is {rooms:?}",
                path.display()
            );
        }
    }
}

/// A folder whose files or folders must all be named in a file next door.
fn registered(folder: &str, list: &str, except: &[&str]) {
    let text = std::fs::read_to_string(root().join(list)).unwrap();
    for entry in std::fs::read_dir(root().join(folder)).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(
            except.contains(&name.as_str()) || text.contains(&format!("{name}::")),
            "`{}` is not listed in `{list}`",
            path.display()
        );
    }
}

fn registries() {
    let parts = ["mod", "error", "dialect", "fence", "switch", "waits"];
    registered("src/target", "src/target/mod.rs", &parts);
    let parts = ["mod", "document", "excerpt", "paint", "place", "placed", "sample", "words"];
    registered("src/report/findings", "src/report/findings/mod.rs", &parts);
    registered("src/gate/rules", "src/gate/rules/mod.rs", &["mod"]);
    registered("src/throttle/signal", "src/throttle/signal/mod.rs", &["mod"]);
    let signals = backstop::throttle::ALL;
    let listed = std::fs::read_dir(root().join("src/throttle/signal")).unwrap().count() - 1;
    assert_eq!(signals.len(), listed, "a signal is a file");
    let engines: Vec<_> = backstop::target::ALL.iter().flat_map(|engine| engine.schemes).collect();
    for scheme in ["postgres", "postgresql", "mysql", "mariadb", "sqlite"] {
        assert!(engines.contains(&&scheme), "`{scheme}` is not registered");
    }
}

fn lengths() {
    for path in files(&root().join("src")).into_iter().chain(files(&root().join("tests"))) {
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 600, "{} has {lines} lines", path.display());
    }
}
