//! Rules between sections, and between the configuration and this machine.

use super::Config;
use super::checks::Broken;
use super::server::Role;
use super::sources::Sources;
use super::storage::StorageKind;
use super::voice::{Mode, QueueKind};
use crate::kit::redis::Address;

pub(crate) fn check(config: &Config, sources: &Sources, broken: &mut Vec<Broken>) {
    let mut require = |holds: bool, keys: &[&str], problem: String, fix: &str| {
        if !holds {
            let keys = keys.iter().map(|key| (*key).to_owned()).collect();
            broken.push(Broken { keys, problem, fix: fix.to_owned() });
        }
    };

    let role = config.server.role;
    let missing = missing_modules(role, &sources.modules);
    let features = missing.iter().map(|module| module.as_str()).collect::<Vec<_>>().join(",");
    require(
        missing.is_empty(),
        &["server.role"],
        format!("role \"{role}\" is not in this binary, which was built without {features}"),
        &format!("build it with `--features {features}`, or choose a role that is in it"),
    );

    stores(config, &mut require);
    peers(config, &mut require);

    let (max_wait, request_timeout) = (config.voice.max_wait, config.server.request_timeout);
    require(
        max_wait < request_timeout,
        &["voice.max_wait", "server.request_timeout"],
        format!("voice.max_wait ({max_wait}) is not shorter than server.request_timeout ({request_timeout})"),
        "lower voice.max_wait, or raise server.request_timeout",
    );
    let upstream_timeout = config.gateway.upstream_timeout;
    require(
        role != Role::Gateway || upstream_timeout < request_timeout,
        &["gateway.upstream_timeout", "server.request_timeout"],
        format!(
            "gateway.upstream_timeout ({upstream_timeout}) is not shorter than server.request_timeout \
             ({request_timeout}), so that it could never act"
        ),
        "lower gateway.upstream_timeout, or raise server.request_timeout",
    );
    require(
        config.voice.understanding.mode != Mode::LlmFirst || config.llm.enabled(),
        &["voice.understanding.mode", "llm.api_key", "llm.base_url"],
        "voice.understanding.mode is \"llm_first\", but there is no LLM to ask: llm.api_key is empty and \
         llm.base_url is the default one"
            .to_owned(),
        "set llm.api_key (best by VOICERA_LLM__API_KEY_FILE), or llm.base_url to a server of your own, or \
         use \"local_first\"",
    );

    let absent: Vec<String> = config
        .voice
        .skills
        .iter()
        .filter(|path| !path.as_os_str().is_empty() && !sources.working_dir.join(path).exists())
        .map(|path| format!("\"{}\"", path.display()))
        .collect();
    require(
        absent.is_empty(),
        &["voice.skills"],
        format!("{} cannot be found from {}", absent.join(", "), sources.working_dir.display()),
        "name folders or files that are there; relative paths start at the working directory",
    );
    let authority = &config.redis.tls_ca;
    require(
        authority.as_os_str().is_empty() || sources.working_dir.join(authority).is_file(),
        &["redis.tls_ca"],
        format!("\"{}\" is no file", authority.display()),
        "name the file with the authority's certificates, in the format of PEM",
    );
    let routes = &config.gateway.routes;
    require(
        routes.as_os_str().is_empty() || sources.working_dir.join(routes).is_file(),
        &["gateway.routes"],
        format!("\"{}\" cannot be found from {}", routes.display(), sources.working_dir.display()),
        "name a file that is there; relative paths start at the working directory",
    );
    require(
        !sources.working_dir.join(&config.server.data_dir).is_file(),
        &["server.data_dir"],
        format!("\"{}\" is a file", config.server.data_dir.display()),
        "name a folder; it is made if it is not there",
    );
}

/// Says that something has to hold: the keys that it is about, what is wrong, and what to do.
type Require<'a> = &'a mut dyn FnMut(bool, &[&str], String, &str);

