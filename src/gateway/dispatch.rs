//! A request's way through the gateway.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ::http::request::Parts;
use ::http::{HeaderValue, Method, header};
use arc_swap::ArcSwap;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http_body_util::Limited;

use crate::gateway::http;
use crate::gateway::limits::{Asking, Said};
use crate::gateway::path::{is_plain, unversioned};
use crate::gateway::table::{Access, Found, Route, Sticky, Table, rewritten, with_path};
use crate::kit::auth::{Authenticator, Credential, Principal, authenticate, identify};
use crate::kit::error::{ApiError, Code};
use crate::kit::http::client::Client;
use crate::kit::http::context::{self, RequestContext};
use crate::kit::http::{method_not_allowed, not_found, observe};

/// When one that was turned away because of too many others may come back.
const COME_BACK: Duration = Duration::from_secs(1);

/// The gateway over its routes.
#[derive(Debug)]
pub struct Gateway {
    table: Arc<ArcSwap<Table>>,
    authenticator: Arc<dyn Authenticator>,
    /// How many more requests may be passed on.
    places: AtomicUsize,
}

impl Gateway {
    /// A gateway over `table`, which may change while it runs, that passes on `max_in_flight` requests at a
    /// time.
    pub fn new(
        table: Arc<ArcSwap<Table>>,
        authenticator: Arc<dyn Authenticator>,
        max_in_flight: usize,
    ) -> Self {
        Self { table, authenticator, places: AtomicUsize::new(max_in_flight) }
    }

    /// Everything that the routes cover, and the gateway's own endpoints; a problem document for the rest.
    pub fn router(self) -> Router {
        let gateway = Arc::new(self);
        let own = http::router().method_not_allowed_fallback(method_not_allowed);
        let own = own.layer(from_fn_with_state(Arc::clone(&gateway.authenticator), authenticate));
        own.layer(from_fn(observe::label)).fallback(dispatch).with_state(gateway)
    }

    /// The routes as they are now.
    pub(super) fn table(&self) -> Arc<Table> {
        self.table.load_full()
    }
}

async fn dispatch(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    if !is_plain(parts.uri.path()) {
        let detail = "the path has an empty or a dot segment, a backslash, or a slash in an escape";
        return ApiError::new(Code::Malformed, detail).into_response();
    }
    let path = unversioned(parts.uri.path());
    if path != parts.uri.path()
        && let Some(uri) = with_path(&parts.uri, &path)
    {
        parts.uri = uri;
    }
    let route = match gateway.table.load().find(&parts) {
        Found::Route(route) => route,
        Found::Methods(methods) => return other_methods(&methods),
        Found::Nothing => return not_found().await.into_response(),
    };
    let mut said = Said::default();
    let answer = gateway.pass_on(&route, parts, body, &mut said).await;
    let mut response = answer.unwrap_or_else(IntoResponse::into_response);
    said.say(response.headers_mut());
    route.notice.say(response.headers_mut());
    // A module in this process says more exactly which of its routes answered.
    if response.extensions().get::<observe::Route>().is_none() {
        response.extensions_mut().insert(observe::Route::Below(Arc::clone(&route.name)));
    }
    response
}

fn other_methods(methods: &[Method]) -> Response {
    let allowed: Vec<&str> = methods.iter().map(Method::as_str).collect();
    let detail = "the path exists, but not with this method";
    let mut response = ApiError::new(Code::MethodNotAllowed, detail).into_response();
    if let Ok(allowed) = HeaderValue::try_from(allowed.join(", ")) {
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}

impl Gateway {
    async fn pass_on(
        &self,
        route: &Route,
        parts: Parts,
        body: Body,
        said: &mut Said,
    ) -> Result<Response, ApiError> {
        let _place = self.place()?;
        let context = context::current();
        let client = context.as_deref().map(|context: &RequestContext| &context.client);
        said.ask(&route.limits_of_all, Asking { route: &route.name, client, principal: None }).await?;

        let mut request = Request::from_parts(parts, body);
        self.identify(&route.access, &mut request).await?;
        let principal = request.extensions().get::<Principal>();
        said.ask(&route.limits_of_known, Asking { route: &route.name, client, principal }).await?;

        let mut call = route.call;
        call.sticky = route.sticky.and_then(|whose| sticks_to(whose, client, principal));
        if let Some(rewrite) = &route.rewrite {
            let uri = rewritten(request.uri(), &route.fits.prefix, rewrite);
            *request.uri_mut() =
                uri.ok_or_else(|| ApiError::new(Code::Malformed, "the path cannot be rewritten"))?;
        }
        Ok(route.upstream.call(bounded(request, route.max_body_bytes)?, &call).await)
    }

    /// A place among the requests that are passed on.
    fn place(&self) -> Result<Place<'_>, ApiError> {
        let free = self.places.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |free| free.checked_sub(1));
        free.map(|_| Place(&self.places)).map_err(|_| {
            ApiError::new(Code::Unavailable, "too many requests are being served").retry_after(COME_BACK)
        })
    }

    async fn identify(&self, access: &Access, request: &mut Request) -> Result<(), ApiError> {
        match access {
            Access::Open => Ok(()),
            Access::Optional if Credential::from_headers(request.headers()).is_none() => Ok(()),
            Access::Optional => identify(self.authenticator.as_ref(), request).await,
            Access::Required(scopes) => {
                identify(self.authenticator.as_ref(), request).await?;
                match request.extensions().get::<Principal>() {
                    Some(principal) => scopes.iter().try_for_each(|scope| principal.require(*scope)),
                    None => Ok(()),
                }
            }
        }
    }
}

struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// `request` with a body of at most `most` bytes: one whose length is announced is refused unread, the others
/// are cut off.
fn bounded(request: Request, most: u64) -> Result<Request, ApiError> {
    let size = http_body::Body::size_hint(request.body());
    if size.lower() > most {
        return Err(ApiError::new(Code::PayloadTooLarge, format!("the body is larger than {most} bytes")));
    }
    if size.exact().is_some() {
        return Ok(request);
    }
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    Ok(request.map(|body| Body::new(Limited::new(body, most))))
}

/// What stands for whoever's requests go to the same endpoint.
fn sticks_to(whose: Sticky, client: Option<&Client>, principal: Option<&Principal>) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    match whose {
        Sticky::Principal => principal?.user_id.hash(&mut hasher),
        Sticky::Address => client?.address?.hash(&mut hasher),
    }
    Some(hasher.finish())
}
