//! Every rule, broken once.

use super::World;
use crate::config::{Origin, Role};

const SPLIT: &str = "[storage]\nsingle_instance = true\n[peers]\nservice_key = \"k\"";

#[test]
fn each_value_keeps_to_its_range() {
    for (section, key, too_low, too_high) in [
        ("server", "max_body_bytes", "1023", "67108865"),
        ("server", "header_timeout", "\"99ms\"", "\"5m1s\""),
        ("server", "request_timeout", "\"0s\"", "\"61m\""),
        ("server", "max_connections", "0", "1000001"),
        ("server", "shutdown_grace", "\"-1s\"", "\"61m\""),
        ("storage", "readers", "0", "65"),
        ("storage.mongodb", "max_pool_size", "0", "10001"),
        ("storage.mongodb", "server_selection_timeout", "\"99ms\"", "\"61s\""),
        ("storage.mongodb", "connect_timeout", "\"99ms\"", "\"61s\""),
        ("storage.mongodb", "operation_timeout", "\"99ms\"", "\"301s\""),
        ("redis", "pool_size", "0", "1025"),
        ("redis", "connect_timeout", "\"99ms\"", "\"61s\""),
        ("redis", "timeout", "\"9ms\"", "\"61s\""),
        ("gateway", "upstream_timeout", "\"0s\"", "\"61m\""),
        ("peers", "timeout", "\"0s\"", "\"61s\""),
        ("users", "key_cache_ttl", "\"-1s\"", "\"61m\""),
        ("users", "key_cache_entries", "-1", "10000001"),
        ("voice", "max_text_chars", "0", "100001"),
        ("voice", "max_context_bytes", "-1", "1048577"),
        ("voice", "max_wait", "\"-1s\"", "\"301s\""),
        ("voice.queue", "concurrency", "0", "4097"),
        ("voice.queue", "lease", "\"999ms\"", "\"61m\""),
        ("voice.queue", "max_attempts", "0", "101"),
        ("voice.queue", "backoff_initial", "\"0s\"", "\"61m\""),
        ("voice.queue", "backoff_max", "\"0s\"", "\"25h\""),
        ("voice.queue", "max_waiting", "0", "100000001"),
        ("voice.cache", "entries", "0", "10000001"),
        ("voice.cache", "ttl", "\"0s\"", "\"25h\""),
        ("voice.understanding", "threshold", "-0.1", "1.1"),
        ("llm", "deadline", "\"0s\"", "\"121s\""),
        ("llm", "attempt_timeout", "\"0s\"", "\"121s\""),
        ("llm", "max_attempts", "0", "11"),
        ("llm", "retry_budget", "-0.1", "nan"),
        ("llm", "max_output_tokens", "15", "32769"),
        ("llm", "temperature", "-0.1", "inf"),
        ("llm.breaker", "failure_rate", "0.0", "1.1"),
        ("llm.breaker", "window", "\"0s\"", "\"61m\""),
        ("llm.breaker", "minimum_calls", "0", "10001"),
        ("llm.breaker", "open_for", "\"0s\"", "\"61m\""),
        ("analytics", "buffer", "0", "10000001"),
        ("analytics", "flush_interval", "\"0s\"", "\"61s\""),
        ("telemetry", "otlp_sample_ratio", "-0.1", "1.1"),
    ] {
        for value in [too_low, too_high] {
            let error = World::new().with_file(&format!("[{section}]\n{key} = {value}")).error();
            assert_eq!(error.key, format!("{section}.{key}"), "{value}");
        }
    }
}

