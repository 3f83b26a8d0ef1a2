//! Finds the SQL statements in Rust code: every text that begins like one. A text may be a literal, a `concat!` or the
//! expansion of a macro of the code that makes one of those.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use anyhow::{Context, bail, ensure};
use candlewick_test_support::programs::root;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, ExprLit, ItemMacro, ItemMod, Lit, LitStr, Macro, Token};

/// What statements begin with that read or write rows. Others, such as `copy` and `do`, cannot be prepared.
const BEGINNINGS: [&str; 8] = [
    "select ",
    "with ",
    "insert into ",
    "update ",
    "delete from ",
    "create temporary table ",
    "values (",
    "merge into ",
];

/// A file of the programs.
#[derive(Clone, Debug)]
pub struct Source {
    pub place: String,
    pub text: String,
}

impl Source {
    /// The Rust files below a folder of the checkout, without those of tests.
    pub fn below(folder: &str) -> Vec<Self> {
        let mut files = Vec::new();
        collect(&root().join(folder), &mut files);
        assert!(!files.is_empty(), "{folder} has no source: this test looks in the wrong place");
        files
    }
}

fn collect(folder: &Path, files: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name != "tests" {
            collect(&path, files);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            files.push(Source { place: path.display().to_string(), text: fs::read_to_string(&path).unwrap() });
        }
    }
}

/// A statement and where it is.
#[derive(Clone, Debug)]
pub struct Statement {
    pub place: String,
    pub text: String,
}

impl Statement {
    pub fn makes_temporary_table(&self) -> bool {
        self.text.starts_with("create temporary table ")
    }
}

/// The statements of some files. Fails if one is assembled in a way that this module does not know.
pub fn of(sources: &[Source]) -> anyhow::Result<Vec<Statement>> {
    let parse = |source: &Source| syn::parse_file(&source.text).with_context(|| format!("parse {}", source.place));
    let files: Vec<_> = sources.iter().map(parse).collect::<Result<_, _>>()?;
    let mut macros = Macros::default();
    files.iter().for_each(|file| macros.visit_file(file));
    let mut found = Vec::new();
    for (source, file) in sources.iter().zip(&files) {
        // A file's own macro wins over another file's of the same name.
        let mut own = Macros::default();
        own.visit_file(file);
        let mut scan = Scan { macros: [own, macros.clone()], texts: Vec::new(), problem: None };
        scan.visit_file(file);
        if let Some(problem) = scan.problem {
            return Err(problem.context(format!("read the statements of {}", source.place)));
        }
        found.extend(scan.texts.into_iter().map(|text| Statement { place: source.place.clone(), text }));
    }
    Ok(found)
}

fn is_statement(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    BEGINNINGS.iter().any(|beginning| text.starts_with(beginning)) && !is_prose(&text)
}

/// Messages such as `select the series` begin like statements.
fn is_prose(text: &str) -> bool {
    let is_update = text.starts_with("update ") && !text.contains(" set ");
    let is_with = text.starts_with("with ") && !text.contains(" as (");
    let words = text.split_whitespace().count();
    is_update
        || is_with
        || (text.starts_with("select ") && words > 2 && !text.contains(" from ") && !text.contains(['(', ',', '\'']))
}

fn is_for_tests(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Ident>().is_ok_and(|name| name == "test")
}

/// The macros of the code that expand to a text: their parameters and their bodies.
#[derive(Clone, Debug, Default)]
struct Macros(HashMap<String, (Vec<String>, String)>);

impl<'ast> Visit<'ast> for Macros {
    fn visit_item_macro(&mut self, item: &'ast ItemMacro) {
        let Some(name) = &item.ident else { return };
        let tokens = with_names(&item.mac.tokens.to_string());
        let Some((pattern, body)) = tokens.split_once("=>") else { return };
        let parameters = pattern.split("__").skip(1).filter_map(|part| part.split([':', ' ']).next());
        let parameters = parameters.map(|name| format!("__{name}")).collect();
        self.0.insert(name.to_string(), (parameters, body.trim().trim_end_matches(';').trim().to_owned()));
    }
}

/// The text of tokens in which the parameter `$rest` is the name `__rest`, which an expression can contain. Parameters of
/// SQL, such as `$1`, stay.
fn with_names(tokens: &str) -> String {
    let mut text = String::new();
    let mut parts = tokens.split('$');
    text.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let name = part.trim_start();
        let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic());
        text.push_str(if is_name { "__" } else { "$" });
        text.push_str(if is_name { name } else { part });
    }
    text
}

