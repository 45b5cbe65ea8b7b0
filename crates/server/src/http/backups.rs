//! `/v1/backups/{name}`: while a backup is under way, no object is deleted. For operators: root only.
//!
//! Not here: making the backup (`trailbook backup`), which reads the data directory itself.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Path, RawQuery, State},
    http::StatusCode,
    response::Response,
};
use serde::Serialize;
use trailbook_access::Caller;
use utoipa::ToSchema;

use super::{
    App,
    answers::Time,
    ask::json,
    manage::operators_only,
    parameters::Parameters,
    problem::{Code, Problem},
    proof::NOTHING,
};

/// How long a backup holds objects without being told again: one that was killed holds them no longer.
const HOLDS_MS: i64 = 3_600_000;
/// Characters of a name.
const NAME_MAX: usize = 64;

/// A backup under way.
#[derive(Serialize, ToSchema)]
pub(crate) struct Backup {
    /// Its name.
    name: String,
    /// Until when no object is deleted, unless it goes on.
    #[schema(value_type = String)]
    held_until: Time,
}

/// Says that a backup begins or goes on: for an hour no object is deleted.
#[utoipa::path(put, path = "/v1/backups/{backup}", tag = "Administration",
    params(("backup" = String, Path, description = "A name of your choice: 1 to 64 letters, digits and hyphens")),
    responses((status = 200, description = "The backup may go on", body = Backup)))]
pub(crate) async fn hold_objects(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    operators_only(&app, &caller)?;
    Parameters::read(query.as_deref(), &NOTHING)?;
    let name = valid(name)?;
    let until = app.ledger.pin(&name, HOLDS_MS).await?;
    Ok(json(&Backup {
        name,
        held_until: Time(trailbook_event::Timestamp::from_millis(until)),
    }))
}

/// Says that a backup has ended. That there is none is no error.
#[utoipa::path(delete, path = "/v1/backups/{backup}", tag = "Administration",
    params(("backup" = String, Path, description = "Its name")),
    responses((status = 204, description = "It has ended")))]
pub(crate) async fn end_backup(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Problem> {
    operators_only(&app, &caller)?;
    Parameters::read(query.as_deref(), &NOTHING)?;
    app.ledger.unpin(&valid(name)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn valid(name: String) -> Result<String, Problem> {
    let is_valid =
        (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if is_valid {
        Ok(name)
    } else {
        Err(Problem::new(
            Code::InvalidParameter,
            "The name of a backup has 1 to 64 letters, digits and hyphens.",
        ))
    }
}
