//! Which of the configured models the server has: asked at start, to warn before the first user does.

use serde_json::Value;

use super::error::ProviderError;

/// One configured model, looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelCheck {
    /// Its configured name.
    pub model: String,
    /// Whether the server lists it. A server need not list all that it serves.
    pub listed: bool,
}

/// Holds the configured names against a `GET /models` reply of any of the shapes seen:
/// `{"data": [{"id": …}]}`, `{"models": [{"name": …}]}`, or the bare list.
pub(super) fn check(configured: &[String], reply: &Value) -> Result<Vec<ModelCheck>, ProviderError> {
    let list = ["data", "models"].iter().find_map(|key| reply.get(key)).unwrap_or(reply);
    let list = list.as_array().ok_or_else(|| ProviderError::BadReply("no list of models".to_owned()))?;
    let ids: Vec<&str> = list.iter().filter_map(id).collect();
    let listed = |model: &String| ids.iter().any(|id| same(id, model));
    Ok(configured.iter().map(|model| ModelCheck { model: model.clone(), listed: listed(model) }).collect())
}

fn id(entry: &Value) -> Option<&str> {
    entry.as_str().or_else(|| ["id", "name", "model"].iter().find_map(|key| entry.get(key)?.as_str()))
}

/// Some servers list `models/NAME`, others `NAME:latest`, for what is asked for as `NAME`.
fn same(id: &str, model: &str) -> bool {
    id == model || id.strip_prefix("models/") == Some(model) || id.strip_suffix(":latest") == Some(model)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_of_several_servers_are_understood() {
        let configured = ["a".to_owned(), "b".to_owned()];
        for (reply, listed) in [
            (json!({"object": "list", "data": [{"id": "a", "active": true}, {"id": 7}]}), [true, false]),
            (json!({"models": [{"name": "a:latest"}, {"model": "b"}]}), [true, true]),
            (json!({"data": [{"id": "models/b"}]}), [false, true]),
            (json!(["b"]), [false, true]),
            (json!([]), [false, false]),
        ] {
            let checks = check(&configured, &reply).unwrap();
            assert_eq!(checks.iter().map(|check| check.listed).collect::<Vec<_>>(), listed, "{reply}");
        }
        assert!(matches!(check(&configured, &json!({"ok": true})), Err(ProviderError::BadReply(_))));
    }
}
