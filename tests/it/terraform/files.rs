//! Reads the `.tf` files: blocks, and the values of expressions as far as they are in the files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::Context;
use hcl::expr::{Expression, ObjectKey, Traversal, TraversalOperator};
use hcl::{Block, Body};

use crate::candlewick::root;

/// The files of one folder, which Terraform reads as one module.
pub struct Module {
    /// The folder below `terraform/`.
    pub name: String,
    bodies: Vec<(String, Body)>,
    locals: BTreeMap<String, Expression>,
}

/// A statement of a policy.
pub struct Statement {
    pub sid: String,
    pub actions: Vec<String>,
}

/// Every module of the stack, and the examples.
pub fn modules() -> anyhow::Result<Vec<Module>> {
    let mut names = vec![String::new()];
    for folder in ["modules", "examples"] {
        for entry in fs::read_dir(root().join("terraform").join(folder)).with_context(|| format!("list {folder}"))? {
            names.push(format!("{folder}/{}", entry?.file_name().to_string_lossy()));
        }
    }
    names.iter().map(|name| Module::read(name)).collect()
}

/// Every `.tf` file, with its path.
pub fn texts() -> anyhow::Result<Vec<(String, String)>> {
    let mut texts = Vec::new();
    for module in modules()? {
        texts.extend(read(&root().join("terraform").join(&module.name))?);
    }
    Ok(texts)
}

fn read(folder: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "tf") {
            let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
            texts.push((path.display().to_string(), text));
        }
    }
    Ok(texts)
}

impl Module {
    /// Reads the module in a folder below `terraform/`.
    pub fn read(name: &str) -> anyhow::Result<Self> {
        let mut bodies = Vec::new();
        for (path, text) in read(&root().join("terraform").join(name))? {
            let body = hcl::parse(&text).with_context(|| format!("parse {path}"))?;
            bodies.push((path, body));
        }
        let locals = bodies.iter().flat_map(|(_, body)| body.blocks()).filter(|block| block.identifier() == "locals");
        let locals = locals.flat_map(|block| block.body().attributes());
        let locals = locals.map(|local| (local.key().to_owned(), local.expr().clone())).collect();
        Ok(Self { name: name.to_owned(), bodies, locals })
    }

    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.bodies.iter().flat_map(|(_, body)| body.blocks())
    }

    /// The block of a kind with these labels.
    pub fn block(&self, path: &[&str]) -> anyhow::Result<&Block> {
        let is = |block: &&Block| {
            block.identifier() == path[0]
                && block.labels().iter().map(hcl::BlockLabel::as_str).eq(path[1..].iter().copied())
        };
        self.blocks().find(is).with_context(|| format!("terraform/{} has no {}", self.name, path.join(".")))
    }

    /// The names of the resources of a type.
    pub fn resources(&self, kind: &str) -> impl Iterator<Item = String> {
        let blocks = self.blocks().filter(move |block| {
            block.identifier() == "resource" && block.labels().first().is_some_and(|label| label.as_str() == kind)
        });
        blocks.filter_map(|block| Some(block.labels().get(1)?.as_str().to_owned()))
    }

    /// An argument of a module call.
    pub fn argument(&self, module: &str, name: &str) -> anyhow::Result<&Expression> {
        let block = self.block(&["module", module])?;
        let found = block.body().attributes().find(|attribute| attribute.key() == name);
        Ok(found.with_context(|| format!("module {module} has no argument {name}"))?.expr())
    }

    /// The value of a local.
    pub fn local(&self, name: &str) -> anyhow::Result<&Expression> {
        self.locals.get(name).with_context(|| format!("terraform/{} has no local {name}", self.name))
    }

    /// The keys of the map that is an argument of a module call; empty if there is no such argument.
    pub fn keys_of(&self, module: &str, argument: &str) -> anyhow::Result<BTreeSet<String>> {
        self.block(&["module", module])?;
        Ok(self.argument(module, argument).map_or_else(|_| BTreeSet::new(), |expression| self.keys_in(expression)))
    }

    /// The keys of the maps to which an expression evaluates.
    pub fn keys_in(&self, expression: &Expression) -> BTreeSet<String> {
        let mut keys = BTreeSet::new();
        self.parts(expression, &mut |part| {
            if let Expression::Object(object) = part {
                keys.extend(object.keys().map(key));
            }
        });
        keys
    }

    /// The actions of the statements to which an expression evaluates.
    pub fn actions_of(&self, expression: &Expression) -> BTreeSet<String> {
        let mut actions = BTreeSet::new();
        self.parts(expression, &mut |part| {
            actions.extend(statement(part).into_iter().flat_map(|statement| statement.actions));
        });
        actions
    }

    /// The strings of a list.
    pub fn strings_of(&self, expression: &Expression) -> Vec<String> {
        let mut strings = Vec::new();
        self.parts(expression, &mut |part| {
            if let Expression::String(text) = part {
                strings.push(text.clone());
            }
        });
        strings
    }

    /// The parts that an expression merges, joins or chooses from: down to its objects and values, but
    /// not into them.
    fn parts(&self, expression: &Expression, see: &mut dyn FnMut(&Expression)) {
        match expression {
            Expression::Array(items) => items.iter().for_each(|item| self.parts(item, see)),
            Expression::FuncCall(call) => call.args.iter().for_each(|argument| self.parts(argument, see)),
            Expression::Parenthesis(inner) => self.parts(inner, see),
            Expression::ForExpr(each) => self.parts(&each.value_expr, see),
            Expression::Conditional(choice) => {
                self.parts(&choice.true_expr, see);
                self.parts(&choice.false_expr, see);
            }
            Expression::Traversal(path) => {
                if let Some(local) = local_name(path).and_then(|name| self.locals.get(name)) {
                    self.parts(local, see);
                }
            }
            value => see(value),
        }
    }

    /// Every attribute's file and name, at any depth.
    pub fn attributes(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for (path, body) in &self.bodies {
            each_attribute(body, &mut |name, _| found.push((path.clone(), name.to_owned())));
        }
        found
    }

    /// Every statement of a policy that is written out anywhere.
    pub fn statements(&self) -> Vec<Statement> {
        let mut found = Vec::new();
        for (_, body) in &self.bodies {
            each_attribute(body, &mut |_, value| each_object(value, &mut |object| found.extend(statement(object))));
        }
        found
    }
}

