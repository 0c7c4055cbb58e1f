//! Calls to apps: from the request of a client or of the plugin itself to the app's answer.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::clean_url::{clean_path, clean_url};
use super::context::{CallBody, ClientContext};
use super::expand;
use super::forms::{self, Form};
use super::manifest::{CallDef, Manifest};
use super::{App, jwt};
use crate::gojson;
use crate::outgoing::{Incoming, Outgoing, send};
use crate::request_log::SentRequest;
use crate::state::Shared;

/// How long the plugin waits for an app.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// Most of an answer that is read.
const MAX_ANSWER: usize = 10 * 1024 * 1024;

/// A call to make.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) call: CallDef,
    pub(crate) values: Map<String, Value>,
    pub(crate) context: ClientContext,
    pub(crate) raw_command: String,
    pub(crate) selected_field: String,
    pub(crate) query: String,
}

impl Request {
    /// A call without values.
    pub(crate) fn new(call: CallDef, context: ClientContext) -> Self {
        Self { call, context, ..Self::default() }
    }
}

/// An app's answer as a client gets it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct AppResponse {
    /// `ok`, `error`, `form`, `navigate` or whatever the app said.
    #[serde(rename = "type")]
    pub kind: String,
    /// Text for the user: the app's, or the plugin's error.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Whether the client is to ask for the bindings again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub refresh_bindings: bool,
    /// Data.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub data: Value,
    /// Where the client is to go.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub navigate_to_url: String,
    /// Whether to go there in a browser.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub use_external_browser: bool,
    /// A cleaned form, `null` if there is none.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub form: Value,
}

impl AppResponse {
    /// An error.
    pub(crate) fn error(text: impl Into<String>) -> Self {
        Self { kind: "error".into(), text: text.into(), ..Self::default() }
    }

    /// Whether the app says everything went well.
    pub fn is_ok(&self) -> bool {
        self.kind == "ok"
    }
}

/// A call that was made, or failed before it could be.
#[derive(Debug, Clone, Default)]
pub(crate) struct Made {
    pub(crate) response: AppResponse,
    pub(crate) sent: Option<SentRequest>,
}

impl Made {
    pub(crate) fn failed(text: impl Into<String>) -> Self {
        Self { response: AppResponse::error(text), sent: None }
    }
}

/// Why an app could not be reached.
#[derive(Debug)]
pub(crate) struct UpstreamError {
    /// The app answered 404, which a ping tolerates.
    pub(crate) not_found: bool,
    pub(crate) text: String,
    pub(crate) sent: Option<SentRequest>,
}

/// Sends a body to the app. The path of the body and the path of the request are made in
/// different ways: the latter is unescaped until nothing changes any more.
pub(crate) async fn invoke(
    shared: &Shared,
    app: &App,
    body: &CallBody,
    token_user: &str,
    timeout: Duration,
) -> Result<Incoming, UpstreamError> {
    let failed = |text: String, sent| UpstreamError {
        not_found: false,
        text: format!("failed to invoke via HTTP: {text}"),
        sent,
    };
    let url = clean_url(&format!("{}/{}", app.manifest.root_url(), body.path)).map_err(|why| failed(why, None))?;
    let mut headers = vec![("Content-Type", "application/json".to_owned())];
    if app.manifest.http.as_ref().is_some_and(|http| http.use_jwt) {
        let exp = shared.clock.now_s() + jwt::LIFE_S;
        let token = jwt::sign(&app.secret, token_user, exp);
        headers.push(("Mattermost-App-Authorization", format!("Bearer {token}")));
    }
    let request = Outgoing {
        method: "POST",
        url: url.clone(),
        headers,
        body: gojson::to_bytes(body),
        timeout,
        max_answer: MAX_ANSWER,
    };
    let answer = send(shared, request)
        .await
        .map_err(|failure| failed(format!("Post {url:?}: {}", failure.why), Some(failure.sent)))?;
    match answer.status {
        200 => Ok(answer),
        404 => Err(UpstreamError { not_found: true, ..failed(format!("{url}: not found"), Some(answer.sent)) }),
        _ => {
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            Err(failed(text, Some(answer.sent)))
        }
    }
}

