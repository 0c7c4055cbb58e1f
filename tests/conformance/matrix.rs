//! The table of what each backend can do, as the suite has seen it: `docs/features.md`. A part
//! of which something is broken counts as absent.

use std::{collections::BTreeSet, fmt::Write, path::Path};

use chatport_sdk::testkit::conformance::{Part, Report, examine};

use crate::{mattermost::MattermostFixture, msteams::TeamsFixture, sandbox::SandboxFixture, telegram::TelegramFixture};

const PARTS: [(Part, &str); 13] = [
    (Part::Descriptor, "descriptor"),
    (Part::Install, "install steps"),
    (Part::Renew, "renewing credentials"),
    (Part::Verification, "verification codes"),
    (Part::Delivery, "delivery"),
    (Part::Edit, "editing"),
    (Part::Delete, "deleting"),
    (Part::Find, "finding what was lost"),
    (Part::Direct, "writing to a person"),
    (Part::Ingress, "ingress"),
    (Part::Listen, "listening without being called"),
    (Part::Directory, "directory"),
    (Part::Commands, "commands"),
];

const OPENING: &str = "# What each backend can do

This table is written by the conformance suite, from what it has seen against strict stand-ins for the platforms. A part
counts only if something of it was seen and nothing of it is broken; a behaviour that a platform has no occasion for, such
as a lost answer where nothing is called over HTTP, counts for neither.
`CHATPORT_WRITE_FEATURES=1 bash tests/run -p chatport-tests --test conformance matrix`
writes it anew; the suite fails where it is out of date.

";

fn table(reports: &[Report]) -> String {
    let mut text = OPENING.to_owned();
    let names: Vec<&str> = reports.iter().map(|report| report.backend.as_str()).collect();
    writeln!(text, "| part | {} |", names.join(" | ")).expect("text");
    writeln!(text, "|---|{}", "---|".repeat(names.len())).expect("text");
    for (part, name) in PARTS {
        let cell = |report: &Report| if report.proven().get(&part) == Some(&true) { "yes" } else { "–" };
        let cells: Vec<&str> = reports.iter().map(cell).collect();
        writeln!(text, "| {name} | {} |", cells.join(" | ")).expect("text");
    }
    text
}

#[test]
fn the_table_of_features_is_what_the_suite_has_seen() {
    let reports = [
        examine(&MattermostFixture),
        examine(&TeamsFixture),
        examine(&SandboxFixture::new()),
        examine(&TelegramFixture),
    ];
    let seen = table(&reports);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/features.md");
    if std::env::var_os("CHATPORT_WRITE_FEATURES").is_some() {
        std::fs::write(&file, &seen).expect("docs/features.md can be written");
    }
    let stands = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(stands, seen, "docs/features.md is out of date");
}

#[test]
fn every_part_has_its_row() {
    let rows: BTreeSet<Part> = PARTS.iter().map(|(part, _)| *part).collect();
    let parts = chatport_sdk::testkit::conformance::BEHAVIOURS.iter().map(|behaviour| behaviour.part);
    assert_eq!(rows, parts.collect());
}