fn each_attribute(body: &Body, see: &mut dyn FnMut(&str, &Expression)) {
    body.attributes().for_each(|attribute| see(attribute.key(), attribute.expr()));
    body.blocks().for_each(|block| each_attribute(block.body(), see));
}

fn each_object(expression: &Expression, see: &mut dyn FnMut(&Expression)) {
    match expression {
        Expression::Object(object) => {
            see(expression);
            object.values().for_each(|value| each_object(value, see));
        }
        Expression::Array(items) => items.iter().for_each(|item| each_object(item, see)),
        Expression::FuncCall(call) => call.args.iter().for_each(|argument| each_object(argument, see)),
        Expression::Parenthesis(inner) => each_object(inner, see),
        Expression::ForExpr(each) => each_object(&each.value_expr, see),
        Expression::Conditional(choice) => {
            each_object(&choice.true_expr, see);
            each_object(&choice.false_expr, see);
        }
        _ => {}
    }
}

/// An object as a statement of a policy, if it has `Action`.
fn statement(expression: &Expression) -> Option<Statement> {
    let Expression::Object(object) = expression else { return None };
    let value = |name: &str| object.iter().find(|(found, _)| key(found) == name).map(|(_, value)| value);
    let text = |value: &Expression| match value {
        Expression::String(text) => Some(text.clone()),
        _ => None,
    };
    let actions = match value("Action")? {
        Expression::Array(actions) => actions.iter().filter_map(text).collect(),
        action => text(action).into_iter().collect(),
    };
    Some(Statement { sid: value("Sid").and_then(text).unwrap_or_default(), actions })
}

fn key(key: &ObjectKey) -> String {
    match key {
        ObjectKey::Expression(Expression::String(name)) => name.clone(),
        other => other.to_string(),
    }
}

fn local_name(path: &Traversal) -> Option<&str> {
    let Expression::Variable(variable) = &path.expr else { return None };
    match path.operators.first() {
        Some(TraversalOperator::GetAttr(name)) if variable.as_str() == "local" => Some(name.as_str()),
        _ => None,
    }
}