#[test]
fn each_rule_is_held() {
    for (file, key, problem) in [
        ("[server]\nlisten = \"localhost:1\"", "server.listen", "not an address"),
        ("[server]\ndata_dir = \"\"", "server.data_dir", "is empty"),
        ("[server]\ndata_dir = \"voicera.toml\"", "server.data_dir", "is a file"),
        ("[storage]\nkind = \"mongodb\"\nmongodb.url = \"\"", "storage.mongodb.url", "is empty"),
        ("[storage.mongodb]\nurl = \"mongodb+srv://h\"", "storage.mongodb.url", "does not begin"),
        ("[storage.mongodb]\ndatabase_prefix = \"a.b\"", "storage.mongodb.database_prefix", "cannot begin"),
        ("[voice.queue]\nkind = \"bullmq\"\n[redis]\nurl = \"\"", "redis.url", "is empty"),
        ("[redis]\nurl = \"rediss://a\"\ntls_ca = \"absent.pem\"", "redis.tls_ca", "is no file"),
        ("[redis]\nurl = \"redis://a\"\ntls_ca = \"voicera.toml\"", "redis.tls_ca", "by TLS"),
        ("[redis]\nurl = \"rediss-cluster://a\"\ntls_ca = \"voicera.toml\"", "redis.tls_ca", "by TLS"),
        ("[redis]\nurl = \"redis://a,b\"", "redis.url", "names no Redis: redis:// names one server"),
        (
            "[redis]\nurl = \"rediss-sentinel://a/primary\"\n[voice.queue]\nkind = \"bullmq\"",
            "redis.url",
            "names Sentinels",
        ),
        (
            "[redis]\nurl = \"redis-cluster://a\"\n[voice.queue]\nkind = \"bullmq\"",
            "redis.url",
            "\"bull\" has no braces",
        ),
        (
            "[redis]\nurl = \"redis-cluster://a\"\n[voice.queue]\nkind = \"bullmq\"\nprefix = \"{}a\"",
            "voice.queue.prefix",
            "has no braces",
        ),
        ("[voice.queue]\nprefix = \"a:b\"", "voice.queue.prefix", "cannot begin"),
        ("[redis]\nprefix = \"{a}\"", "redis.prefix", "cannot begin"),
        ("[storage]\nkind = \"sqlit\"", "storage.kind", "not one of its values"),
        ("[storage]\nsynchronous = \"off\"", "storage.synchronous", "not one of its values"),
        ("[gateway]\nvoice_urls = [\"voice:3001\"]", "gateway.voice_urls", "neither http nor https"),
        (
            "[gateway]\nvoice_urls = [\"https://voice:3001\"]",
            "gateway.voice_urls",
            "not a plain http:// address",
        ),
        (
            "[gateway]\nusers_urls = [\"http://u:3002/v1\"]",
            "gateway.users_urls",
            "not a plain http:// address",
        ),
        (
            "[gateway]\nanalytics_urls = [\"http://ä:1\"]",
            "gateway.analytics_urls",
            "not a plain http:// address",
        ),
        ("[peers]\nusers_url = \"http://u:3002/v1\"", "peers.users_url", "has a path"),
        ("[peers]\nservice_key = \"********\"", "peers.service_key", "is the mask"),
        ("[peers]\nvoice_url = \"http://v:3001/v1\"", "peers.voice_url", "has a path"),
        ("[peers]\nusers_url = \"//users\"", "peers.users_url", "not a URL"),
        ("[users.mail]\nsmtp_url = \"mail:25\"", "users.mail.smtp_url", "names no mail server"),
        ("[users.mail]\nsmtp_url = \"smtp://h?tls=no\"", "users.mail.smtp_url", "names no mail server"),
        ("[users.mail]\nsmtp_url = \"smtp://a:b@h:25\"", "users.mail.smtp_url", "unencrypted"),
        ("[users.mail]\nfrom = \"a@b\\nBcc: c@d\"", "users.mail.from", "is no sender"),
        ("[users.mail]\nreset_url = \"https://app\"", "users.mail.reset_url", "no place for the token"),
        ("[voice]\nskills = [\"\"]", "voice.skills", "empty entry"),
        ("[voice]\nskills = [\"absent\"]", "voice.skills", "cannot be found"),
        ("[voice]\nbuiltin_skills = false", "voice.builtin_skills", "nothing to understand"),
        ("[voice]\ndefault_language = \"English\"", "voice.default_language", "not a language code"),
        ("[voice]\ntimezone = \"../../etc/passwd\"", "voice.timezone", "not a time zone"),
        ("[voice]\nmax_wait = \"60s\"", "voice.max_wait", "not shorter than server.request_timeout"),
        ("[server]\nrequest_timeout = \"20s\"", "server.request_timeout", "voice.max_wait (30s)"),
        ("[voice.queue]\nbackoff_initial = \"6m\"", "voice.queue.backoff_initial", "longer than"),
        ("[voice.understanding]\nmode = \"llm_first\"", "voice.understanding.mode", "no LLM to ask"),
        ("[llm]\nbase_url = \"\"", "llm.base_url", "is empty"),
        ("[llm]\nbase_url = \"https://u@h\"", "llm.base_url", "carries credentials"),
        ("[llm]\nbase_url = \"https://h/?a=b\"", "llm.base_url", "query"),
        ("[llm]\nbase_url = \"http://10.0.0.1/v1\"\napi_key = \"k\"", "llm.base_url", "unencrypted"),
        ("[llm]\napi_key = \"a\\nb\"", "llm.api_key", "control character"),
        ("[llm]\nmodels = []", "llm.models", "is empty"),
        ("[llm]\nmodels = [\" \"]", "llm.models", "empty entry"),
        ("[llm]\nattempt_timeout = \"9s\"", "llm.attempt_timeout", "longer than llm.deadline (8s)"),
        ("[llm]\ndeadline = \"4s\"", "llm.deadline", "longer than llm.deadline (4s)"),
        ("[telemetry]\nlog_filter = \"a=loud\"", "telemetry.log_filter", "not a log filter"),
        ("[telemetry]\nlog_filter = \" \"", "telemetry.log_filter", "not a log filter"),
        ("[telemetry]\nservice_name = \"\"", "telemetry.service_name", "is empty"),
    ] {
        let error = World::new().with_file(file).error();
        assert_eq!(error.key, key, "{file}");
        assert!(error.problem.contains(problem), "{file}: {error:?}");
        assert_eq!(error.origin, Origin::File("voicera.toml".into()));
    }
}

