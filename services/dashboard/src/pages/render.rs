//! Renders templates as responses.

use axum::response::{Html, IntoResponse, Response};

use crate::problem::Problem;

/// Renders a template as an HTML response.
pub fn html(template: &impl askama::Template) -> Result<Response, Problem> {
    match template.render() {
        Ok(text) => Ok(Html(text).into_response()),
        Err(error) => {
            tracing::error!("write a page: {error}");
            Err(Problem::unavailable("the page cannot be written; the log says why"))
        }
    }
}
