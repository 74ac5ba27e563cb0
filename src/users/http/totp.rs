//! `POST|DELETE /api/auth/totp`, `POST /api/auth/totp/confirm`, `POST /api/auth/totp/recovery-codes`:
//! one's second factor.

use axum::extract::State;
use axum::response::IntoResponse;
use http::{StatusCode, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::kit::auth::Principal;
use crate::kit::error::{ApiError, Problem};
use crate::kit::http::extract::Json;
use crate::users::local::LocalUsers;
use crate::users::local::access::second_factor::ENROL_WITHIN;
use crate::users::local::access::step_up::Proof;

/// The endpoints.
pub fn routes() -> OpenApiRouter<LocalUsers> {
    OpenApiRouter::new().routes(routes!(enrol, take_off)).routes(routes!(confirm)).routes(routes!(renew))
}

/// A second factor that is being set up.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TotpEnrolment {
    /// In base32, for who types it.
    #[schema(example = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")]
    secret: String,
    /// The same for a QR code.
    #[schema(
        example = "otpauth://totp/Voicera:ada%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Voicera"
    )]
    uri: String,
    /// For `POST /api/auth/totp/confirm`, with a first code.
    token: String,
    /// Seconds until the token expires.
    #[schema(example = 600)]
    expires_in: i64,
}

/// A first code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TotpConfirmRequest {
    /// As it came with the secret.
    #[schema(example = "vo_7d1f0c5e9a3b48626e1d7c5a90b3f4e8d2c6a1b7e0f59384d7c2b6a1e0f59384")]
    token: String,
    /// What the authenticator shows.
    #[schema(example = "123456")]
    code: String,
}

/// Recovery codes.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RecoveryCodes {
    /// Each is good once, in the place of a code. They are not shown again.
    #[schema(example = json!(["0123-4567-89ab-cdef-0123-4567"]))]
    recovery_codes: Vec<String>,
}

fn reply(codes: &[SecretString]) -> impl IntoResponse + use<> {
    let recovery_codes = codes.iter().map(|code| code.expose_secret().to_owned()).collect();
    ([(header::CACHE_CONTROL, "no-store")], axum::Json(RecoveryCodes { recovery_codes }))
}

/// Begin to set up a second factor
///
/// For somebody who has logged in, and shows the password again. The secret counts once a code of it
/// has been confirmed.
#[utoipa::path(
    post, path = "/api/auth/totp", tag = "auth", operation_id = "enrolTotp",
    request_body = Option<Proof>,
    responses(
        (status = 200, description = "The secret", body = TotpEnrolment),
        (status = "4XX", description = "Not a session, a wrong password, or there is a second factor", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
async fn enrol(
    State(users): State<LocalUsers>,
    who: Principal,
    proof: Option<Json<Proof>>,
) -> Result<impl IntoResponse, ApiError> {
    let proof = proof.map_or_else(Proof::default, |Json(proof)| proof);
    let enrolment = users.second_factors.enrol(&who, &proof).await?;
    let reply = TotpEnrolment {
        secret: enrolment.secret.expose_secret().to_owned(),
        uri: enrolment.uri.expose_secret().to_owned(),
        token: enrolment.token.expose_secret().to_owned(),
        expires_in: ENROL_WITHIN.as_secs(),
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], axum::Json(reply)))
}