#[test]
fn what_is_allowed_is_not_refused() {
    for file in [
        "[server]\nlisten = \"[::]:0\"",
        "[users.mail]\nsmtp_url = \"smtps://a:b%40c@mail.example.org\"",
        "[users.mail]\nsmtp_url = \"smtp://a:b@mail.example.org:587?tls=required\"",
        "[users.mail]\nsmtp_url = \"smtp://a:b@[::1]:25\"",
        "[users.mail]\nsmtp_url = \"smtp://mail:1025\"\nfrom = \"voicera@example.org\"",
        "[voice]\ntimezone = \"Europe/Berlin\"\ndefault_language = \"pt-BR\"",
        "[voice]\ndefault_language = \"PT-br\"",
        "[gateway]\nvoice_urls = [\"http://[::1]:3001/\"]\n[peers]\nusers_url = \"https://users:3002/\"",
        "[voice]\nbuiltin_skills = false\nskills = [\"voicera.toml\"]",
        "[voice.understanding]\nmode = \"llm_first\"\n[llm]\napi_key = \"k\"",
        "[voice.understanding]\nmode = \"llm_first\"\n[llm]\nbase_url = \"http://10.0.0.1:11434/v1\"",
        "[llm]\nbase_url = \"http://[::1]:8000/v1\"\napi_key = \"k\"",
        "[llm]\nbase_url = \"http://localhost:8000/v1/\"\napi_key = \"k\"",
        "[llm]\nbase_url = \"https://llm.example.com\"\napi_key = \"k\"",
        "[telemetry]\nlog_filter = \"info,voicera::voice=debug\"",
        "[redis]\nurl = \"redis-sentinel://a,b:26380/primary\"",
        "[redis]\nurl = \"rediss://a\"\ntls_ca = \"voicera.toml\"",
        "[redis]\nurl = \"redis-cluster://a\"\n[voice.queue]\nkind = \"bullmq\"\nprefix = \"a{bull}\"",
    ] {
        World::new().with_file(file).loaded();
    }
}

#[test]
fn an_llm_is_asked_only_with_a_key_or_on_a_server_of_its_own() {
    for (file, enabled) in [
        ("", false),
        ("[llm]\nbase_url = \"https://api.groq.com/openai/v1/\"", false),
        ("[llm]\napi_key = \"k\"", true),
        ("[llm]\nbase_url = \"http://127.0.0.1:11434/v1\"", true),
    ] {
        assert_eq!(World::new().with_file(file).loaded().config.llm.enabled(), enabled, "{file}");
    }
}

#[test]
fn embedded_stores_and_a_split_role_go_together_only_on_a_promise() {
    for role in ["voice", "users", "analytics"] {
        let world = World::new().with(|sources| sources.flags.role = Some(role.to_owned()));
        let errors = world.load().unwrap_err();
        let error = errors.iter().find(|error| error.key == "server.role").unwrap();
        assert!(error.problem.contains("would not see"), "{error:?}");
        assert!(error.fix.contains("storage.single_instance = true"), "{error:?}");
        assert_eq!(error.origin, Origin::Flag("--role".to_owned()));
    }
    World::new().with_file(SPLIT).with(|sources| sources.flags.role = Some("users".to_owned())).loaded();
}

