//! Extractors that answer with a problem document instead of axum's plain text.

use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequest, Request};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, header};
use http_body::Body as _;
use serde::de::DeserializeOwned;

use crate::kit::error::{ApiError, Code, FieldError};

/// A JSON body of shape `T`.
///
/// # Errors
/// 413 for a body over the limit, 415 for another media type, 400 for broken JSON, 422 with the
/// path of the field for JSON of another shape.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            return Err(ApiError::new(
                Code::UnsupportedMediaType,
                "send the body as JSON, with the header `content-type: application/json`",
            ));
        }
        let body = Bytes::from_request(request, state).await.map_err(|rejection| unreadable(&rejection))?;
        from_json(&body).map(Self)
    }
}

/// The same where a body may be left out, or be `null`.
impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, ApiError> {
        if !request.headers().contains_key(header::CONTENT_TYPE) && request.body().is_end_stream() {
            return Ok(None);
        }
        let Json(value) = <Json<Option<T>> as FromRequest<S>>::from_request(request, state).await?;
        Ok(value.map(Json))
    }
}

fn unreadable(rejection: &BytesRejection) -> ApiError {
    match rejection {
        BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
            ApiError::new(Code::PayloadTooLarge, "the body is larger than this server reads")
        }
        _ => ApiError::new(Code::Malformed, "the body broke off"),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
        || (essence.len() > 5 && essence[essence.len() - 5..].eq_ignore_ascii_case("+json"))
}

/// Reads JSON, naming the field that does not fit.
///
/// # Errors
/// As [`Json`].
pub fn from_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let cause = error.into_inner();
        if cause.is_data() {
            ApiError::invalid(if path == "." { "body".to_owned() } else { path }, without_position(&cause))
        } else {
            ApiError::new(Code::Malformed, format!("the body is not JSON: {cause}"))
        }
    })?;
    json.end().map_err(|cause| ApiError::new(Code::Malformed, format!("the body is not JSON: {cause}")))?;
    Ok(value)
}

/// `serde_json` ends its sentences with ` at line 1 column 7`; for a field that says nothing.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(sentence, _)| sentence.to_owned())
}

/// Query parameters of shape `T`.
///
/// # Errors
/// 422 with the name of the parameter.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let pairs = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs)).map(Self).map_err(
            |error| {
                let field = error.path().to_string();
                let message = error.into_inner().to_string();
                ApiError::invalid_fields(vec![FieldError {
                    field: if field == "." { "query".to_owned() } else { field },
                    message,
                }])
            },
        )
    }
}

/// Path parameters of shape `T`.
///
/// # Errors
/// 404: what can't be an id names nothing.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(value)| Self(value))
            .map_err(|_| ApiError::new(Code::NotFound, "the path does not name anything that can exist"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    struct Body {
        #[serde(rename = "outer")]
        _outer: Inner,
    }

    #[derive(Debug, Deserialize)]
    struct Inner {
        #[serde(rename = "count")]
        _count: u32,
    }

    #[test]
    fn a_field_of_the_wrong_type_is_named_by_its_path() {
        let error = from_json::<Body>(br#"{"outer":{"count":"many"}}"#).unwrap_err();
        assert_eq!(error.code(), Code::Invalid);
        assert_eq!(error.detail(), "`outer.count` invalid type: string \"many\", expected u32");
    }

    #[test]
    fn broken_json_is_malformed_not_invalid() {
        let deep = "[".repeat(100_000);
        for body in ["{", "", "{\"outer\":{}} x", r#"{"outer":"\ud800"}"#, "\u{0}", &deep] {
            assert_eq!(from_json::<serde_json::Value>(body.as_bytes()).unwrap_err().code(), Code::Malformed);
        }
        assert_eq!(from_json::<serde_json::Value>(b"\"\xff\"").unwrap_err().code(), Code::Malformed);
    }

    #[test]
    fn only_json_media_types_are_json() {
        let with = |value: &'static str| {
            is_json(&HeaderMap::from_iter([(header::CONTENT_TYPE, http::HeaderValue::from_static(value))]))
        };
        assert!(
            with("application/json") && with("Application/JSON; charset=utf-8") && with("application/x+json")
        );
        assert!(!with("text/plain") && !with("") && !with("json") && !is_json(&HeaderMap::new()));
    }

    #[tokio::test]
    async fn a_body_may_be_left_out_where_it_may_and_is_read_otherwise() {
        async fn read(kind: Option<&str>, body: &'static str) -> Result<Option<u32>, Code> {
            let request = kind
                .map_or_else(Request::builder, |kind| Request::builder().header(header::CONTENT_TYPE, kind));
            let request = request.body(axum::body::Body::from(body)).unwrap();
            let read = <Json<u32> as OptionalFromRequest<()>>::from_request(request, &()).await;
            read.map(|json| json.map(|Json(number)| number)).map_err(|error| error.code())
        }
        assert_eq!(read(None, "").await, Ok(None));
        assert_eq!(read(Some("application/json"), "null").await, Ok(None));
        assert_eq!(read(Some("application/json"), "7").await, Ok(Some(7)));
        assert_eq!(read(Some("application/json"), "").await, Err(Code::Malformed));
        assert_eq!(read(None, "7").await, Err(Code::UnsupportedMediaType));
        assert_eq!(read(Some("text/plain"), "7").await, Err(Code::UnsupportedMediaType));
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = from_json::<Body>(&body);
        }

        #[test]
        fn no_content_type_makes_it_panic(value in "\\PC{0,40}") {
            if let Ok(value) = http::HeaderValue::from_str(&value) {
                is_json(&HeaderMap::from_iter([(header::CONTENT_TYPE, value)]));
            }
        }
    }
}
