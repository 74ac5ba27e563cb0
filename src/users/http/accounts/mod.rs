//! `/api/users`: accounts, one endpoint a file.

mod add;
mod describe;
mod list;
mod read;
mod role;
mod second_factor;
mod stats;
mod status;

use axum::response::{IntoResponse, Response};
use http::header;
use utoipa_axum::router::OpenApiRouter;

use crate::kit::http::precondition::etag;
use crate::users::account::Account;
use crate::users::local::LocalUsers;

/// The endpoints.
pub fn routes() -> OpenApiRouter<LocalUsers> {
    OpenApiRouter::new()
        .merge(list::routes())
        .merge(add::routes())
        .merge(stats::routes())
        .merge(read::routes())
        .merge(describe::routes())
        .merge(role::routes())
        .merge(status::routes())
        .merge(second_factor::routes())
}

/// An account with its `etag`. The time of the last use is no change: it does not count.
fn reply(account: Account) -> Response {
    ([(header::ETAG, etag(account.version))], axum::Json(account)).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use http::{Request, StatusCode};
    use serde_json::{Value, json};
    use tower::ServiceExt as _;

    use crate::kit::auth::Principal;
    use crate::users::local::tests::people::People;

    struct Reply {
        status: StatusCode,
        etag: Option<String>,
        location: Option<String>,
        body: Value,
    }

    async fn send(people: &People, who: &Principal, request: http::request::Builder, body: &Value) -> Reply {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let request = request.header("content-type", "application/json").body(Body::from(text));
        let mut request = request.unwrap();
        request.extensions_mut().insert(who.clone());
        let response = people.users.router().oneshot(request).await.unwrap();
        let header = |name| {
            response.headers().get(name).map(|value: &http::HeaderValue| value.to_str().unwrap().to_owned())
        };
        let (status, etag, location) = (response.status(), header("etag"), header("location"));
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        Reply { status, etag, location, body: serde_json::from_slice(&body).unwrap_or(Value::Null) }
    }

    #[tokio::test]
    async fn an_account_is_made_read_and_changed_with_the_tag_that_it_was_read_with() {
        let people = People::gather().await;
        let root = people.root.clone();
        let new = json!({ "name": "Ada", "email": "Ada@example.org", "institution": "school" });
        let made = send(&people, &root, Request::post("/api/users"), &new).await;
        assert_eq!(
            (made.status, &made.body["role"], &made.body["kind"]),
            (StatusCode::CREATED, &json!("student"), &json!("person"))
        );
        let path = made.location.unwrap();
        let read = send(&people, &root, Request::get(&path), &Value::Null).await;
        assert_eq!((read.status, &read.body, &read.etag), (StatusCode::OK, &made.body, &made.etag));

        let tag = read.etag.unwrap();
        let with_tag = || Request::put(&path).header("if-match", &tag);
        let changed = send(&people, &root, with_tag(), &json!({ "metadata": { "class": "7b" } })).await;
        assert_eq!((changed.status, &changed.body["metadata"]["class"]), (StatusCode::OK, &json!("7b")));
        assert_ne!(changed.etag.as_deref(), Some(tag.as_str()));
        let late = send(&people, &root, with_tag(), &json!({ "name": "Ada L." })).await;
        assert_eq!(
            (late.status, &late.body["code"]),
            (StatusCode::PRECONDITION_FAILED, &json!("precondition_failed"))
        );

        let role =
            send(&people, &root, Request::put(format!("{path}/role")), &json!({ "role": "teacher" })).await;
        assert_eq!((role.status, &role.body["role"]), (StatusCode::OK, &json!("teacher")));
        let status =
            send(&people, &root, Request::put(format!("{path}/status")), &json!({ "status": "suspended" }))
                .await;
        assert_eq!((status.status, &status.body["status"]), (StatusCode::OK, &json!("suspended")));
    }

    #[tokio::test]
    async fn accounts_are_found_sorted_and_paged() {
        let people = People::gather().await;
        let root = people.root.clone();
        for name in ["carol", "ada", "bob"] {
            people.account(name, "teacher", Some("school")).await;
        }
        let names = async |query: &str| {
            let reply = send(&people, &root, Request::get(format!("/api/users?{query}")), &Value::Null).await;
            assert_eq!(reply.status, StatusCode::OK, "{query}: {}", reply.body);
            let users = reply.body["users"].as_array().unwrap().clone();
            let names: Vec<_> = users.iter().map(|user| user["name"].as_str().unwrap().to_owned()).collect();
            (names, reply.body["nextCursor"].as_str().map(str::to_owned))
        };
        assert_eq!(names("role=teacher&sort=name").await.0, ["ada", "bob", "carol"]);
        assert_eq!(names("search=CAR").await.0, ["carol"]);
        assert_eq!(names("institution=school&limit=1&sort=name&offset=1").await.0, ["bob"]);
        assert_eq!(names("status=suspended").await.0, Vec::<String>::new());
        let (mut all, mut next) = names("limit=1").await;
        while let Some(cursor) = next {
            let (more, after) = names(&format!("limit=1&cursor={cursor}")).await;
            all.extend(more);
            next = after;
        }
        all.sort();
        assert_eq!(all, ["ada", "bob", "carol", "owner"]);
        let (_, cursor) = names("limit=1").await;
        let path = format!("/api/users?sort=name&cursor={}", cursor.unwrap());
        let refused = send(&people, &root, Request::get(path), &Value::Null).await;
        assert_eq!(
            (refused.status, &refused.body["errors"][0]["field"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("cursor"))
        );
    }

    #[tokio::test]
    async fn accounts_are_found_in_every_script_whatever_its_case() {
        let people = People::gather().await;
        let root = people.root.clone();
        let named = [("a", "\u{c9}mile"), ("b", "\u{416}\u{435}\u{43d}\u{44f}"), ("c", "emil")];
        for (address, name) in named {
            let id = people.account(address, "teacher", None).await.id;
            let body = json!({ "name": name });
            let reply = send(&people, &root, Request::put(format!("/api/users/{id}")), &body).await;
            assert_eq!(reply.status, StatusCode::OK);
        }
        let names = async |query: &str| {
            let path = format!("/api/users?role=teacher&sort=name&{query}");
            let reply = send(&people, &root, Request::get(path), &Value::Null).await;
            let users = reply.body["users"].as_array().unwrap().clone();
            users.iter().map(|user| user["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names("search=%C3%A9MILE").await, ["\u{c9}mile"]);
        assert_eq!(names("search=%D0%B6%D0%95%D0%9D").await, ["\u{416}\u{435}\u{43d}\u{44f}"]);
        assert_eq!(names("search=C@example").await, ["emil"]);
        assert_eq!(names("search=%25").await, Vec::<String>::new());
        assert_eq!(names("").await, ["emil", "\u{c9}mile", "\u{416}\u{435}\u{43d}\u{44f}"]);
    }

    #[tokio::test]
    async fn the_trail_is_read_within_reach() {
        let people = People::gather().await;
        let head = people.somebody("head", "institution_admin", Some("school")).await;
        people.account("far", "student", Some("other")).await;
        let read = async |who: &Principal, query: &str| {
            send(&people, who, Request::get(format!("/api/users/audit?{query}")), &Value::Null).await
        };
        let entries = |reply: Reply| reply.body["entries"].as_array().map(Vec::len);
        assert_eq!(entries(read(&head, "action=account.create").await), Some(1));
        assert_eq!(entries(read(&people.root, "action=account.create&outcome=done").await), Some(3));
        assert_eq!(entries(read(&people.root, "outcome=refused").await), Some(0));
        assert_eq!(entries(read(&people.root, &format!("target={}", head.user_id)).await), Some(1));
        assert_eq!(read(&head, "action=account.rename").await.status, StatusCode::UNPROCESSABLE_ENTITY);
        let teacher = people.somebody("bob", "teacher", Some("school")).await;
        assert_eq!(read(&teacher, "").await.status, StatusCode::FORBIDDEN);
    }
}