#[test]
fn a_split_role_on_servers_needs_no_promise() {
    let shared = "[storage]\nkind = \"mongodb\"\nmongodb.url = \"mongodb://db\"\n[redis]\nurl = \"redis://r\"\n\
                  [voice.queue]\nkind = \"bullmq\"\n[peers]\nservice_key = \"k\"\n\
                  users_url = \"http://u\"\nanalytics_url = \"http://a\"\n\
                  [users]\nseal_key = \"what-all-processes-of-the-role-share\"";
    for role in ["voice", "users", "analytics"] {
        World::new().with_file(shared).with(|sources| sources.flags.role = Some(role.to_owned())).loaded();
    }
    let errors = World::new()
        .with_file(&shared.replace("bullmq", "sqlite"))
        .with(|sources| sources.flags.role = Some("voice".to_owned()))
        .load()
        .unwrap_err();
    let fix = &errors.iter().next().unwrap().fix;
    assert!(fix.starts_with("set voice.queue.kind = \"bullmq\", or"), "{fix}");
    let errors = World::new()
        .with_file(&shared.replace("what-all-processes-of-the-role-share", ""))
        .with(|sources| sources.flags.role = Some("users".to_owned()))
        .load()
        .unwrap_err();
    let fix = &errors.iter().next().unwrap().fix;
    assert!(fix.starts_with("set users.seal_key, or"), "{fix}");
}

#[test]
fn a_split_role_needs_the_secret_by_which_its_peers_know_it() {
    let promise = "[storage]\nsingle_instance = true";
    let error =
        World::new().with_file(promise).with(|sources| sources.flags.role = Some("users".to_owned())).error();
    assert_eq!(error.key, "peers.service_key");
}

#[test]
fn a_role_needs_the_urls_of_those_it_calls() {
    for (role, needed) in [
        ("gateway", &["gateway.voice_urls", "gateway.users_urls", "gateway.analytics_urls"][..]),
        ("voice", &["peers.users_url", "peers.analytics_url"]),
        ("analytics", &["peers.users_url"]),
    ] {
        let world = World::new().with_file(SPLIT).with(|sources| sources.flags.role = Some(role.to_owned()));
        let errors = world.load().unwrap_err();
        assert_eq!(errors.iter().map(|error| error.key.as_str()).collect::<Vec<_>>(), needed);

        let world = world.with(|sources| {
            for key in needed {
                let variable = format!("VOICERA_{}", key.replace('.', "__").to_uppercase());
                sources.env.insert(variable, "http://10.0.0.1:3000".to_owned());
            }
        });
        world.loaded();
    }
}

#[test]
fn a_gateway_gives_up_on_an_upstream_before_its_own_time_is_over() {
    let split = "[gateway]\nvoice_urls = [\"http://v:1\"]\nusers_urls = [\"http://u:1\"]\n\
                 analytics_urls = [\"http://a:1\"]\n";
    let world = |timeout: &str, role: &str| {
        World::new()
            .with_file(&format!("{split}upstream_timeout = \"{timeout}\"\n{SPLIT}"))
            .with_env(&[("VOICERA_PEERS__USERS_URL", "http://u:1")])
            .with(|sources| sources.flags.role = Some(role.to_owned()))
    };
    let error = world("60s", "gateway").error();
    assert_eq!(error.key, "gateway.upstream_timeout");
    assert!(error.problem.contains("not shorter than server.request_timeout (60s)"), "{error:?}");
    world("59s", "gateway").loaded();
    world("60s", "analytics").loaded();
}

#[test]
fn a_role_that_is_not_in_the_binary_is_refused_with_the_flag_that_builds_it() {
    for (role, modules, fix) in [
        ("users", vec![Role::Voice], "--features users`"),
        ("all", vec![Role::Voice, Role::Users], "--features gateway,analytics`"),
    ] {
        let world = World::new().with_file(SPLIT).with(|sources| {
            sources.flags.role = Some(role.to_owned());
            sources.modules = modules;
        });
        let error = world.error();
        assert_eq!(error.key, "server.role");
        assert!(error.fix.contains(fix), "{error:?}");
    }
}