/// An app's answer as it is read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    #[serde(rename = "type")]
    kind: String,
    text: String,
    refresh_bindings: bool,
    data: Value,
    navigate_to_url: String,
    use_external_browser: bool,
    form: Option<Form>,
}

/// Reads an answer: the first JSON value counts, whatever follows is ignored.
fn read(body: &[u8]) -> Result<Answer, String> {
    let mut values = serde_json::Deserializer::from_slice(body).into_iter::<Value>();
    let wrong = |what: &str| Err(format!("json: cannot unmarshal {what} into Go value of type apps.CallResponse"));
    match values.next() {
        None => Err("EOF".into()),
        Some(Err(error)) if error.is_eof() => Err("unexpected EOF".into()),
        Some(Err(_)) => {
            let text = String::from_utf8_lossy(body);
            let first = text.trim_start().chars().next().unwrap_or(' ');
            Err(format!("invalid character '{first}' looking for beginning of value"))
        }
        Some(Ok(Value::Null)) => Ok(Answer::default()),
        Some(Ok(Value::Array(_))) => wrong("array"),
        Some(Ok(Value::String(_))) => wrong("string"),
        Some(Ok(Value::Number(_))) => wrong("number"),
        Some(Ok(Value::Bool(_))) => wrong("bool"),
        Some(Ok(object)) => serde_json::from_value(object).map_err(|error| format!("json: {error}")),
    }
}

/// Reads an answer and cleans it for the client.
pub(crate) fn response(shared: &Shared, app: &App, body: &[u8]) -> Result<AppResponse, String> {
    let answer = read(body)?;
    let form = answer.form.map_or(Value::Null, |form| {
        let app_url = format!("{}{}", shared.site_url, app.path());
        json!(forms::clean(form, &app_url, &mut Vec::new()))
    });
    Ok(AppResponse {
        kind: match answer.kind.as_str() {
            "" => "ok".to_owned(),
            _ => answer.kind,
        },
        text: answer.text,
        refresh_bindings: answer.refresh_bindings,
        data: answer.data,
        navigate_to_url: answer.navigate_to_url,
        use_external_browser: answer.use_external_browser,
        form,
    })
}

/// Expands the context and makes the call. The acting user is empty for calls of the plugin itself.
pub(crate) async fn call(shared: &Arc<Shared>, app: &App, request: Request, user_id: &str) -> Made {
    let wanted = request.call.expand.as_ref();
    let context = match expand::expand(shared, app, &request.context, user_id, wanted) {
        Ok(context) => context,
        Err(why) => return Made::failed(format!("failed to expand context: {why}")),
    };
    // The token names the user only if the call wanted the user.
    let token_user = context.acting_user.as_ref().map(|user| user.id.clone()).unwrap_or_default();
    let body = CallBody {
        path: request.call.path,
        expand: request.call.expand,
        state: gojson::passed_through(&request.call.state),
        values: gojson::map_passed_through(&request.values),
        context,
        raw_command: request.raw_command,
        selected_field: request.selected_field,
        query: request.query,
    };
    match invoke(shared, app, &body, &token_user, TIMEOUT).await {
        Ok(answer) => Made {
            response: response(shared, app, &answer.body)
                .unwrap_or_else(|why| AppResponse::error(format!("upstream call failed: {why}"))),
            sent: Some(answer.sent),
        },
        Err(error) => {
            Made { response: AppResponse::error(format!("upstream call failed: {}", error.text)), sent: error.sent }
        }
    }
}

