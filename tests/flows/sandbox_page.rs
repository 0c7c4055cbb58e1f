//! The sandbox's page in a real browser: what people do on it reaches the application, and
//! what the application says appears while they look. Each test ends with a console in which
//! nothing was said: no error, and nothing that the page's policy had to stop.

use std::path::Path;

use chatport_tests::{
    application::Application,
    browser::{Browser, Screen},
    eventually,
    organization::{Organization, items, text},
    program::Chatport,
    sandbox::Sandbox,
};
use serde_json::{Value, json};

const DESKTOP: Screen = Screen { width: 1200, height: 800, phone: false, dark: false };
const PHONE: Screen = Screen { width: 375, height: 740, phone: true, dark: true };
const ENTER: &str = "\u{e007}";
const TAB: &str = "\u{e004}";
/// Set to anything: write the pictures that the README shows.
const WRITE_PICTURES: &str = "CHATPORT_WRITE_PICTURES";

/// The demo, as it is after the first start, and a browser that hasn't been anywhere.
struct Stage {
    chatport: Chatport,
    application: Application,
    demo: Organization,
    installation: String,
    sandbox: Sandbox,
    browser: Browser,
}

impl Stage {
    async fn set(screen: Screen) -> Self {
        let chatport = Chatport::start(&["--app-name=OnCall"]).await;
        let application = Application::subscribed(&chatport.client()).await;
        let demo = Organization { api: chatport.client(), id: "demo".into() };
        let installations = items(&demo.get("installations").await.expect(200));
        let sandbox = Sandbox::at(&chatport.demo_address());
        let (installation, browser) = (text(&installations[0], "id"), Browser::start(screen).await);
        Self { chatport, application, demo, installation, sandbox, browser }
    }

    /// The same, with Ada linked and `incidents` connected.
    async fn linked(screen: Screen) -> Self {
        let stage = Self::set(screen).await;
        stage.sandbox.link("ada", &stage.demo.user_code(&stage.installation, "u-ada").await).await;
        let code = stage.demo.channel_code(&stage.installation).await;
        stage.sandbox.write("ada", "incidents", &format!("link {}", text(&code, "code"))).await;
        stage
    }

    /// Open the page as somebody, in a conversation.
    async fn open(&self, who: &str, place: &str) {
        self.browser.visit(&format!("{}#{who}/{place}", self.sandbox.address)).await;
        self.browser.find("//header//*[@role='status'][.='Live']").await;
    }

    async fn say(&self, revision: i64, content: Value) {
        let message = json!({ "revision": revision, "targets": [{ "default": true }], "content": content });
        self.demo.say("disk", message).await;
        self.demo.delivered("disk").await;
    }

    /// Write in the open conversation.
    async fn write(&self, message: &str) {
        let field = self.browser.find_named("textarea", "textbox", "Message").await;
        self.browser.type_into(&field, &format!("{message}{ENTER}")).await;
    }

    /// Wait for words in one of the posts, and nowhere else among them.
    async fn sees(&self, words: &str) {
        self.browser.find(&format!("//ol[@id='posts']//article[contains(., '{words}')]")).await;
    }

    async fn ends_quietly(self) {
        assert_eq!(self.browser.console().await, Vec::<String>::new());
    }
}

fn disk(state: &str, title: &str) -> Value {
    let acknowledge = json!({ "id": "ack", "label": "Acknowledge", "style": "primary" });
    let hour = json!({ "value": "1h", "label": "1 hour" });
    let silence =
        json!({ "id": "silence", "label": "Silence", "choices": [hour, { "value": "1d", "label": "1 day" }] });
    json!({ "state": state, "title": title, "text": "It is **98 %** full.", "actions": [acknowledge, silence] })
}

