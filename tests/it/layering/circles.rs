//! Files of one crate that import each other in a circle, directly or through others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context;
use syn::visit::{self, Visit};
use syn::{Attribute, ItemMod, ItemUse, UseTree};

use super::files;

/// A module's path below its crate: `["fetch", "plan"]`.
type Module = Vec<String>;

/// The import cycle of a crate, if it has one: each module imports the next, and the last one the first.
pub fn circle(folder: &str) -> anyhow::Result<Option<Vec<String>>> {
    let imports = imports(folder)?;
    let mut done = BTreeSet::new();
    for module in imports.keys() {
        if let Some(circle) = search(module, &imports, &mut Vec::new(), &mut done) {
            return Ok(Some(circle.iter().map(|module| module.join("::")).collect()));
        }
    }
    Ok(None)
}

/// Follows imports from a module, and returns the part of the path that forms a cycle.
fn search(
    module: &Module,
    imports: &BTreeMap<Module, BTreeSet<Module>>,
    way: &mut Vec<Module>,
    done: &mut BTreeSet<Module>,
) -> Option<Vec<Module>> {
    if let Some(start) = way.iter().position(|earlier| earlier == module) {
        return Some(way[start..].to_vec());
    }
    if done.contains(module) {
        return None;
    }
    way.push(module.clone());
    let found = imports.get(module).into_iter().flatten().find_map(|next| search(next, imports, way, done));
    way.pop();
    done.insert(module.clone());
    found
}

/// The imports of each module of a crate.
fn imports(folder: &str) -> anyhow::Result<BTreeMap<Module, BTreeSet<Module>>> {
    let files: BTreeMap<Module, String> =
        files(folder)?.into_iter().filter_map(|(path, text)| Some((module(folder, &path)?, text))).collect();
    let modules: BTreeSet<Module> = files.keys().cloned().collect();
    files
        .into_iter()
        .map(|(module, text)| {
            let file = syn::parse_file(&text).with_context(|| format!("parse {}", module.join("::")))?;
            let mut imports = Imports { module: &module, modules: &modules, found: BTreeSet::new() };
            imports.visit_file(&file);
            let found = imports.found;
            Ok((module, found))
        })
        .collect()
}

/// The module of a file; `None` for a crate's root and for tests.
fn module(folder: &str, path: &Path) -> Option<Module> {
    let path = path.to_string_lossy().into_owned();
    let path = path.rsplit_once(&format!("{folder}/"))?.1.strip_suffix(".rs")?.to_owned();
    let path = path.strip_suffix("/mod").unwrap_or(&path);
    let module: Module = path.split('/').map(str::to_owned).collect();
    let is_counted = !matches!(path, "lib" | "main") && module.last().is_some_and(|name| name != "tests");
    is_counted.then_some(module)
}

struct Imports<'a> {
    module: &'a Module,
    modules: &'a BTreeSet<Module>,
    found: BTreeSet<Module>,
}

impl Imports<'_> {
    fn add(&mut self, path: &[String]) {
        let Some(mut target) = self.absolute(path) else { return };
        while !target.is_empty() && !self.modules.contains(&target) {
            target.pop();
        }
        if !target.is_empty() && target != *self.module {
            self.found.insert(target);
        }
    }

    /// A path from the crate's root; `None` if it leads to another crate.
    fn absolute(&self, path: &[String]) -> Option<Module> {
        let (first, rest) = path.split_first()?;
        let below = |base: &[String], rest: &[String]| [base, rest].concat();
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some(below(self.module, rest)),
            "super" => {
                let levels = path.iter().take_while(|name| *name == "super").count();
                Some(below(&self.module[..self.module.len().checked_sub(levels)?], &path[levels..]))
            }
            _ => Some(below(self.module, path))
                .filter(|path| self.modules.contains(&path[..=self.module.len()].to_vec())),
        }
    }

    fn add_tree(&mut self, before: &[String], tree: &UseTree) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.add_tree(&with(&path.ident), &path.tree),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.add_tree(before, tree)),
            UseTree::Name(name) if name.ident == "self" => self.add(before),
            UseTree::Name(name) => self.add(&with(&name.ident)),
            UseTree::Rename(rename) => self.add(&with(&rename.ident)),
            UseTree::Glob(_) => self.add(before),
        }
    }
}

impl<'ast> Visit<'ast> for Imports<'_> {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.add_tree(&[], &item.tree);
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !item.attrs.iter().any(is_for_tests) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if names.len() > 1 {
            self.add(&names);
        }
        visit::visit_path(self, path);
    }
}

fn is_for_tests(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Ident>().is_ok_and(|name| name == "test")
}
