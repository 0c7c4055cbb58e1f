//! `chatport record` between a platform and a host: everything is passed on, and what is kept
//! can be played to the backend without telling any secret.

use std::{process::Stdio, sync::Arc};

use chatport_sandbox::SandboxBackend;
use chatport_sdk::{
    http::{Answer, Call},
    prelude::*,
    recorded::Recorded,
    testkit::{Platform, Post, Stage, text_answer},
};
use chatport_tests::{
    client::Client,
    eventually,
    organization::{Organization, text},
    program::{self, Chatport},
    sandbox::Sandbox,
};
use serde_json::json;
use tokio::process::Command;

struct Nobody;

#[async_trait]
impl Platform for Nobody {
    async fn answer(&self, _: &Call) -> Answer {
        text_answer(404, "nobody is called")
    }
    async fn posts(&self) -> Vec<Post> {
        Vec::new()
    }
    fn place(&self) -> Conversation {
        unreachable!("nothing is posted")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_request_can_be_played_with_other_secrets() {
    let chatport = Chatport::start(&["--demo=off"]).await;
    let acme = Organization::create(&chatport.client(), "acme").await;
    let made = acme.install("sandbox", json!({ "world": "acme" })).await;
    let code = acme.user_code(&text(&made, "id"), "u-ada").await;
    let address = Sandbox::of_code(&code).address;
    let (_, path) = address.split_once("/in/").expect("an ingress");
    let slot = path.split('/').nth(1).expect("a slot").to_owned();

    let folder = tempfile::tempdir().expect("a folder");
    let port = program::free_port().await;
    let mut recorder = Command::new(program::program());
    recorder.args(["record", "--secret=CODE", &format!("--at=127.0.0.1:{port}"), &format!("--to={}", chatport.url)]);
    recorder.arg(format!("--into={}", folder.path().display())).env_clear().env("CODE", text(&code, "code"));
    let _recorder = recorder.kill_on_drop(true).stdout(Stdio::null()).spawn().expect("it runs");
    eventually("the recorder to listen", || async { tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok() })
        .await;

    let platform = Client::new(format!("http://127.0.0.1:{port}/in/{path}"), None);
    let body = json!({ "as": "ada", "text": format!("link {}", text(&code, "code")), "id": "e1" });
    let told = platform.post("/conversations/dm-ada/messages", body).await.expect(200);
    assert_eq!(told["outcome"], "linked", "it is passed on, and so is the answer");

    let file = folder.path().join("0001-messages.json");
    let kept = std::fs::read_to_string(&file).expect("a file");
    let is_told = |secret: &str| kept.contains(secret);
    assert!(!is_told(&text(&code, "code")) && !is_told(&slot), "{kept}");
    let recorded = Recorded::read(&kept).expect("a recorded request");
    assert_eq!(recorded.path, "/conversations/dm-ada/messages");

    let stage = Stage::new(Arc::new(Nobody), &[]);
    stage.set_settings(json!({ "world": "acme" }));
    let backend = SandboxBackend::default();
    let request = recorded.request(&[("CODE", "K7QX-2M4P-9ZRT")]);
    let received = backend.ingress().expect("an ingress").receive(&stage.site(), &request).await;
    let Received::Happenings(happenings) = received else { panic!("{received:?}") };
    let HappeningKind::CodeEntered { code, account, .. } = &happenings[0].kind else { panic!("{happenings:?}") };
    assert_eq!((code.expose(), account.id.as_str()), ("K7QX-2M4P-9ZRT", "ada"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let ended = program::run(&["record", "--secret=NOWHERE"], &[], folder.path()).await;
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(!ended.status.success() && said.contains("NOWHERE isn't in the environment"), "{said}");
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 0, "nothing is made");
}
