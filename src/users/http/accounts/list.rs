//! `GET /api/users`: the accounts that one looks after.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::kit::auth::Principal;
use crate::kit::error::{ApiError, Problem};
use crate::kit::http::extract::Query;
use crate::kit::http::page::{From, PageQuery};
use crate::users::account::{Account, Status};
use crate::users::local::LocalUsers;
use crate::users::store::{AccountQuery, AccountSort, Within};

/// Characters that are searched for at most.
const LONGEST_SEARCH: usize = 200;

/// The endpoint.
pub fn routes() -> OpenApiRouter<LocalUsers> {
    OpenApiRouter::new().routes(routes!(list))
}

#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum Sort {
    #[default]
    Newest,
    Oldest,
    Name,
    LastActive,
}

/// Which accounts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only accounts whose name or address contains this.
    #[param(max_length = 200, example = "ada")]
    search: Option<String>,
    /// Only accounts with this role.
    #[param(example = "student")]
    role: Option<String>,
    /// Only accounts that stand so.
    #[param(inline)]
    status: Option<Status>,
    /// Only accounts of this institution.
    institution: Option<String>,
    /// `newest`, `oldest`, `name` or `lastActive`; a cursor goes with `newest` alone.
    #[serde(default)]
    #[param(inline, required = false)]
    sort: Sort,
}

/// A page of accounts.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AccountList {
    users: Vec<Account>,
    /// Where the next page begins; absent on the last one, and where the order has no cursors.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// List accounts
///
/// Those within reach of the caller's role: all, or those of the institution.
#[utoipa::path(
    get, path = "/api/users", tag = "users", operation_id = "listUsers",
    params(ListQuery, PageQuery),
    responses(
        (status = 200, description = "A page", body = AccountList),
        (status = "4XX", description = "No page", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["users:read"]), ("bearer" = ["users:read"])),
)]
async fn list(
    State(users): State<LocalUsers>,
    who: Principal,
    Query(query): Query<ListQuery>,
    Query(page): Query<PageQuery>,
) -> Result<axum::Json<AccountList>, ApiError> {
    let page = page.page()?;
    let sort = match query.sort {
        Sort::Newest => AccountSort::Newest,
        Sort::Oldest => AccountSort::Oldest,
        Sort::Name => AccountSort::Name,
        Sort::LastActive => AccountSort::LastActive,
    };
    if matches!(page.from, From::After(_)) && sort != AccountSort::Newest {
        return Err(ApiError::invalid("cursor", "goes with `sort=newest` alone: use `offset`"));
    }
    let search = query.search.filter(|search| !search.is_empty());
    if search.as_ref().is_some_and(|search| search.chars().count() > LONGEST_SEARCH) {
        return Err(ApiError::invalid("search", format!("must have at most {LONGEST_SEARCH} characters")));
    }
    let query = AccountQuery {
        within: Within::reach_of(&who),
        search,
        role: query.role,
        status: query.status,
        institution: query.institution,
        sort,
        page,
    };
    let found = users.directory.list(&who, query).await?;
    let next_cursor = found.next.map(|cursor| cursor.to_string());
    Ok(axum::Json(AccountList { users: found.accounts, next_cursor }))
}
