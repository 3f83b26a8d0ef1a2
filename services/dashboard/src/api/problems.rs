//! The problems that every operation of the API can return, described once for all of them.

use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder};

const EVERYWHERE: [(&str, &str); 6] = [
    ("401", "Neither token nor login, where one is set"),
    ("403", "The page of another site asks, or the right to do this is missing"),
    ("421", "Without a token or a password, another host than localhost"),
    ("429", "Too many requests; Retry-After says when to come back"),
    ("503", "What the answer depends on does not answer; Retry-After says when to come back"),
    ("504", "The answer takes too long"),
];

const OF_WRITES: [(&str, &str); 5] = [
    ("400", "The request is not of its form, or asks for what is not on the watchlist"),
    ("401", "Neither DASHBOARD_WRITE_TOKEN, nor a right one"),
    ("403", "DASHBOARD_WRITE_TOKEN is not set, or the page of another site asks"),
    ("409", "The id is that of a run of other series"),
    ("413", "The body is larger than any request has to be"),
];

/// Adds the problem responses to each operation.
pub fn describe(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        [&mut item.get, &mut item.put].into_iter().flatten().for_each(|operation| describe_one(operation, &[]));
        item.post.iter_mut().for_each(|operation| describe_one(operation, &OF_WRITES));
    }
}

/// `own` replaces what the problems mean elsewhere.
fn describe_one(operation: &mut Operation, own: &[(&'static str, &'static str)]) {
    let parameters = operation.parameters.as_deref().unwrap_or_default();
    let is_in_path = parameters.iter().any(is_path_parameter);
    let mut problems = [&EVERYWHERE, own].concat();
    if !parameters.is_empty() {
        problems.push(("400", "A parameter is not of its form"));
    }
    if is_in_path {
        problems.push(("404", "There is no such thing"));
    }
    let responses = &mut operation.responses.responses;
    responses.extend(problems.into_iter().map(|(status, words)| (status.to_owned(), problem(words).into())));
}

fn is_path_parameter(parameter: &RefOr<Parameter>) -> bool {
    matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Path)
}

fn problem(words: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new().description(words).content("application/problem+json", content).build()
}
