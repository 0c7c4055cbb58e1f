//! A real browser: headless Chromium, driven over WebDriver
//! (<https://www.w3.org/TR/webdriver2/>) by its own `chromedriver`. Both come from Debian's
//! packages; where they are missing, whoever asks for a browser fails.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::client::Client;

/// The name under which WebDriver passes an element around.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// How long something on a page may take to appear.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a page is looked at with.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    pub width: u32,
    pub height: u32,
    /// A phone: with small pixels.
    pub phone: bool,
    /// Whether its owner prefers dark colours.
    pub dark: bool,
}

/// A browser with one window.
pub struct Browser {
    driver: Child,
    http: Client,
    session: String,
    /// The profile, and whatever else it writes.
    _home: TempDir,
}

/// Something on a page.
#[derive(Clone, Debug)]
pub struct Element(String);

impl Browser {
    /// Start one.
    pub async fn start(screen: Screen) -> Self {
        let home = tempfile::tempdir().expect("a temporary folder");
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .env("TMPDIR", home.path())
            .env("HOME", home.path())
            // All of its processes are ended together.
            .process_group(0)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("chromedriver (Debian's package chromium-driver) can't be run: {error}"));
        let address = address(&mut driver).await;
        let http = Client::new(address, None);
        let session = http.post("/session", capabilities()).await.expect(200);
        let session = session["value"]["sessionId"].as_str().expect("a session").to_owned();
        let browser = Self { driver, http, session, _home: home };
        let scheme = if screen.dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        browser.command("Emulation.setEmulatedMedia", media).await;
        let Screen { width, height, phone, .. } = screen;
        let scale = if phone { 2 } else { 1 };
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": phone });
        browser.command("Emulation.setDeviceMetricsOverride", metrics).await;
        browser
    }

    /// A command of Chromium's own (<https://chromedevtools.github.io/devtools-protocol/>).
    async fn command(&self, name: &str, parameters: Value) {
        self.post("/goog/cdp/execute", json!({ "cmd": name, "params": parameters })).await;
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.http.post(&format!("/session/{}{path}", self.session), body).await;
        answer.expect(200)["value"].clone()
    }

    async fn get(&self, path: &str) -> Value {
        self.http.get(&format!("/session/{}{path}", self.session)).await.expect(200)["value"].clone()
    }

    /// Go to an address.
    pub async fn visit(&self, url: &str) {
        self.post("/url", json!({ "url": url })).await;
    }

    /// Wait for the one element that this XPath finds.
    pub async fn find(&self, xpath: &str) -> Element {
        let until = Instant::now() + PATIENCE;
        loop {
            let found = self.post("/elements", json!({ "using": "xpath", "value": xpath })).await;
            match found.as_array().expect("a list").as_slice() {
                [one] => return Element(one[ELEMENT].as_str().expect("an element").to_owned()),
                others if Instant::now() > until => {
                    panic!("{} of {xpath} after {PATIENCE:?} in:\n{}", others.len(), self.text().await)
                }
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Wait for an element with this role and accessible name, as assistive technology has it.
    pub async fn find_named(&self, tag: &str, role: &str, name: &str) -> Element {
        let xpath =
            format!("//{tag}[normalize-space()='{name}' or @aria-label='{name}' or @id=//label[.='{name}']/@for]");
        let found = self.find(&xpath).await;
        let told = (self.about(&found, "computedrole").await, self.about(&found, "computedlabel").await);
        assert_eq!(told, (role.to_owned(), name.to_owned()));
        found
    }

    async fn about(&self, element: &Element, what: &str) -> String {
        self.get(&format!("/element/{}/{what}", element.0)).await.as_str().expect("a text").to_owned()
    }

    /// Click it, as a person does: it must be in view and uncovered.
    pub async fn click(&self, element: &Element) {
        self.post(&format!("/element/{}/click", element.0), json!({})).await;
    }

    /// Type into it.
    pub async fn type_into(&self, element: &Element, text: &str) {
        self.post(&format!("/element/{}/value", element.0), json!({ "text": text })).await;
    }

    /// Press keys, wherever the focus is.
    pub async fn keys(&self, keys: &str) {
        let each = |key: char| [json!({ "type": "keyDown", "value": key }), json!({ "type": "keyUp", "value": key })];
        let actions: Vec<Value> = keys.chars().flat_map(each).collect();
        self.post("/actions", json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": actions }] })).await;
    }

    /// What a script gives back.
    pub async fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", json!({ "script": script, "args": [] })).await
    }

    /// The words on the page.
    pub async fn text(&self) -> String {
        self.run("return document.body.innerText").await.as_str().expect("a text").to_owned()
    }

    /// What the console has said since it was last asked: errors and broken policies too.
    pub async fn console(&self) -> Vec<String> {
        let said = self.post("/se/log", json!({ "type": "browser" })).await;
        let line = |entry: &Value| entry["message"].as_str().expect("a message").to_owned();
        said.as_array().expect("a list").iter().map(line).collect()
    }

    /// What the window shows, as a PNG.
    pub async fn screenshot(&self) -> Vec<u8> {
        STANDARD.decode(self.get("/screenshot").await.as_str().expect("a text")).expect("base64")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let Some(process) = self.driver.id() else { return };
        let _ = std::process::Command::new("kill").args(["-KILL", "--", &format!("-{process}")]).status();
    }
}

/// Where the driver listens: it says so once it does.
async fn address(driver: &mut Child) -> String {
    let mut lines = BufReader::new(driver.stdout.take().expect("piped")).lines();
    let listening = async {
        while let Some(line) = lines.next_line().await.expect("it can be read") {
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                return format!("http://127.0.0.1:{}", port.trim_end_matches('.'));
            }
        }
        panic!("chromedriver ended at once")
    };
    let address = tokio::time::timeout(PATIENCE, listening).await.expect("chromedriver listens within ten seconds");
    // It goes on saying things; a closed pipe would end it.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    address
}

fn capabilities() -> Value {
    // A test may run as root, in a container with little shared memory and no graphics.
    let arguments = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars"];
    let wanted = json!({
        "browserName": "chrome",
        "goog:chromeOptions": { "args": arguments },
        "goog:loggingPrefs": { "browser": "ALL" },
    });
    json!({ "capabilities": { "alwaysMatch": wanted } })
}
