//! The app package, as an administrator downloads it. By the published schema it is judged in the
//! suite of peers; what stands here are rules of our own.

use std::io::Read as _;

use chatport_sdk::{prelude::*, testkit::run};
use http::{HeaderMap, Method};
use serde_json::Value;
use zip::ZipArchive;

use crate::bench::{Bench, reason};

impl Bench {
    /// The link that setup has shown.
    fn link(&self) -> Url {
        let link = self.stage.steps().into_iter().find_map(|step| match step.kind {
            StepKind::OpenLink { url } if step.id == "app-package" => Some(url),
            _ => None,
        });
        link.expect("a link")
    }

    fn download(&self, query: Option<&str>) -> Received {
        let (path, query) = ("/app-package.zip".into(), query.map(str::to_owned));
        let request = Request { method: Method::GET, path, query, headers: HeaderMap::new(), body: Bytes::new() };
        self.receive_request(&request)
    }

    /// What is in the package: its files, and the manifest.
    fn unpacked(&self) -> (Vec<String>, String) {
        let Received::Answer(response) = self.download(self.link().query()) else { panic!("refused") };
        assert_eq!(response.content_type, "application/zip");
        let mut archive = ZipArchive::new(std::io::Cursor::new(response.body)).expect("a zip");
        let mut names: Vec<String> = archive.file_names().map(|name| name.expect("a name").into_owned()).collect();
        names.sort();
        let mut text = String::new();
        archive.by_name("manifest.json").expect("it").read_to_string(&mut text).expect("text");
        (names, text)
    }
}

#[test]
fn a_later_download_is_an_update() {
    let bench = Bench::ready();
    let version = || {
        let (_, manifest) = bench.unpacked();
        let version = serde_json::from_str::<Value>(&manifest).expect("JSON")["version"].clone();
        let numbers = version.as_str().expect("text").split('.').map(|number| number.parse().expect("a number"));
        numbers.collect::<Vec<u16>>()
    };
    let first = version();
    bench.stage.clock.pass(std::time::Duration::from_secs(60));
    assert!(version() > first, "{first:?}");
}

#[test]
fn the_package_has_what_its_manifest_names() {
    let bench = Bench::ready();
    let (names, text) = bench.unpacked();
    assert_eq!(names, ["color.png", "manifest.json", "outline.png"]);
    let manifest: Value = serde_json::from_str(&text).expect("JSON");
    let app_id = bench.teams.options().app_id;
    assert_eq!((&manifest["id"], &manifest["bots"][0]["botId"]), (&app_id.clone().into(), &app_id.into()));
    assert_eq!(manifest["name"]["short"], "OnCall");
    for secret in bench.stage.vault.values() {
        assert!(!text.contains(&secret), "the manifest tells a secret");
    }
}

#[test]
fn without_the_key_there_is_nothing_to_see() {
    let bench = Bench::ready();
    let query = bench.link().query().expect("a key").to_owned();
    for wrong in [None, Some(""), Some("key="), Some("key=x"), Some(&query[..query.len() - 1]), Some("x=1")] {
        assert_eq!(reason(&bench.download(wrong)), Some("package-key"), "{wrong:?}");
    }
    // A new link is made with the next credential; the one before is good for a while.
    let again = run(bench.install().reauthorize(&bench.stage.site())).expect("again");
    bench.stage.keep(again).expect("kept");
    let options = bench.teams.options();
    let fields = [("app_id", options.app_id), ("tenant_id", options.tenant_id), ("client_secret", options.secret)];
    let submitted = run(bench.install().submit(&bench.stage.site(), &fields.into_iter().collect())).expect("taken");
    bench.stage.keep(submitted).expect("kept");
    assert_ne!(bench.link().query(), Some(query.as_str()));
    assert!(reason(&bench.download(Some(&query))).is_none());
}