struct Scan {
    macros: [Macros; 2],
    texts: Vec<String>,
    problem: Option<anyhow::Error>,
}

impl Scan {
    fn add(&mut self, text: String) {
        if is_statement(&text) {
            self.texts.push(text);
        }
    }

    /// The text that an expression makes.
    fn text(&self, expr: &Expr, arguments: &HashMap<String, String>) -> anyhow::Result<String> {
        match expr {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(text.value()),
            Expr::Path(path) => {
                let name = path.path.require_ident().context("find a parameter")?.to_string();
                arguments.get(&name).cloned().with_context(|| format!("{name} is not a text"))
            }
            Expr::Block(block) => match &block.block.stmts[..] {
                [syn::Stmt::Expr(tail, None)] => self.text(tail, arguments),
                [syn::Stmt::Macro(tail)] => self.expanded(&tail.mac, arguments),
                _ => bail!("a macro that makes a text has more than one expression"),
            },
            Expr::Macro(expr) => self.expanded(&expr.mac, arguments),
            _ => bail!("a statement is put together from more than texts"),
        }
    }

    fn expanded(&self, mac: &Macro, arguments: &HashMap<String, String>) -> anyhow::Result<String> {
        let name = mac.path.require_ident().context("find a macro")?.to_string();
        let texts: Vec<_> =
            arguments_of(mac)?.iter().map(|argument| self.text(argument, arguments)).collect::<Result<_, _>>()?;
        if name == "concat" {
            return Ok(texts.concat());
        }
        let known = self.macros.iter().find_map(|macros| macros.0.get(&name));
        let (parameters, body) = known.with_context(|| format!("there is no macro {name}"))?;
        ensure!(parameters.len() == texts.len(), "{name}! takes {} texts", parameters.len());
        let body: Expr = syn::parse_str(body).with_context(|| format!("read the macro {name}"))?;
        self.text(&body, &parameters.iter().cloned().zip(texts).collect())
    }
}

fn arguments_of(mac: &Macro) -> syn::Result<Vec<Expr>> {
    let list = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(mac.tokens.clone())?;
    Ok(list.into_iter().collect())
}

/// A statement between quotes, in the text of tokens.
static QUOTED: LazyLock<Vec<String>> =
    LazyLock::new(|| BEGINNINGS.iter().map(|beginning| format!("\"{beginning}")).collect());

impl<'ast> Visit<'ast> for Scan {
    fn visit_lit_str(&mut self, text: &'ast LitStr) {
        self.add(text.value());
    }

    fn visit_macro(&mut self, mac: &'ast Macro) {
        let name = mac.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
        let is_text = name == "concat" || self.macros.iter().any(|macros| macros.0.contains_key(&name));
        let tokens = mac.tokens.to_string();
        match self.expanded(mac, &HashMap::new()) {
            Ok(text) if is_text => self.add(text),
            _ if !QUOTED.iter().any(|beginning| tokens.contains(beginning)) => {}
            Err(error) if is_text => drop(self.problem.get_or_insert(error)),
            _ => self.visit_arguments(mac, &name),
        }
    }

    fn visit_attribute(&mut self, _: &'ast Attribute) {}

    fn visit_item_macro(&mut self, item: &'ast ItemMacro) {
        // The definition of a macro is read where it is used.
        if item.ident.is_none() {
            visit::visit_item_macro(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !item.attrs.iter().any(is_for_tests) {
            visit::visit_item_mod(self, item);
        }
    }
}

impl Scan {
    /// Looks for statements in the arguments of a macro that makes no text, such as `vec!`.
    fn visit_arguments(&mut self, mac: &Macro, name: &str) {
        let arguments = match arguments_of(mac) {
            Ok(arguments) if name != "format" => arguments,
            Ok(arguments) if !self.text(&arguments[0], &HashMap::new()).is_ok_and(|text| is_statement(&text)) => return,
            _ => {
                let problem = anyhow::anyhow!("{name}!({}) may have a statement", mac.tokens);
                self.problem.get_or_insert(problem);
                return;
            }
        };
        let mut inner = Scan { macros: self.macros.clone(), texts: Vec::new(), problem: None };
        arguments.iter().for_each(|argument| inner.visit_expr(argument));
        self.texts.extend(inner.texts);
        self.problem = self.problem.take().or(inner.problem);
    }
}
