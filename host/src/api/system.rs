//! Signs of life and figures, for operators.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use sea_orm::ConnectionTrait;

use super::{
    operation::Operation,
    problem::Problem,
    problem_types as types,
    routes::{Api, Public},
};
use crate::{app::App, telemetry};

async fn live(_: Public) -> Response {
    text("alive\n")
}

async fn ready(_: Public, State(app): State<App>) -> Result<Response, Problem> {
    if app.stopping.is_cancelled() {
        return Err(Problem::new(types::UNAVAILABLE).detail("the host is shutting down"));
    }
    app.database.read().execute_unprepared("SELECT 1").await.map_err(super::callers::unavailable)?;
    Ok(text("ready\n"))
}

async fn metrics(_: Public, State(app): State<App>) -> Result<Response, Problem> {
    for (outcome, total) in app.tallies.read(&app).await.map_err(super::callers::unavailable)? {
        metrics::gauge!("chatport_copy_revisions", "outcome" => outcome).set(total as f64);
    }
    let text = telemetry::render_metrics(telemetry::metrics().map_err(Problem::internal)?);
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}

fn text(body: &'static str) -> Response {
    (StatusCode::OK, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response()
}

pub(super) fn routes(api: Api<App>) -> Api<App> {
    api.route(
        Operation::get("/livez", "isAlive", "Whether the process answers").tag("Operation").medium(
            200,
            "text/plain",
            "It does.",
        ),
        live,
    )
    .route(
        Operation::get("/readyz", "isReady", "Whether requests can be served")
            .tag("Operation")
            .medium(200, "text/plain", "They can.")
            .problems(&[types::UNAVAILABLE]),
        ready,
    )
    .route(
        Operation::get("/metrics", "readMetrics", "Figures for Prometheus")
            .tag("Operation")
            .medium(200, "text/plain; version=0.0.4", "The figures.")
            .problems(&[types::UNAVAILABLE]),
        metrics,
    )
}
