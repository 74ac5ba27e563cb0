use axum::Router;

use super::*;
use http::Request;

fn route(name: &str, fits: Fits) -> Route {
    Route {
        name: name.into(),
        fits,
        upstream: Upstream::local("test", Router::new()),
        rewrite: None,
        access: Access::Open,
        limits_of_all: Vec::new(),
        limits_of_known: Vec::new(),
        call: CallOptions::default(),
        sticky: None,
        max_body_bytes: 0,
        notice: Notice::default(),
    }
}

fn prefix(prefix: &str) -> Fits {
    Fits { prefix: prefix.to_owned(), ..Fits::default() }
}

fn find(table: &Table, request: http::request::Builder) -> String {
    match table.find(&request.body(()).unwrap().into_parts().0) {
        Found::Route(route) => route.name.to_string(),
        Found::Methods(methods) => format!("{methods:?}"),
        Found::Nothing => "nothing".to_owned(),
    }
}

#[test]
fn the_first_prefix_of_whole_segments_counts() {
    let prefixes = ["/api/users/audit", "/api/voice", "/api/users"];
    let table = Table::from_iter(prefixes.map(|path| route(path, prefix(path))));
    for (path, found) in [
        ("/api/voice", "/api/voice"),
        ("/api/voice/process?x=/api/users", "/api/voice"),
        ("/api/users/audit/1", "/api/users/audit"),
        ("/api/users/audits", "/api/users"),
        ("/api/voices", "nothing"),
        ("/api/voice%2Fprocess", "nothing"),
        ("/", "nothing"),
    ] {
        assert_eq!(find(&table, Request::get(path)), found, "{path}");
    }
}

#[test]
fn an_empty_prefix_is_for_everything_that_no_other_route_is_for() {
    let table = Table::from_iter([route("api", prefix("/api")), route("all", prefix(""))]);
    assert_eq!(find(&table, Request::get("/api/x")), "api");
    assert_eq!(find(&table, Request::get("/")), "all");
    assert_eq!(find(&table, Request::get("/apis")), "all");
}

#[test]
fn hosts_headers_and_methods_decide_between_routes_of_one_prefix() {
    let below = Host::Below(".example.org".to_owned());
    let table = Table::from_iter([
        route("exact", Fits { hosts: vec![Host::Exactly("api.example.org".to_owned())], ..prefix("/a") }),
        route("below", Fits { hosts: vec![below], ..prefix("/a") }),
        route(
            "acme",
            Fits {
                headers: vec![(HeaderName::from_static("x-tenant"), Some("acme".parse().unwrap()))],
                ..prefix("/a")
            },
        ),
        route("writes", Fits { methods: vec![Method::POST], ..prefix("/a") }),
        route("any", prefix("/a")),
    ]);
    assert_eq!(find(&table, Request::get("/a")), "any");
    assert_eq!(find(&table, Request::post("/a")), "writes");
    assert_eq!(find(&table, Request::get("/a").header("x-tenant", "acme")), "acme");
    assert_eq!(find(&table, Request::get("/a").header("x-tenant", "other")), "any");
    for (host, found) in [
        ("api.example.org:8080", "exact"),
        ("API.Example.ORG", "exact"),
        ("www.example.org", "below"),
        ("example.org", "any"),
        (".example.org", "any"),
        ("notexample.org", "any"),
        ("", "any"),
    ] {
        assert_eq!(find(&table, Request::get("/a").header("host", host)), found, "{host}");
    }
    assert_eq!(find(&table, Request::get("https://api.example.org/a")), "exact");
}

#[test]
fn a_path_with_other_methods_says_which() {
    let table = Table::from_iter([route(
        "writes",
        Fits { methods: vec![Method::PUT, Method::POST], ..prefix("/a") },
    )]);
    assert_eq!(find(&table, Request::get("/a")), "[PUT, POST]");
    assert_eq!(find(&table, Request::put("/a")), "writes");
}

#[test]
fn a_rewrite_stands_for_the_prefix_and_keeps_the_query() {
    let became = |from: &str, prefix: &str, to: &str| {
        rewritten(&from.parse().unwrap(), prefix, to).unwrap().to_string()
    };
    assert_eq!(became("/api/billing/x?y=%2F", "/api/billing", "/v2"), "/v2/x?y=%2F");
    assert_eq!(became("/api/billing", "/api/billing", "/v2"), "/v2");
    assert_eq!(became("/api/billing", "/api/billing", "/"), "/");
    assert_eq!(became("/api/billing/x", "/api/billing", "/"), "/x");
    assert_eq!(became("/x", "", "/all"), "/all/x");
}

#[test]
fn a_route_that_ends_says_so() {
    let date = |text: &str| text.parse().ok();
    let mut headers = HeaderMap::new();
    Notice::new(date("2026-12-01"), date("2027-06-01")).say(&mut headers);
    assert_eq!(headers["deprecation"], "@1796083200");
    assert_eq!(headers["sunset"], "Tue, 01 Jun 2027 00:00:00 GMT");
}
