//! The conformance suite against the example in Python, by `chatport conformance`.

use std::path::Path;

use chatport_tests::program::{free_port, program};
use tokio::process::Command;

use crate::{
    ntfy::Ntfy,
    process::{Process, SECRET},
};

struct Played {
    holds: bool,
    told: String,
}

/// Play the suite; the process calls its platform where the suite listens.
async fn played(secret: &str) -> Played {
    let (ntfy, at) = (Ntfy::start().await, free_port().await);
    let process = Process::started(&format!("http://127.0.0.1:{at}")).await;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let mut conformance = Command::new(program());
    conformance.args(["conformance", "ntfy", &format!("--platform={}", ntfy.url), &format!("--at=127.0.0.1:{at}")]);
    conformance.arg(format!("--fixture={}", root.join("examples/remote-python/conformance.json").display()));
    conformance.env_clear().env("CHATPORT_REMOTE_BACKENDS", format!("ntfy={}", process.url()));
    conformance.env("CHATPORT_REMOTE_SECRETS", format!("ntfy={secret}"));
    let output = conformance.kill_on_drop(true).output().await.expect("it runs");
    let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    Played { holds: output.status.success(), told }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_passes_the_suite() {
    let played = played(SECRET).await;
    assert!(played.holds, "{}", played.told);
    for name in ["a_post_stands_once", "what_may_have_been_done_is_in_doubt", "secrets_stay_secret", "the_link_is_kept"]
    {
        assert!(played.told.contains(&format!("ok      {name}\n")), "{name} was played: {}", played.told);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_is_not_who_it_says_is_not_examined() {
    let played = played("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").await;
    assert!(!played.holds && played.told.lines().count() == 1, "{}", played.told);
}
