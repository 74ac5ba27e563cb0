//! The OpenAPI document as a list of what to try.

use serde_json::{Map, Value, json};

use crate::support::Client;

/// A path parameter's value that names nothing.
pub const NOBODY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// One endpoint of the document.
#[derive(Debug, Clone)]
pub struct Operation {
    /// `operationId`.
    pub id: String,
    /// In capitals.
    pub method: reqwest::Method,
    /// With `{parameters}`.
    pub path: String,
    /// Whether it asks for a credential.
    pub secured: bool,
    /// Whether an API key is not enough: it is for somebody who has logged in.
    pub for_sessions: bool,
    /// The parameters as they stand.
    pub parameters: Vec<Value>,
    /// The schema of the JSON body, references resolved one level deep.
    pub body: Option<Value>,
}

impl Operation {
    /// Whether `status` is what a well-formed request with the first key gets, which names nothing that
    /// there is and knows nobody's password.
    pub fn takes_well(&self, status: u16) -> bool {
        match status {
            200..300 => !self.path.contains('{'),
            404 => self.path.contains('{'),
            403 => self.for_sessions,
            // What the example makes is there already.
            409 => self.secured && self.method == reqwest::Method::POST,
            // Passwords and tokens are nobody's, and who tries many has to wait.
            401 => !self.secured && self.path.starts_with("/api/auth/"),
            429 => self.path.starts_with("/api/auth/") || self.path.ends_with("/invitations"),
            422 => {
                (!self.secured && self.path.starts_with("/api/auth/")) || self.path.ends_with("/roles/{name}")
            }
            _ => false,
        }
    }

    /// The path with `value` for every parameter in it.
    pub fn path_with(&self, value: &str) -> String {
        self.path
            .split('/')
            .map(|segment| if segment.starts_with('{') { value } else { segment })
            .collect::<Vec<_>>()
            .join("/")
    }

    /// The names of the parameters in the query, or in the header.
    pub fn parameters_in(&self, place: &str) -> Vec<String> {
        let here = self.parameters.iter().filter(|parameter| parameter["in"] == place);
        here.filter_map(|parameter| parameter["name"].as_str().map(str::to_owned)).collect()
    }

    /// The members of the body by name.
    pub fn members(&self) -> Map<String, Value> {
        self.body.as_ref().and_then(|schema| schema["properties"].as_object().cloned()).unwrap_or_default()
    }

    /// A body made of the schema's own examples, of the whole or of each member.
    pub fn example(&self) -> Value {
        if let Some(whole) = self.body.as_ref().and_then(|schema| schema.get("example")) {
            return whole.clone();
        }
        let example = |(name, schema): (String, Value)| {
            let first = |list: &Value| list.as_array().and_then(|all| all.first().cloned());
            schema.get("example").cloned().or_else(|| first(&schema["examples"])).map(|value| (name, value))
        };
        self.members().into_iter().filter_map(example).collect::<Map<_, _>>().into()
    }
}

/// The document that a server gives.
pub async fn document(client: &Client) -> Value {
    client.anonymous().read("/api/openapi.json").await
}

/// Every operation of a document.
pub fn operations(document: &Value) -> Vec<Operation> {
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let Some(id) = operation["operationId"].as_str() else { continue };
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            all.push(Operation {
                id: id.to_owned(),
                method: method.to_uppercase().parse().expect("a method"),
                path: path.clone(),
                secured: operation["security"]
                    .as_array()
                    .is_some_and(|ways| !ways.is_empty() && ways.iter().all(|way| *way != json!({}))),
                for_sessions: operation["security"]
                    .as_array()
                    .is_some_and(|ways| !ways.is_empty() && ways.iter().all(|way| way["apiKey"].is_null())),
                parameters: operation["parameters"].as_array().cloned().unwrap_or_default(),
                body: (!schema.is_null()).then(|| resolved(document, schema)),
            });
        }
    }
    assert!(all.len() > 10, "the document lists the endpoints");
    all
}

fn resolved(document: &Value, schema: &Value) -> Value {
    match schema["$ref"].as_str().and_then(|reference| document.pointer(reference.trim_start_matches('#'))) {
        Some(target) => target.clone(),
        None => schema.clone(),
    }
}
