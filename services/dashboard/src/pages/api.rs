//! The API reference page, generated from the same OpenAPI document that programs read.

use askama::Template;
use axum::response::Response;
use serde_json::Value;

use crate::pages::render::html;
use crate::pages::shell::Shell;
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "api.html")]
struct ApiPage {
    shell: Shell,
    about: String,
    operations: Vec<Operation>,
}

/// An operation of the API.
struct Operation {
    method: String,
    path: String,
    summary: String,
    description: String,
    parameters: Vec<Parameter>,
    answers: Vec<(String, String)>,
    /// Whether it is read and its path has no parameters, so that it can be linked to.
    is_open: bool,
}

struct Parameter {
    name: String,
    place: String,
    description: String,
    is_required: bool,
}

pub async fn page() -> Result<Response, Problem> {
    let document = serde_json::to_value(crate::api::document())
        .map_err(|error| Problem::unavailable(format!("the description cannot be written: {error}")))?;
    let about = text(&document["info"]["description"]);
    html(&ApiPage { shell: Shell::of("api"), about, operations: operations(&document) })
}

fn operations(document: &Value) -> Vec<Operation> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let methods = paths.flat_map(|(path, methods)| methods.as_object().into_iter().flatten().map(move |of| (path, of)));
    methods.map(|(path, (method, described))| operation(method, path, described)).collect()
}

fn operation(method: &str, path: &str, described: &Value) -> Operation {
    let answer = |(status, answer): (&String, &Value)| (status.clone(), kind(answer));
    Operation {
        method: method.to_ascii_uppercase(),
        path: path.to_owned(),
        summary: text(&described["summary"]),
        description: text(&described["description"]),
        parameters: described["parameters"].as_array().into_iter().flatten().map(parameter).collect(),
        answers: described["responses"].as_object().into_iter().flatten().map(answer).collect(),
        is_open: method == "get" && !path.contains('{'),
    }
}

fn parameter(value: &Value) -> Parameter {
    Parameter {
        name: text(&value["name"]),
        place: text(&value["in"]),
        description: text(&value["description"]),
        is_required: value["required"].as_bool().unwrap_or(false),
    }
}

/// The media type and schema of a response, or else its description.
fn kind(answer: &Value) -> String {
    let content = answer["content"].as_object().and_then(|content| content.iter().next());
    match content {
        None => text(&answer["description"]),
        Some((media_type, content)) => {
            let schema = content["schema"]["$ref"].as_str().and_then(|name| name.rsplit('/').next());
            schema.map_or_else(|| media_type.clone(), |schema| format!("{schema} ({media_type})"))
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