#[tokio::test(flavor = "multi_thread")]
async fn people_link_press_and_see_edits_live_on_the_page() {
    let stage = Stage::set(DESKTOP).await;
    let (browser, demo) = (&stage.browser, &stage.demo);

    // The printed address shows what to do first, and where.
    browser.visit(&stage.chatport.demo_address()).await;
    browser.find_named("h3", "heading", "What to do first").await;
    browser.click(&browser.find_named("button", "button", "Write to the bot").await).await;
    browser.find_named("h2", "heading", "Bot").await;
    let code = demo.user_code(&stage.installation, "u-ada").await;
    stage.write(&format!("link {}", text(&code, "code"))).await;
    stage.sees("Linked to user u-ada of OnCall").await;
    browser.click(&browser.find("//nav//button[contains(., 'Incidents')]").await).await;
    browser.find_named("h2", "heading", "# Incidents").await;
    let code = demo.channel_code(&stage.installation).await;
    stage.write(&format!("link {}", text(&code, "code"))).await;
    stage.sees("This channel is connected as Incidents").await;

    // A message appears, and is told to those who don't see the screen.
    stage.say(1, disk("firing", "Disk full")).await;
    stage.sees("Disk full").await;
    browser.find("//*[@aria-live='polite'][contains(., 'Bot: Firing: Disk full')]").await;
    browser.find("//article//strong[.='98 %']").await;

    // The button: the application's notice and new content.
    let taken = disk("acknowledged", "Taken by Ada");
    stage.application.answer(move |event| match event["type"].as_str() {
        Some("action.invoked") => (200, json!({ "notice": "It is yours.", "content": taken, "revision": 2 })),
        _ => (200, Value::Null),
    });
    browser.click(&browser.find_named("button", "button", "Acknowledge").await).await;
    stage.sees("Taken by Ada").await;
    stage.sees("Only you see this: It is yours.").await;
    let pressed = stage.application.hears("action.invoked", 0).await["data"].clone();
    assert_eq!((&pressed["user"], &pressed["action"]), (&json!("u-ada"), &json!("ack")));

    // The menu.
    browser.click(&browser.find("//summary[.='Silence']").await).await;
    browser.click(&browser.find_named("button", "button", "1 hour").await).await;
    let pressed = stage.application.hears("action.invoked", 1).await["data"].clone();
    assert_eq!((&pressed["action"], &pressed["choice"]), (&json!("silence"), &json!("1h")));
    assert_eq!(browser.run("return document.querySelectorAll('.menu[open]').length").await, 0);

    // An edit and a reply appear by themselves; so does the end of it all.
    let mut message =
        json!({ "revision": 3, "targets": [{ "default": true }], "content": disk("resolved", "Room again") });
    message["log"] = json!([{ "id": "1", "text": "Ada emptied /tmp." }]);
    demo.say("disk", message).await;
    stage.sees("Room again").await;
    browser.find("//ol[@aria-label='Replies']//article[contains(., 'Ada emptied /tmp.')]").await;
    demo.delete("messages/disk").await.expect(202);
    eventually("the post to be shown as deleted", || async {
        browser.text().await.contains("This message was deleted.").then_some(())
    })
    .await;
    stage.ends_quietly().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keyboard_is_enough() {
    let stage = Stage::linked(DESKTOP).await;
    let browser = &stage.browser;
    stage.say(1, disk("firing", "Disk full")).await;
    stage.open("grace", "incidents").await;
    stage.sees("Disk full").await;
    // The first stop leads to the box to write in.
    browser.keys(TAB).await;
    browser.keys(ENTER).await;
    browser.keys("I am looking").await;
    browser.keys(ENTER).await;
    stage.sees("I am looking").await;
    // Every stop is seen to be one; on the way is the button.
    browser.run("document.activeElement.blur(); document.getElementById('person').focus()").await;
    let mut stops = 0;
    loop {
        browser.keys(TAB).await;
        let at = "const at = document.activeElement; return [at.innerText, getComputedStyle(at).outlineStyle]";
        let at = browser.run(at).await;
        assert_ne!(at[1], "none", "the focus is seen at {at}");
        if at[0] == "Acknowledge" {
            break;
        }
        stops += 1;
        assert!(stops < 40, "the button isn't reached");
    }
    browser.keys(ENTER).await;
    // Grace isn't linked: she is told so, and nobody else; the focus stays where it was.
    stage.sees("Only you see this: You aren").await;
    assert_eq!(browser.run("return document.activeElement.innerText").await, "Acknowledge");
    assert_eq!(stage.application.heard_of("action.invoked").len(), 0);
    stage.open("linus", "incidents").await;
    eventually("the notice not to be shown to Linus", || async {
        (!browser.text().await.contains("Only you see this")).then_some(())
    })
    .await;
    stage.ends_quietly().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_are_shown_as_commonmark_and_never_as_markup() {
    let stage = Stage::linked(DESKTOP).await;
    let hostile = "<img src=x onerror=alert(1)> <script>alert(2)</script>\n\
        [click](javascript:alert(3)) [me](data:text/html,x) <javascript:alert(4)> `<b>code</b>`\n\
        *slanted* __bold__ snake_case_name [the site](https://example.com/a_b)\n\n\
        - one\n- two\n\n```\n*as it is*\n```";
    let mut content = disk("info", "<b>Title</b>");
    content["text"] = json!(hostile);
    content["facts"] = json!([{ "name": "<i>host</i>", "value": "**db-1**" }]);
    content["image"] = json!({ "url": "https://example.com/a.png", "alt": "a graph" });
    stage.say(1, content).await;
    stage.open("ada", "incidents").await;
    stage.sees("<b>Title</b>").await;
    let count = |what: &str| format!("return document.querySelectorAll('#posts {what}').length");
    for (what, expected) in [
        ("img", 0),
        ("script", 0),
        ("b", 0),
        ("i", 0),
        ("em", 1),
        ("li > ul, .text ul", 1),
        (".text li", 2),
        ("pre", 1),
    ] {
        assert_eq!(stage.browser.run(&count(what)).await, expected, "{what}");
    }
    let shown = stage.browser.run("return document.querySelector('#posts .state-info .card').innerText").await;
    let shown = shown.as_str().expect("a text");
    for words in ["<img src=x onerror=alert(1)>", "[click](javascript:alert(3))", "snake_case_name", "*as it is*"] {
        assert!(shown.contains(words), "no {words:?} in {shown}");
    }
    let links = stage.browser.run("return [...document.querySelectorAll('#posts a')].map((a) => a.href)").await;
    assert_eq!(links, json!(["https://example.com/a_b", "https://example.com/a.png"]));
    stage.ends_quietly().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_the_pages_own_is_stopped_and_heard_of() {
    let stage = Stage::linked(DESKTOP).await;
    stage.open("ada", "incidents").await;
    let inject = "const script = document.createElement('script'); script.textContent = 'window.ran = true'; \
        document.head.append(script); document.body.setAttribute('style', 'color: red'); \
        const image = new Image(); image.src = 'http://127.0.0.1:9/x.png'; return window.ran ?? 'stopped'";
    assert_eq!(stage.browser.run(inject).await, "stopped");
    let heard = stage.browser.console().await;
    for directive in ["script-src", "style-src", "img-src"] {
        assert!(heard.iter().any(|line| line.contains(directive)), "nothing of {directive} in {heard:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platform_misbehaves_and_goes_well_again_by_a_switch() {
    let stage = Stage::linked(DESKTOP).await;
    let browser = &stage.browser;
    stage.open("ada", "incidents").await;
    browser.click(&browser.find("//summary[contains(., 'Make it misbehave')]").await).await;
    browser.click(&browser.find_named("button", "button", "Let it go wrong").await).await;
    browser.find("//ul[@id='faults-list']/li[contains(., 'It fails')]").await;
    stage.say(1, disk("firing", "Disk full")).await;
    stage.sees("Disk full").await;
    let history = stage.demo.message("disk").await["copies"][0]["history"].clone();
    assert_eq!(history[0]["code"], "platform_unavailable");
    eventually("the used fault to be gone", || async {
        (browser.run("return document.querySelectorAll('#faults-list li').length").await == 0).then_some(())
    })
    .await;
    browser.click(&browser.find_named("button", "button", "Let it go wrong").await).await;
    browser.find("//ul[@id='faults-list']/li").await;
    browser.click(&browser.find_named("button", "button", "Let everything go well").await).await;
    browser.find("//button[@id='faults-end'][@disabled]").await;
    stage.ends_quietly().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_comes_back_after_a_restart() {
    let mut stage = Stage::linked(DESKTOP).await;
    stage.open("ada", "general").await;
    assert!(stage.chatport.stop().await);
    stage.browser.find("//header//*[@role='status'][contains(., 'Not connected')]").await;
    stage.chatport.restart().await;
    stage.browser.find("//header//*[@role='status'][.='Live']").await;
    stage.sandbox.write("grace", "general", "here again").await;
    stage.sees("here again").await;
}

/// What the pictures show.
async fn scene(stage: &Stage) {
    let mut content = disk("firing", "Disk full on db-1");
    content["text"] = json!("`/var/lib/postgresql` is **98 %** full.\n\n- grows by 2 % an hour\n- full at about 16:30");
    content["facts"] = json!([
        { "name": "Host", "value": "db-1", "short": true },
        { "name": "Service", "value": "Orders", "short": true },
    ]);
    content["link"] = json!({ "url": "https://oncall.example/a/1", "label": "Open in OnCall" });
    stage.say(1, content.clone()).await;
    let post = text(&stage.sandbox.post("incidents", "Disk full on db-1").await, "id");
    content["state"] = json!("acknowledged");
    let mut message = json!({ "revision": 2, "targets": [{ "default": true }], "content": content });
    message["log"] = json!([{ "id": "1", "text": "Acknowledged by **Ada**" }]);
    stage.demo.say("disk", message).await;
    stage.demo.delivered("disk").await;
    stage.sandbox.press("grace", &post, "ack").await;
    stage.sandbox.write("linus", "incidents", "I can free some space in `/tmp`.").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_fits_a_desktop_in_light_and_a_phone_in_dark() {
    for (name, screen, background) in
        [("sandbox-desktop.png", DESKTOP, "rgb(255, 255, 255)"), ("sandbox-phone.png", PHONE, "rgb(20, 24, 31)")]
    {
        let stage = Stage::linked(screen).await;
        scene(&stage).await;
        let browser = &stage.browser;
        stage.open("grace", "incidents").await;
        stage.sees("I can free some space").await;
        let seen = browser
            .run("return [getComputedStyle(document.body).backgroundColor, document.documentElement.scrollWidth <= innerWidth]")
            .await;
        assert_eq!(seen, json!([background, true]), "{name}: its colours, and nothing sticks out to the right");
        let picture = browser.screenshot().await;
        if std::env::var_os(WRITE_PICTURES).is_some() {
            assert!(picture.len() < 200 * 1024, "{name} has {} bytes", picture.len());
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/images");
            std::fs::create_dir_all(&folder).expect("a folder");
            std::fs::write(folder.join(name), picture).expect("written");
        }
        if screen.phone {
            // The conversations are behind a button; choosing one puts them away again.
            browser.click(&browser.find_named("button", "button", "Conversations").await).await;
            browser.click(&browser.find("//nav//button[contains(., 'General')]").await).await;
            browser.find_named("h2", "heading", "# General").await;
            browser.find("//button[@id='menu'][@aria-expanded='false']").await;
        }
        stage.ends_quietly().await;
    }
}
