//! Where Redis is, as one URL, whatever its topology.
//!
//! | Redis | URL |
//! |---|---|
//! | one server | `redis://[USER:PASSWORD@]HOST[:6379][/DB]` |
//! | a primary that Sentinels know | `redis-sentinel://[USER:PASSWORD@]HOST[:26379],HOST…/SERVICE[/DB]` |
//! | Cluster | `redis-cluster://[USER:PASSWORD@]HOST[:6379],HOST…` |
//!
//! With `rediss` for `redis` at the front every connection is by TLS, and certificates are checked
//! against the well-known authorities', or for one server against those of
//! [`authority`](super::RedisOptions::authority). Sentinels that want credentials of their own get them as
//! `?sentinel_username=…&sentinel_password=…`. `:PASSWORD@` alone is the password of the default user.

use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// Where a Redis listens unless told otherwise.
const PORT: u16 = 6379;
/// Where a Sentinel does.
const SENTINEL_PORT: u16 = 26379;
/// Servers that one URL may name.
const MOST_HOSTS: usize = 64;

/// A URL that names no Redis. Says nothing of the URL that could be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}; {}", .0, Self::FIX)]
pub struct BadUrl(String);

impl BadUrl {
    /// How to write it.
    pub const FIX: &str = "write it as redis://USER:PASSWORD@HOST:6379/DB, \
                           redis-sentinel://HOST:26379,HOST:26379/SERVICE/DB or \
                           redis-cluster://HOST:6379,HOST:6379, with rediss in place of redis for TLS; in user and \
                           password, percent-encode what has a meaning in a URL";

    /// What is wrong with it.
    pub fn problem(&self) -> &str {
        &self.0
    }
}

/// Where Redis is, and who comes.
#[derive(Debug, Clone)]
pub struct Address {
    pub(in crate::kit) topology: Topology,
    /// Whether every connection is by TLS.
    pub(in crate::kit) tls: bool,
    /// Who comes to the servers that keep the keys.
    pub(in crate::kit) login: Login,
    /// The numbered database; 0 in a Cluster.
    pub(in crate::kit) db: u8,
}

/// Which servers there are.
#[derive(Debug, Clone)]
pub(in crate::kit) enum Topology {
    /// One.
    Standalone(Host),
    /// A primary that changes, and those that know which it is.
    Sentinel {
        sentinels: Vec<Host>,
        /// What they call the primary.
        service: String,
        /// Who comes to them.
        login: Login,
    },
    /// Several, each with some of the keys. These know of the others.
    Cluster(Vec<Host>),
}

/// A server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::kit) struct Host {
    /// A name or an address; one of version 6 without its brackets.
    pub(in crate::kit) name: String,
    pub(in crate::kit) port: u16,
}

/// A user of the access control lists; the default one unless named.
#[derive(Debug, Clone, Default)]
pub(in crate::kit) struct Login {
    pub(in crate::kit) username: Option<String>,
    pub(in crate::kit) password: Option<SecretString>,
}

impl Login {
    pub(in crate::kit) fn password(&self) -> Option<&str> {
        self.password.as_ref().map(ExposeSecret::expose_secret)
    }
}

