use super::*;
use crate::config::error::Origin;

fn read(text: &str) -> Result<RoutesFile, String> {
    RoutesFile::over_base(text, &Origin::File("routes.toml".into())).map_err(|errors| errors.to_string())
}

/// What is wrong with `text`: each key, with what is said of it.
fn wrong(text: &str) -> String {
    read(text).expect_err("a mistake")
}

const BILLING: &str = r#"
[upstreams.billing]
addresses = ["http://billing:8080"]

[routes.billing]
prefix = "/api/billing"
upstream = "billing"
"#;

#[test]
fn the_built_in_routes_have_no_mistakes_and_lead_to_voiceras_roles() {
    let file = RoutesFile::built_in().unwrap();
    assert!(file.routes.values().all(|part| ROLES.contains(&part.upstream.as_str())));
}

#[test]
fn every_commented_example_of_the_built_in_file_is_a_configuration() {
    let examples: String = DEFAULT_ROUTES
        .lines()
        .filter_map(|line| line.strip_prefix("# "))
        .filter(|line| line.starts_with('[') || line.contains(" = "))
        .filter(|line| !line.contains('`'))
        .flat_map(|line| [line, "\n"])
        .collect();
    let file = read(&examples).unwrap();
    assert_eq!(file.upstreams["billing"].addresses.len(), 2);
    assert_eq!(file.routes["billing"].rewrite.as_deref(), Some("/v2"));
    let defaults =
        UpstreamPart { addresses: file.upstreams["billing"].addresses.clone(), ..UpstreamPart::default() };
    let said = UpstreamPart { timeout: None, ..file.upstreams["billing"].clone() };
    assert_eq!(said, defaults, "the comments say the defaults");
}

#[test]
fn a_file_adds_to_the_built_in_routes_and_changes_them_key_by_key() {
    let file =
        read(&format!("{BILLING}\n[routes.voice]\ntimeout = \"5s\"\n[limits.principal]\nrequests = 10"))
            .unwrap();
    assert_eq!(file.routes["billing"].auth, Auth::Required);
    assert_eq!(file.routes["voice"].timeout, Some(Span::from_secs(5)));
    assert_eq!(file.routes["voice"].prefix, "/api/voice");
    assert_eq!(file.limits["principal"].requests, 10);
    assert_eq!(file.limits["principal"].per, Per::Principal);
    let without = read("[routes.voice]\nenabled = false").unwrap();
    assert!(without.in_order().all(|(name, _)| name != "voice"));
}

#[test]
fn the_most_exact_route_comes_first() {
    let file = read(
        r#"
        [routes.all]
        prefix = "/"
        upstream = "voice"
        [routes.one-host]
        prefix = "/api/voice"
        hosts = ["api.example.org"]
        upstream = "voice"
        [routes.many-hosts]
        prefix = "/api/voice"
        hosts = ["*.example.org"]
        upstream = "voice"
        [routes.fewer-hosts]
        prefix = "/api/voice"
        hosts = ["*.eu.example.org"]
        upstream = "voice"
        [routes.reads]
        prefix = "/api/voice"
        methods = ["GET"]
        upstream = "voice"
        "#,
    )
    .unwrap();
    let order: Vec<&str> = file.in_order().map(|(name, _)| name).collect();
    let place = |name: &str| order.iter().position(|found| *found == name).unwrap();
    assert!(place("one-host") < place("fewer-hosts"));
    assert!(place("fewer-hosts") < place("many-hosts"));
    assert!(place("many-hosts") < place("reads"));
    assert!(place("reads") < place("voice"));
    assert_eq!(place("all"), order.len() - 1);
}

#[test]
fn each_mistake_is_named_with_its_key_and_what_to_do() {
    for (text, key, problem) in [
        ("[routes.x]\nprefix = \"/x\"\nupstream = \"voise\"", "routes.x.upstream", "did you mean \"voice\"?"),
        ("[routes.x]\nprefix = \"/x/\"\nupstream = \"voice\"", "routes.x.prefix", "is no prefix of a path"),
        ("[routes.x]\nprefix = \"x\"\nupstream = \"voice\"", "routes.x.prefix", "is no prefix of a path"),
        (
            "[routes.x]\nprefix = \"/a/../b\"\nupstream = \"voice\"",
            "routes.x.prefix",
            "is no prefix of a path",
        ),
        ("[routes.x]\nprefix = \"/api/v1/x\"\nupstream = \"voice\"", "routes.x.prefix", "names the version"),
        (
            "[routes.x]\nprefix = \"/health/x\"\nupstream = \"voice\"",
            "routes.x.prefix",
            "answered by the gateway itself",
        ),
        ("[routes.voice]\nlimits = [\"principle\"]", "routes.voice.limits", "did you mean \"principal\"?"),
        ("[routes.jwks]\nlimits = [\"principal\"]", "routes.jwks.limits", "counts by principal"),
        ("[routes.voice]\nscopes = [\"voice:reed\"]", "routes.voice.scopes", "did you mean \"voice:read\"?"),
        ("[routes.jwks]\nscopes = [\"voice:read\"]", "routes.jwks.scopes", "auth is \"none\""),
        ("[routes.voice]\nmethods = [\"get\"]", "routes.voice.methods", "in capitals"),
        ("[routes.voice]\nhosts = [\"http://x\"]", "routes.voice.hosts", "is no host"),
        (
            "[routes.voice]\nsunset = \"2026-01-01\"\ndeprecated = \"2027-01-01\"",
            "routes.voice.sunset",
            "before deprecated",
        ),
        ("[routes.voice]\ntimeout = \"2h\"", "routes.voice.timeout", "use a value from 10ms to 1h"),
        (
            "[routes.again]\nprefix = \"/api/voice\"\nupstream = \"voice\"",
            "routes.voice",
            "fits the same requests as routes.again",
        ),
        ("[upstreams.x]\n", "upstreams.x.addresses", "are missing"),
        (
            "[upstreams.x]\naddresses = [\"https://x\"]",
            "upstreams.x.addresses",
            "not a plain http:// address",
        ),
        (
            "[upstreams.x]\naddresses = [\"http://u:p@x\"]",
            "upstreams.x.addresses",
            "not a plain http:// address",
        ),
        ("[upstreams.voice]\naddresses = [\"http://x\"]", "upstreams.voice.addresses", "gateway.voice_urls"),
        (
            "[upstreams.voice.breaker]\nshare = -0.1",
            "upstreams.voice.breaker.share",
            "use a share from 0 to 2",
        ),
        ("[upstreams.voice.health]\npath = \"x\"", "upstreams.voice.health.path", "is no path"),
        ("[limits.principal]\nrequests = 0", "limits.principal.requests", "allow one at least"),
        ("[limits.principal]\nper = \"user\"", "limits.principal.per", "is not one of its values"),
        ("[routes.voice]\ntimeuot = \"1s\"", "routes.voice", "timeuot"),
        ("[routes.voice\n", "routes.toml", "expected"),
    ] {
        let wrong = wrong(text);
        assert!(wrong.contains(key) && wrong.contains(problem), "{text}:\n{wrong}");
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let wrong = wrong("[routes.a]\nprefix = \"a\"\nupstream = \"b\"\n[limits.principal]\nrequests = 0");
    assert!(wrong.contains("3 errors"), "{wrong}");
}