/// Turn the second factor on
///
/// With a first code. From then on a log-in with the password asks for a code; sessions that there are
/// go on.
#[utoipa::path(
    post, path = "/api/auth/totp/confirm", tag = "auth", operation_id = "confirmTotp",
    request_body = TotpConfirmRequest,
    responses(
        (status = 200, description = "It is on", body = RecoveryCodes),
        (status = "4XX", description = "A wrong code, or the token is not good any more", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
async fn confirm(
    State(users): State<LocalUsers>,
    who: Principal,
    Json(request): Json<TotpConfirmRequest>,
) -> Result<impl IntoResponse, ApiError> {
    let codes = users.second_factors.confirm(&who, &request.token, &request.code).await?;
    Ok(reply(&codes))
}

/// Take the second factor off
///
/// With the password and a code, or a recovery code: either alone would make the second factor the only
/// one. The recovery codes go with it.
#[utoipa::path(
    delete, path = "/api/auth/totp", tag = "auth", operation_id = "removeTotp",
    request_body = Option<Proof>,
    responses(
        (status = 204, description = "It is off"),
        (status = "4XX", description = "Not a session, a wrong password or code, or there is none", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
async fn take_off(
    State(users): State<LocalUsers>,
    who: Principal,
    proof: Option<Json<Proof>>,
) -> Result<StatusCode, ApiError> {
    let proof = proof.map_or_else(Proof::default, |Json(proof)| proof);
    users.second_factors.take_off(&who, &proof).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make new recovery codes
///
/// With the password and a code. Earlier ones are good for nothing any more.
#[utoipa::path(
    post, path = "/api/auth/totp/recovery-codes", tag = "auth", operation_id = "renewRecoveryCodes",
    request_body = Option<Proof>,
    responses(
        (status = 200, description = "The new ones", body = RecoveryCodes),
        (status = "4XX", description = "Not a session, a wrong password or code, or there is no second factor", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
async fn renew(
    State(users): State<LocalUsers>,
    who: Principal,
    proof: Option<Json<Proof>>,
) -> Result<impl IntoResponse, ApiError> {
    let proof = proof.map_or_else(Proof::default, |Json(proof)| proof);
    let codes = users.second_factors.renew(&who, &proof).await?;
    Ok(reply(&codes))
}

#[cfg(test)]
mod tests {
    use http::{Method, StatusCode};
    use serde_json::json;

    use crate::users::local::tests::somebody::{EMAIL, PASSWORD, Somebody};

    #[tokio::test]
    async fn a_page_sets_up_a_second_factor_and_logs_in_with_it() {
        let stage = Somebody::set().await;
        let ada = stage.somebody(EMAIL, Some(PASSWORD), "password").await;
        let (page, visitor) = (stage.client(Some(ada)), stage.client(None));
        let (status, _) = page.post("/api/auth/totp", Some(json!({ "pasword": PASSWORD }))).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(page.post("/api/auth/totp", None).await.0, StatusCode::FORBIDDEN);
        let (_, begun) = page.post("/api/auth/totp", Some(json!({ "password": PASSWORD }))).await;
        let app = totp_rs::Totp::from_url(begun["uri"].as_str().unwrap()).unwrap();
        assert_eq!(begun["secret"], app.secret().to_base32());
        let now = || u64::try_from(stage.now().as_second()).unwrap();
        let body = json!({ "token": begun["token"], "code": app.generate(now()).to_string() });
        let (status, codes) = page.post("/api/auth/totp/confirm", Some(body)).await;
        assert_eq!((status, codes["recoveryCodes"].as_array().unwrap().len()), (StatusCode::OK, 10));

        stage.pass(30);
        let body = json!({ "email": EMAIL, "password": PASSWORD });
        let (status, asked) = visitor.post("/api/auth/login", Some(body)).await;
        assert_eq!((status, &asked["secondFactorRequired"]), (StatusCode::ACCEPTED, &json!(true)));
        let body = json!({ "challenge": asked["challenge"], "code": app.generate(now()).to_string() });
        let (status, tokens) = visitor.post("/api/auth/login/second-factor", Some(body)).await;
        assert_eq!((status, &tokens["user"]["secondFactor"]), (StatusCode::OK, &json!(true)));

        let body = json!({ "password": PASSWORD, "code": codes["recoveryCodes"][0] });
        let (status, renewed) = page.post("/api/auth/totp/recovery-codes", Some(body)).await;
        assert_eq!((status, renewed["recoveryCodes"].as_array().unwrap().len()), (StatusCode::OK, 10));
        let body = json!({ "password": PASSWORD, "code": renewed["recoveryCodes"][0] });
        assert_eq!(page.send(Method::DELETE, "/api/auth/totp", Some(body)).await.0, StatusCode::NO_CONTENT);
    }
}