/// A call as a client asks for it: the plugin looks at the path, then makes it.
pub(crate) async fn client_call(shared: &Arc<Shared>, user_id: &str, mut request: Request) -> Made {
    let app_id = request.context.app_id.clone();
    if shared.world().users.get(user_id).is_none_or(|user| user.delete_at != 0) {
        return Made::failed("user ID is required: unauthorized");
    }
    let app = match shared.world().apps.enabled(&app_id) {
        Ok(app) => app.clone(),
        Err(error) => return Made::failed(error.text),
    };
    let path = &request.call.path;
    if !path.starts_with('/') {
        return Made::failed(format!("call path must start with a \"/\": {path:?}: invalid input"));
    }
    let path = match clean_path(path) {
        Ok(path) => path,
        Err(why) => return Made::failed(format!("failed to clean call path: {why}")),
    };
    if let Some(meaning) = forbidden(&app.manifest, &path) {
        return Made::failed(format!("forbidden call path: path {path} defined as {meaning}"));
    }
    request.call.path = path;
    call(shared, &app, request, user_id).await
}

/// The meaning of a path that clients may not call. Texts are compared, nothing is unescaped.
fn forbidden(manifest: &Manifest, path: &str) -> Option<&'static str> {
    let given = |call: &Option<CallDef>, default: &str| match call {
        Some(call) => call.path == path,
        None => !default.is_empty() && default == path,
    };
    if path == "/ping" {
        return Some("/ping");
    }
    [
        (&manifest.on_install, "", "on_install.path"),
        (&manifest.on_uninstall, "", "on_uninstall.path"),
        (&manifest.on_version_changed, "", "on_version_changed.path"),
        (&manifest.on_enable, "", "on_enable.path"),
        (&manifest.on_disable, "", "on_disable.path"),
        (&manifest.get_oauth2_connect_url, "/oauth2/connect", "get_oauth2_connect_url.path"),
        (&manifest.on_oauth2_complete, "/oauth2/complete", "on_oauth2_complete.path"),
        (&manifest.on_remote_webhook, "/webhook", "on_remote_webhook.path"),
    ]
    .into_iter()
    .find(|(call, default, _)| given(call, default))
    .map(|(_, _, meaning)| meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recorded_answer_is_read() {
        let answers: Value = serde_json::from_str(include_str!("../../vectors/call_responses.json")).unwrap();
        for (name, answer) in answers.as_object().unwrap() {
            let read = read(answer.to_string().as_bytes()).unwrap_or_else(|why| panic!("{name}: {why}"));
            assert_eq!(read.kind, answer["type"].as_str().unwrap_or_default(), "{name}");
            assert_eq!(read.text, answer["text"].as_str().unwrap_or_default(), "{name}");
        }
    }

    #[test]
    fn answers_are_read_as_the_plugin_reads_them() {
        let kind = |body: &str| read(body.as_bytes()).map(|answer| answer.kind);
        assert_eq!(kind(r#"{"type":"ok"}"#), Ok("ok".into()));
        assert_eq!(kind("{}"), Ok(String::new()));
        assert_eq!(kind("null"), Ok(String::new()));
        assert_eq!(kind(r#"{"type":"odd"} garbage"#), Ok("odd".into()));
        assert_eq!(kind(""), Err("EOF".into()));
        assert_eq!(kind("<html>"), Err("invalid character '<' looking for beginning of value".into()));
        assert!(kind("[]").unwrap_err().contains("array"));
    }

    #[test]
    fn own_paths_are_forbidden_by_their_text_only() {
        let mut manifest = Manifest::default();
        manifest.on_install = Some(CallDef::at("/install"));
        assert!(forbidden(&manifest, "/install").is_some());
        assert!(forbidden(&manifest, "/webhook").is_some());
        assert!(forbidden(&manifest, "/ping").is_some());
        assert!(forbidden(&manifest, "/%69nstall").is_none());
        assert!(forbidden(&manifest, "/webhook/x").is_none());
        assert!(forbidden(&manifest, "/uninstall").is_none());
    }
}
