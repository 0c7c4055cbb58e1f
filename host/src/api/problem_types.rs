//! Every kind of problem that the API answers with. The list is closed: the description of
//! the API, its pages and the handlers all take from here. A slug is part of the API and
//! never changes; to add a kind, add a row.

use super::problem::ProblemType;

macro_rules! problem_types {
    ($($(#[$doc:meta])* $name:ident = $status:literal $slug:literal $title:literal $cure:literal;)*) => {
        $(
            $(#[$doc])*
            pub const $name: ProblemType =
                ProblemType { slug: $slug, status: $status, title: $title, cure: $cure };
        )*
        /// All kinds.
        pub const ALL: &[ProblemType] = &[$($name),*];
    };
}

problem_types! {
    // The request itself.

    /// The body isn't JSON.
    MALFORMED_JSON = 400 "malformed-json" "The body isn't acceptable JSON"
        "Send one JSON document in UTF-8 in which no key stands twice, no text has U+0000 and nothing nests deeper than 32 levels.";
    /// The query string doesn't fit.
    INVALID_QUERY = 400 "invalid-query" "A query parameter isn't acceptable"
        "Correct the parameter that `detail` names; the API's description lists the parameters of each operation.";
    /// A part of the path doesn't fit.
    INVALID_PATH = 400 "invalid-path" "A part of the path isn't acceptable"
        "Correct the part that `detail` names.";
    /// The cursor isn't one of ours.
    INVALID_CURSOR = 400 "invalid-cursor" "The cursor isn't one that this listing gave out"
        "Pass the `next` of the page before unchanged, or leave the cursor out to begin again.";
    /// The body fits no schema.
    INVALID_BODY = 422 "invalid-body" "The body isn't what the operation takes"
        "Correct the value at `pointer`; the API's description has the schema.";
    /// The body is too long.
    BODY_TOO_LARGE = 413 "body-too-large" "The body is too long"
        "Send less, or in several requests.";
    /// The body came too slowly.
    BODY_TOO_SLOW = 408 "body-too-slow" "The body took too long to arrive"
        "Send the whole body within 10 seconds.";
    /// The body could not be read.
    BODY_UNREADABLE = 400 "body-unreadable" "The body could not be read"
        "Send as many bytes as `Content-Length` says, or correct chunks.";
    /// The body isn't JSON by its content type.
    UNSUPPORTED_MEDIA_TYPE = 415 "unsupported-media-type" "The body's content type isn't accepted"
        "Send JSON with `Content-Type: application/json`.";
    /// The body is compressed.
    UNSUPPORTED_ENCODING = 415 "unsupported-encoding" "Compressed bodies aren't accepted"
        "Send the body without `Content-Encoding`.";
    /// No such path.
    ROUTE_NOT_FOUND = 404 "route-not-found" "There is nothing at this path"
        "Compare the path with the API's description at /docs.";
    /// No such method here.
    METHOD_NOT_ALLOWED = 405 "method-not-allowed" "This path doesn't take this method"
        "Use one of the methods in the `Allow` header.";

    // Who asks.

    /// No key, or one that isn't valid.
    UNAUTHORIZED = 401 "unauthorized" "A valid API key is needed"
        "Send `Authorization: Bearer` with an API key that is neither expired nor revoked.";
    /// The key may not do this.
    FORBIDDEN = 403 "forbidden" "The API key may not do this"
        "Use a key with the scope that the operation names.";
    /// Too many requests.
    TOO_MANY_REQUESTS = 429 "too-many-requests" "Too many requests"
        "Wait as long as `Retry-After` says.";

    // What it is about. A thing of another organization looks like one that doesn't exist.

    /// No such backend in this program.
    BACKEND_NOT_FOUND = 404 "backend-not-found" "There is no such backend"
        "Take an id from GET /v1/backends.";
    /// No such organization.
    ORGANIZATION_NOT_FOUND = 404 "organization-not-found" "There is no such organization"
        "Create it by PUT /v1/organizations/{org}.";
    /// No such installation.
    INSTALLATION_NOT_FOUND = 404 "installation-not-found" "There is no such installation"
        "Take an id from the organization's installations.";
    /// No such linked account.
    ACCOUNT_NOT_FOUND = 404 "account-not-found" "There is no such linked account"
        "Take an id from the organization's accounts.";
    /// No such channel.
    CHANNEL_NOT_FOUND = 404 "channel-not-found" "There is no such channel"
        "Take an id from the organization's channels.";
    /// No such message.
    MESSAGE_NOT_FOUND = 404 "message-not-found" "There is no such message"
        "Use the key under which the message was put.";
    /// No such subscription.
    SUBSCRIPTION_NOT_FOUND = 404 "subscription-not-found" "There is no such subscription"
        "Create it by PUT /v1/subscriptions/{name}.";
    /// No such API key.
    API_KEY_NOT_FOUND = 404 "api-key-not-found" "There is no such API key"
        "Take an id from the list of API keys.";

    // Why it can't be done now.

    /// The backend lacks an optional part.
    BACKEND_LACKS_PART = 409 "backend-lacks-part" "This backend can't do that"
        "GET /v1/backends lists what each backend can do.";
    /// Several installations fit.
    INSTALLATION_AMBIGUOUS = 409 "installation-ambiguous" "Several installations fit"
        "Name one of those in `installations`.";
    /// The installation isn't set up or is suspended.
    INSTALLATION_NOT_ACTIVE = 409 "installation-not-active" "The installation isn't active"
        "Finish its setup, or see to its `problem`.";
    /// Nothing in the installation's setup waits for this.
    SETUP_NOT_EXPECTED = 409 "setup-not-expected" "The setup doesn't wait for this now"
        "Read the installation and submit what its current steps ask for.";
    /// What was submitted isn't acceptable to the platform.
    SETUP_REFUSED = 422 "setup-refused" "What was submitted can't be used"
        "Correct what `detail` says and submit again.";
    /// The platform can't be reached for the setup.
    PLATFORM_UNREACHABLE = 502 "platform-unreachable" "The chat platform didn't answer as expected"
        "Check the address in the settings and try again; the operator finds the reason in the log by the request's id.";
    /// The host has no public address.
    PUBLIC_URL_MISSING = 409 "public-url-missing" "The platform must reach this host, whose public address isn't configured"
        "The operator must set PUBLIC_URL.";
    /// The same revision with other content.
    REVISION_CONFLICT = 409 "revision-conflict" "This revision was put before with other content"
        "Put changed content under a higher revision.";
    /// The thing is in use or exists.
    CONFLICT = 409 "conflict" "That contradicts what is there"
        "Read the current state and decide again.";
    /// The organization has too much in flight.
    BACKLOG_FULL = 429 "backlog-full" "Too much of this organization's isn't delivered yet"
        "Wait as long as `Retry-After` says, and look for suspended installations.";
    /// The disk is nearly full.
    STORAGE_LOW = 503 "storage-low" "The host is short of disk"
        "The operator must make room; repeat the same request later.";
    /// A commit whose outcome isn't known.
    COMMIT_UNKNOWN = 503 "commit-unknown" "It isn't known whether the request took effect"
        "Repeat the same request: it takes effect once.";
    /// More comes than can be served.
    OVERLOADED = 503 "overloaded" "More comes than the host can serve"
        "Nothing has changed; repeat the same request as `Retry-After` says.";
    /// The database or another part isn't there.
    UNAVAILABLE = 503 "unavailable" "The host can't do that at the moment"
        "Repeat the same request later.";
    /// A handler took too long.
    TOO_LONG = 503 "too-long" "The host took too long"
        "Repeat the same request later.";
    /// A defect of the host.
    INTERNAL = 500 "internal" "The host made a mistake"
        "Repeat the request; if that doesn't help, give the operator the `request_id`.";
}