impl Address {
    /// Reads a URL of one of the forms above.
    ///
    /// # Errors
    /// [`BadUrl`] says what is wrong with it and how to write it.
    pub fn parse(url: &SecretString) -> Result<Self, BadUrl> {
        let url = url.expose_secret();
        let (scheme, rest) = url.split_once("://").ok_or_else(|| bad("it does not begin with redis://"))?;
        let user_ends = rest.rfind('@').unwrap_or(0);
        if rest[..user_ends].contains(['/', '?']) {
            return Err(bad("there is a `/` or `?` in its user or password: write them as %2F and %3F"));
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        // The last one: a password that should have encoded its own is read all the same.
        let (user, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let path: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
        let sentinel = sentinel_login(query)?;
        let (plain, tls) = match scheme.strip_prefix("rediss") {
            Some(form) => (form, true),
            None => (scheme.strip_prefix("redis").ok_or_else(|| unknown(scheme))?, false),
        };
        let (topology, db) = match (plain, path.as_slice()) {
            ("", db) => (Topology::Standalone(one(hosts)?), database(db)?),
            ("-sentinel", [service, db @ ..]) => {
                let (service, login) = (decode(service)?, sentinel.clone().unwrap_or_default());
                let sentinels = read_hosts(hosts, SENTINEL_PORT)?;
                (Topology::Sentinel { sentinels, service, login }, database(db)?)
            }
            ("-sentinel", []) => {
                return Err(bad("it does not name the service that the Sentinels watch"));
            }
            ("-cluster", [] | ["0"]) => (Topology::Cluster(read_hosts(hosts, PORT)?), 0),
            ("-cluster", _) => return Err(bad("a Cluster has no numbered databases")),
            _ => return Err(unknown(scheme)),
        };
        if sentinel.is_some() && !matches!(topology, Topology::Sentinel { .. }) {
            return Err(bad("sentinel_username and sentinel_password belong to redis-sentinel://"));
        }
        Ok(Self { topology, tls, login: login(user)?, db })
    }

    /// Whether Sentinels are asked which server is the primary.
    pub fn asks_sentinels(&self) -> bool {
        matches!(self.topology, Topology::Sentinel { .. })
    }

    /// Whether it can be told whose certificates to believe: one server by TLS. The drivers have no way for
    /// the others.
    pub fn takes_an_authority(&self) -> bool {
        self.tls && matches!(self.topology, Topology::Standalone(_))
    }

    /// Whether the keys are spread over servers, so that one command takes only keys of one slot.
    pub fn is_cluster(&self) -> bool {
        matches!(self.topology, Topology::Cluster(_))
    }
}

fn bad(what: impl Into<String>) -> BadUrl {
    BadUrl(what.into())
}

fn unknown(scheme: &str) -> BadUrl {
    // What stands before "://" is a secret where somebody forgot the scheme of a URL inside a URL.
    let plain = scheme.len() <= 20 && scheme.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-');
    bad(if plain {
        format!("`{scheme}://` is not for Redis")
    } else {
        "it does not begin with redis://".to_owned()
    })
}

fn one(hosts: &str) -> Result<Host, BadUrl> {
    match read_hosts(hosts, PORT)?.as_slice() {
        [host] => Ok(host.clone()),
        _ => Err(bad(
            "redis:// names one server; several are a redis-cluster:// or known to a redis-sentinel://",
        )),
    }
}

fn read_hosts(hosts: &str, port: u16) -> Result<Vec<Host>, BadUrl> {
    if hosts.split(',').count() > MOST_HOSTS {
        return Err(bad(format!("it names more than {MOST_HOSTS} servers")));
    }
    let read = |(at, host)| {
        // Not quoted: it is a password where somebody forgot the host after it.
        read_host(host, port)
            .map_err(|why| bad(format!("its host {} is no HOST or HOST:PORT ({why})", at + 1)))
    };
    hosts.split(',').enumerate().map(read).collect()
}

fn read_host(text: &str, port: u16) -> Result<Host, String> {
    // As if of the web, whose URLs have the strictest hosts.
    let url = Url::parse(&format!("http://{text}")).map_err(|error| error.to_string())?;
    let name = url.host_str().filter(|_| url.path() == "/" && url.fragment().is_none());
    let name = name.ok_or("there is more in it")?.trim_matches(['[', ']']).to_owned();
    // Such a URL leaves out the port that the web has anyway.
    let port = if text.ends_with(":80") { 80 } else { url.port().unwrap_or(port) };
    Ok(Host { name, port })
}

fn login(user: &str) -> Result<Login, BadUrl> {
    let (name, password) = match user.split_once(':') {
        Some((name, password)) => (name, Some(password)),
        None => (user, None),
    };
    let username = Some(decode(name)?).filter(|name| !name.is_empty());
    let password = password.map(decode).transpose()?.filter(|password| !password.is_empty());
    if username.is_some() && password.is_none() {
        return Err(bad(
            "there is a user without a password: write USER:PASSWORD@, or :PASSWORD@ for the default user",
        ));
    }
    Ok(Login { username, password: password.map(SecretString::from) })
}

fn sentinel_login(query: &str) -> Result<Option<Login>, BadUrl> {
    let mut login = None::<Login>;
    for (name, value) in form_urlencoded::parse(query.replace('+', "%2B").as_bytes()) {
        let login = login.get_or_insert_default();
        match name.as_ref() {
            "sentinel_username" => login.username = Some(value.into_owned()),
            "sentinel_password" => login.password = Some(value.into_owned().into()),
            _ => {
                return Err(bad(
                    "after `?` it may say sentinel_username and sentinel_password, and nothing else",
                ));
            }
        }
    }
    match login {
        Some(Login { username: Some(_), password: None }) => {
            Err(bad("there is a sentinel_username without a sentinel_password"))
        }
        login => Ok(login),
    }
}

fn database(path: &[&str]) -> Result<u8, BadUrl> {
    match path {
        [] => Ok(0),
        [db] => db.parse().map_err(|_| bad("the database at its end is no number from 0 to 255")),
        _ => Err(bad("there is too much after the host")),
    }
}

/// Percent-decoding as of a URL, in which `+` means itself.
fn decode(text: &str) -> Result<String, BadUrl> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        bytes.push(match (first, tail) {
            (b'%', [high, low, after @ ..]) => {
                rest = after;
                let digit =
                    |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                let byte = digit(high).zip(digit(low)).map(|(high, low)| high << 4 | low);
                byte.ok_or_else(|| {
                    bad("a `%` in it is not followed by two hexadecimal digits: write it as %25")
                })?
            }
            (b'%', _) => {
                return Err(bad("a `%` in it is not followed by two hexadecimal digits: write it as %25"));
            }
            _ => *first,
        });
    }
    String::from_utf8(bytes).map_err(|_| bad("what it percent-encodes is no UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Address, BadUrl> {
        Address::parse(&url.into())
    }

    fn host(name: &str, port: u16) -> Host {
        Host { name: name.to_owned(), port }
    }

    #[test]
    fn one_server_may_be_as_short_as_its_name() {
        let address = parse("redis://localhost").unwrap();
        assert!(matches!(&address.topology, Topology::Standalone(it) if *it == host("localhost", 6379)));
        assert!(!address.tls && address.db == 0 && address.login.password().is_none());
    }

    #[test]
    fn everything_can_be_said() {
        let address = parse("rediss://ada:p%40ss%3A+%2F@[::1]:7000/3").unwrap();
        assert!(matches!(&address.topology, Topology::Standalone(it) if *it == host("::1", 7000)));
        assert!(address.tls && address.db == 3);
        assert_eq!(
            (address.login.username.as_deref(), address.login.password()),
            (Some("ada"), Some("p@ss:+/"))
        );
    }

    #[test]
    fn sentinels_are_named_with_the_service_they_watch() {
        let url = "redis-sentinel://:secret@a,b:99/primary/2?sentinel_password=watch+er";
        let address = parse(url).unwrap();
        let Topology::Sentinel { sentinels, service, login } = &address.topology else {
            panic!("{address:?}")
        };
        assert_eq!(sentinels, &[host("a", 26379), host("b", 99)]);
        assert_eq!((service.as_str(), address.db), ("primary", 2));
        assert_eq!((login.password(), address.login.password()), (Some("watch+er"), Some("secret")));
    }

    #[test]
    fn a_cluster_is_some_of_its_nodes() {
        let address = parse("rediss-cluster://a:80,b:7001").unwrap();
        assert!(
            matches!(&address.topology, Topology::Cluster(nodes) if *nodes == [host("a", 80), host("b", 7001)])
        );
        assert!(address.tls);
    }

    #[test]
    fn a_url_that_is_wrong_is_told_what_is_wrong_with_it() {
        let cases = [
            ("localhost:6379", "it does not begin with redis://"),
            ("http://localhost", "`http://` is not for Redis"),
            ("redis-ring://a", "`redis-ring://` is not for Redis"),
            ("redis://", "its host 1 is no HOST or HOST:PORT (empty host)"),
            ("redis-cluster://a,b:c", "its host 2 is no HOST or HOST:PORT (invalid port number)"),
            ("redis://a,b", "redis:// names one server"),
            ("redis://a/x", "the database at its end is no number from 0 to 255"),
            ("redis://a/0/1", "there is too much after the host"),
            ("redis://a?ssl=1", "after `?` it may say"),
            ("redis://a?sentinel_password=x", "belong to redis-sentinel://"),
            ("redis://ada@a", "there is a user without a password"),
            ("redis://:%zz@a", "a `%` in it is not followed by"),
            ("redis-sentinel://a", "does not name the service"),
            ("redis-cluster://a/1", "a Cluster has no numbered databases"),
        ];
        for (url, what) in cases {
            let error = parse(url).unwrap_err().to_string();
            assert!(error.contains(what) && error.contains("; write it as redis://"), "{url}: {error}");
        }
    }

    #[test]
    fn neither_an_address_nor_its_error_shows_a_password() {
        let shown =
            format!("{:?}", parse("redis-sentinel://:hunter2@a/s?sentinel_password=hunter2").unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
        let wrong = [
            "redis://ada:hunter2@",
            "redis://ada:hunter2",
            "redis:hunter2://a",
            "redis://:hunter2%@a",
            "redis://:hunter2/@a",
            "redis://:/hunter2@a",
            "redis://:?hunter2@a",
            "hunter2://a:b@c",
        ];
        for url in wrong {
            let error = parse(url).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{url}: {error}");
        }
    }
}