/// Where things are kept.
fn stores(config: &Config, require: Require<'_>) {
    let role = config.server.role;
    // What is kept in a process or its files is known to that process alone. The gateway keeps nothing, so
    // it may be split off.
    let keeps = !matches!(role, Role::All | Role::Gateway);
    let alone: Vec<(&str, &str)> = [
        (config.storage.kind == StorageKind::Sqlite, "storage.kind", "storage.kind = \"mongodb\""),
        (role != Role::Analytics && !config.redis.url.is_set(), "redis.url", "redis.url"),
        (
            role == Role::Voice && config.voice.queue.kind == QueueKind::Sqlite,
            "voice.queue.kind",
            "voice.queue.kind = \"bullmq\"",
        ),
        (
            role == Role::Users
                && config.storage.kind == StorageKind::Mongodb
                && !config.users.seal_key.is_set(),
            "users.seal_key",
            "users.seal_key",
        ),
    ]
    .into_iter()
    .filter_map(|(alone, key, shared)| alone.then_some((key, shared)))
    .collect();
    let shared: Vec<&str> = alone.iter().map(|(_, shared)| *shared).collect();
    let keys: Vec<&str> = std::iter::once("server.role").chain(alone.iter().map(|(key, _)| *key)).collect();
    require(
        !keeps || alone.is_empty() || config.storage.single_instance,
        &keys,
        format!(
            "role \"{role}\" on what this process keeps for itself: a second process of this role would not \
             see what the first one keeps"
        ),
        &format!(
            "set {}, or use role \"all\", or set storage.single_instance = true if exactly one process of \
             this role exists",
            shared.join(" and ")
        ),
    );
    require(
        config.storage.kind != StorageKind::Mongodb || config.storage.mongodb.url.is_set(),
        &["storage.mongodb.url"],
        "is empty, but storage.kind is \"mongodb\"".to_owned(),
        "set it, best by VOICERA_STORAGE__MONGODB__URL_FILE, or use storage.kind = \"sqlite\"",
    );
    require(
        config.voice.queue.kind != QueueKind::Bullmq || config.redis.url.is_set(),
        &["redis.url"],
        "is empty, but voice.queue.kind is \"bullmq\"".to_owned(),
        "set it, best by VOICERA_REDIS__URL_FILE, or use voice.queue.kind = \"sqlite\"",
    );
    let Ok(redis) = config.redis.address() else { return };
    if config.voice.queue.kind == QueueKind::Bullmq {
        jobs_on(&redis, config, require);
    }
    require(
        config.redis.tls_ca.as_os_str().is_empty() || redis.takes_an_authority(),
        &["redis.tls_ca", "redis.url"],
        "is set, but redis.url is none of one server by TLS".to_owned(),
        "begin redis.url with rediss://, or take redis.tls_ca out: Sentinels and Clusters by TLS need certificates \
         of the well-known authorities",
    );
}

/// What BullMQ asks of the Redis that holds its jobs.
fn jobs_on(redis: &Address, config: &Config, require: Require<'_>) {
    require(
        !redis.asks_sentinels(),
        &["redis.url", "voice.queue.kind"],
        "names Sentinels, but voice.queue.kind is \"bullmq\", whose driver asks none: it would not follow the \
         primary"
            .to_owned(),
        "give the address of something that follows the primary (\"redis://HOST:6379\": a proxy, or a service \
         that a failover moves) or of a Cluster (\"redis-cluster://HOST:6379,HOST:6379\")",
    );
    let prefix = &config.voice.queue.prefix;
    // What is between the first braces says which slot a key is in.
    let tagged = prefix.split_once('{').is_some_and(|(_, tag)| tag.find('}').is_some_and(|end| end > 0));
    require(
        !redis.is_cluster() || tagged,
        &["voice.queue.prefix", "redis.url"],
        format!(
            "{prefix:?} has no braces, but redis.url names a Cluster, where BullMQ needs all keys of a queue in \
             one slot"
        ),
        "write it as \"{bull}\", here and in the workers and producers on Node",
    );
}

/// Who is called, and known by what.
fn peers(config: &Config, require: Require<'_>) {
    let role = config.server.role;
    let (gateway, peers) = (&config.gateway, &config.peers);
    let needed: &[(&str, bool)] = match role {
        Role::Gateway => &[
            ("gateway.voice_urls", !gateway.voice_urls.is_empty()),
            ("gateway.users_urls", !gateway.users_urls.is_empty()),
            ("gateway.analytics_urls", !gateway.analytics_urls.is_empty()),
        ],
        Role::Voice => &[
            ("peers.users_url", peers.users_url.is_set()),
            ("peers.analytics_url", peers.analytics_url.is_set()),
        ],
        Role::Analytics => &[("peers.users_url", peers.users_url.is_set())],
        Role::All | Role::Users => &[],
    };
    for (key, is_set) in needed {
        require(
            *is_set,
            &[key],
            format!("is empty, but role \"{role}\" needs it"),
            "set it to the base URL of that role, such as \"http://users:3002\"",
        );
    }

    require(
        role == Role::All || config.peers.service_key.is_set(),
        &["peers.service_key"],
        format!("is empty, but role \"{role}\" and its peers know each other by it"),
        "give every role the same secret, best by VOICERA_PEERS__SERVICE_KEY_FILE",
    );
}

/// The modules that `role` needs and that `built` lacks.
fn missing_modules(role: Role, built: &[Role]) -> Vec<Role> {
    let needed = if role == Role::All { Role::MODULES.to_vec() } else { vec![role] };
    needed.into_iter().filter(|module| !built.contains(module)).collect()
}
