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

/// Adds the problem responses to each operation.
pub fn describe(document: &mut OpenApi) {
    let items = document.paths.paths.values_mut();
    let operations = items.flat_map(|item| [item.get.as_mut(), item.put.as_mut()]).flatten();
    operations.for_each(describe_one);
}

fn describe_one(operation: &mut Operation) {
    let parameters = operation.parameters.as_deref().unwrap_or_default();
    let is_in_path = parameters.iter().any(is_path_parameter);
    let mut problems = EVERYWHERE.to_vec();
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
