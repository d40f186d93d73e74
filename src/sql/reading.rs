//! What one expression reads and calls.
//!
//! The walk over the syntax tree knows the forms that it lists. Every other form makes the whole
//! expression [`Unread`], so that nothing counts as harmless because it was not looked at.

use sqlparser::ast::{
    AccessExpr, Array, BinaryOperator, DataType, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentClause, FunctionArguments, Ident, ObjectName, Subscript, Value,
};

use super::{Tokens, niladic, text};
use crate::catalog::TableName;

/// Why an expression could not be read, as the end of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread(pub String);

/// What an expression reads and calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// The columns that it names.
    pub columns: Vec<ColumnRef>,
    /// What it does with them that the server may have to be asked about.
    pub uses: Vec<Use>,
    /// The tables that its subqueries name.
    pub tables: Vec<TableName>,
    /// `orders.*`, with the name before the star; empty for a star alone.
    pub whole_rows: Vec<String>,
    /// User variables and system variables.
    pub variables: Vec<String>,
    /// Reasons why a subquery may answer differently from the same rows.
    pub undetermined: Vec<&'static str>,
}

/// A name that stands for a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnRef {
    /// Its parts: the column last, before it what qualifies it.
    pub path: Vec<String>,
    /// Whether it stands in a subquery, where it may be the column of another table.
    pub inner: bool,
    /// Whether it is in double quotes, which this server may read as a text.
    pub maybe_text: bool,
}

impl ColumnRef {
    /// The column's own name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }

    /// The table that it was qualified with.
    #[must_use]
    pub fn qualifier(&self) -> Option<&str> {
        self.path.iter().rev().nth(1).map(String::as_str)
    }
}

/// Something that only the server knows the nature of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Use {
    /// A call.
    Call(Call),
    /// An operator, by its name.
    Operator(String),
    /// A cast to the type.
    Cast(String),
    /// A text, which may mean the present moment where a time is expected.
    Text(String),
}

/// A call of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The schema, if one was given.
    pub schema: Option<String>,
    /// The name.
    pub name: String,
    /// Whether the name was quoted, and so keeps its letters' case.
    pub quoted: bool,
    /// Whether it is a keyword without parentheses, such as `CURRENT_TIMESTAMP`.
    pub keyword: bool,
    /// The texts among the arguments; `None` for an argument that is none.
    pub arguments: Vec<Option<String>>,
}

impl Call {
    fn plain(name: &str, arguments: usize) -> Self {
        Self {
            schema: None,
            name: name.to_owned(),
            quoted: false,
            keyword: false,
            arguments: vec![None; arguments],
        }
    }
}

/// Reads an expression.
///
/// # Errors
///
/// It holds something whose meaning is not known here.
pub fn read(tokens: Tokens, expression: &str) -> Result<Reading, Unread> {
    let parsed = text::parse(tokens, expression)?;
    let mut walk = Walk { tokens, reading: Reading::default(), scopes: Vec::new(), ctes: vec![] };
    walk.expr(&parsed)?;
    Ok(walk.reading)
}

/// The walk, with what the subqueries around the present place have named.
pub(super) struct Walk {
    pub tokens: Tokens,
    pub reading: Reading,
    /// The aliases of the tables of each subquery, the innermost last, in lower case.
    pub scopes: Vec<Vec<String>>,
    /// The names that `WITH` defined, in lower case.
    pub ctes: Vec<String>,
}

pub(super) type Walked = Result<(), Unread>;

pub(super) fn unread<T>(what: impl Into<String>) -> Result<T, Unread> {
    Err(Unread(what.into()))
}

/// Aggregates whose result depends on the order in which they meet the rows.
const ORDERED: [&str; 13] = [
    "array_agg",
    "group_concat",
    "json_agg",
    "json_arrayagg",
    "json_group_array",
    "json_group_object",
    "json_object_agg",
    "json_objectagg",
    "jsonb_agg",
    "jsonb_object_agg",
    "listagg",
    "string_agg",
    "xmlagg",
];

/// The parts of a qualified name.
pub(super) fn parts(name: &ObjectName) -> Result<Vec<String>, Unread> {
    let part = |part: &sqlparser::ast::ObjectNamePart| part.as_ident().map(|i| i.value.clone());
    name.0.iter().map(part).collect::<Option<_>>().ok_or_else(|| Unread(format!("`{name}`")))
}

impl Walk {
    pub fn all<'a>(&mut self, list: impl IntoIterator<Item = &'a Expr>) -> Walked {
        list.into_iter().try_for_each(|expr| self.expr(expr))
    }

    fn operator(&mut self, name: &dyn std::fmt::Display) {
        let name = name.to_string();
        // `OPERATOR(schema.+)`
        let bare =
            name.strip_prefix("OPERATOR(").map_or(name.as_str(), |n| n.trim_end_matches(')'));
        let bare = bare.rsplit('.').next().unwrap_or(bare);
        self.reading.uses.push(Use::Operator(bare.to_owned()));
    }

    fn call(&mut self, name: &str, arguments: usize) {
        self.reading.uses.push(Use::Call(Call::plain(name, arguments)));
    }

    pub fn in_scope(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        self.scopes.iter().any(|scope| scope.contains(&name))
    }

    pub fn expr(&mut self, expr: &Expr) -> Walked {
        match expr {
            Expr::Identifier(ident) => {
                self.name(std::slice::from_ref(ident));
                Ok(())
            }
            Expr::CompoundIdentifier(idents) => {
                self.name(idents);
                Ok(())
            }
            Expr::CompoundFieldAccess { root, access_chain } => {
                self.expr(root)?;
                access_chain.iter().try_for_each(|access| self.access(access))
            }
            Expr::IsFalse(e)
            | Expr::IsNotFalse(e)
            | Expr::IsTrue(e)
            | Expr::IsNotTrue(e)
            | Expr::IsNull(e)
            | Expr::IsNotNull(e)
            | Expr::IsUnknown(e)
            | Expr::IsNotUnknown(e)
            | Expr::Nested(e)
            | Expr::Collate { expr: e, .. }
            | Expr::IsNormalized { expr: e, .. }
            | Expr::IsJson { expr: e, .. }
            | Expr::Extract { expr: e, .. } => self.expr(e),
            Expr::IsDistinctFrom(a, b) | Expr::IsNotDistinctFrom(a, b) => {
                self.operator(&"=");
                self.all([&**a, &**b])
            }
            Expr::InList { expr, list, .. } => {
                self.operator(&"=");
                self.expr(expr)?;
                self.all(list)
            }
            Expr::InSubquery { expr, subquery, .. } => {
                self.operator(&"=");
                self.expr(expr)?;
                self.query(subquery)
            }
            Expr::Between { expr, low, high, .. } => {
                self.operator(&">=");
                self.operator(&"<=");
                self.all([&**expr, &**low, &**high])
            }
            Expr::BinaryOp { .. } => self.binary(expr),
            Expr::Like { expr, pattern, escape_char, any: false, .. } => {
                self.operator(&"~~");
                self.pattern(expr, pattern, escape_char.as_deref())
            }
            Expr::ILike { expr, pattern, escape_char, any: false, .. } => {
                self.operator(&"~~*");
                self.pattern(expr, pattern, escape_char.as_deref())
            }
            Expr::SimilarTo { expr, pattern, escape_char, .. } => {
                self.pattern(expr, pattern, escape_char.as_deref())
            }
            Expr::RLike { expr, pattern, .. } => self.pattern(expr, pattern, None),
            Expr::AnyOp { left, compare_op, right, .. }
            | Expr::AllOp { left, compare_op, right } => {
                self.operator(compare_op);
                self.all([&**left, &**right])
            }
            Expr::UnaryOp { op, expr } => {
                self.operator(op);
                self.expr(expr)
            }
            Expr::Cast { expr, data_type, format: None, .. } => self.cast(expr, data_type),
            Expr::Convert { is_try: false, expr, data_type, styles, .. } if styles.is_empty() => {
                match data_type {
                    Some(data_type) => self.cast(expr, data_type),
                    None => self.expr(expr),
                }
            }
            Expr::TypedString(typed) => {
                self.reading.uses.push(Use::Cast(typed.data_type.to_string()));
                self.value(&typed.value.value)
            }
            Expr::AtTimeZone { timestamp, time_zone } => self.all([&**timestamp, &**time_zone]),
            Expr::Ceil { expr, .. } => {
                self.call("ceil", 1);
                self.expr(expr)
            }
            Expr::Floor { expr, .. } => {
                self.call("floor", 1);
                self.expr(expr)
            }
            Expr::Position { expr, r#in } => self.all([&**expr, &**r#in]),
            Expr::Substring { expr, substring_from, substring_for, .. } => {
                let rest = substring_from.iter().chain(substring_for);
                self.call("substring", 1 + rest.clone().count());
                self.expr(expr)?;
                self.all(rest.map(|e| &**e))
            }
            Expr::Trim { trim_what, expr, trim_characters, .. } => {
                self.expr(expr)?;
                self.all(trim_what.as_deref())?;
                self.all(trim_characters.iter().flatten())
            }
            Expr::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
                self.all([&**expr, &**overlay_what, &**overlay_from])?;
                self.all(overlay_for.as_deref())
            }
            Expr::Value(value) => self.value(&value.value),
            Expr::Prefixed { value, .. } => self.expr(value),
            Expr::Function(function) => self.function(function),
            Expr::Case { operand, conditions, else_result, .. } => {
                if let Some(operand) = operand {
                    self.operator(&"=");
                    self.expr(operand)?;
                }
                for when in conditions {
                    self.all([&when.condition, &when.result])?;
                }
                self.all(else_result.as_deref())
            }
            Expr::Exists { subquery, .. } | Expr::Subquery(subquery) => self.query(subquery),
            Expr::Tuple(list) | Expr::Array(Array { elem: list, .. }) => self.all(list),
            Expr::Interval(interval) => self.expr(&interval.value),
            _ => unread(format!("`{}` is a form whose meaning is not known here", shown(expr))),
        }
    }

    /// A chain of operators, whose left ends are nested as deep as the chain is long.
    fn binary(&mut self, mut expr: &Expr) -> Walked {
        while let Expr::BinaryOp { left, op, right } = expr {
            if *op == BinaryOperator::Assignment {
                return unread("it assigns to a variable");
            }
            self.operator(op);
            self.expr(right)?;
            expr = left;
        }
        self.expr(expr)
    }

    fn pattern(&mut self, expr: &Expr, pattern: &Expr, escape: Option<&Expr>) -> Walked {
        self.all([expr, pattern])?;
        self.all(escape)
    }

    fn cast(&mut self, expr: &Expr, to: &DataType) -> Walked {
        self.reading.uses.push(Use::Cast(to.to_string()));
        self.expr(expr)
    }

    fn access(&mut self, access: &AccessExpr) -> Walked {
        match access {
            // The field of a composite value: a name that is no column.
            AccessExpr::Dot(Expr::Identifier(_)) => Ok(()),
            AccessExpr::Dot(other) => unread(format!("`.{other}` is not known here")),
            AccessExpr::Subscript(Subscript::Index { index }) => self.expr(index),
            AccessExpr::Subscript(Subscript::Slice { lower_bound, upper_bound, stride }) => {
                self.all(lower_bound.iter().chain(upper_bound).chain(stride))
            }
        }
    }

    fn value(&mut self, value: &Value) -> Walked {
        match value {
            Value::Number(..) | Value::Boolean(_) | Value::Null | Value::HexStringLiteral(_) => {}
            Value::SingleQuotedByteStringLiteral(_) => {}
            Value::SingleQuotedString(text)
            | Value::EscapedStringLiteral(text)
            | Value::UnicodeStringLiteral(text)
            | Value::NationalStringLiteral(text) => {
                self.reading.uses.push(Use::Text(text.clone()));
            }
            Value::DollarQuotedString(text) => {
                self.reading.uses.push(Use::Text(text.value.clone()));
            }
            Value::DoubleQuotedString(text) => {
                self.reading.uses.push(Use::Text(text.clone()));
                self.column(vec![text.clone()], true);
            }
            other => return unread(format!("`{other}` is not known here")),
        }
        Ok(())
    }

    fn column(&mut self, path: Vec<String>, maybe_text: bool) {
        let inner = !self.scopes.is_empty();
        self.reading.columns.push(ColumnRef { path, inner, maybe_text });
    }

    fn name(&mut self, idents: &[Ident]) {
        let path: Vec<String> = idents.iter().map(|ident| ident.value.clone()).collect();
        let quote = idents.first().and_then(|ident| ident.quote_style);
        match path.as_slice() {
            [name, ..] if quote.is_none() && name.starts_with('@') => {
                self.reading.variables.push(path.join("."));
            }
            [name] if quote.is_none() && niladic(self.tokens, name) => {
                let call = Call { keyword: true, ..Call::plain(name, 0) };
                self.reading.uses.push(Use::Call(call));
            }
            [.., table, _] if self.in_scope(table) => {}
            _ => {
                let maybe_text = self.tokens == Tokens::Sqlite && quote == Some('"');
                self.column(path, maybe_text && idents.len() == 1);
            }
        }
    }

    fn function(&mut self, function: &Function) -> Walked {
        if function.over.is_some() {
            return unread("it holds a window function");
        }
        if function.uses_odbc_syntax || !matches!(function.parameters, FunctionArguments::None) {
            return unread(format!("the call of `{}` is not known here", function.name));
        }
        let path = parts(&function.name)?;
        let quoted = function.name.0.last().and_then(|p| p.as_ident()?.quote_style).is_some();
        let (name, schema) = match path.as_slice() {
            [name] => (name, None),
            [schema, name] => (name, Some(schema.clone())),
            _ => return unread(format!("the call of `{}` is not known here", function.name)),
        };
        let mut call = Call {
            schema,
            quoted,
            keyword: matches!(function.args, FunctionArguments::None),
            ..Call::plain(name, 0)
        };
        let mut ordered = !function.within_group.is_empty();
        self.all(function.within_group.iter().map(|order| &order.expr))?;
        self.all(function.filter.as_deref())?;
        match &function.args {
            FunctionArguments::None => {}
            FunctionArguments::Subquery(query) => {
                self.query(query)?;
                if name.eq_ignore_ascii_case("array") {
                    return Ok(());
                }
                call.arguments.push(None);
            }
            FunctionArguments::List(list) => {
                for arg in &list.args {
                    call.arguments.push(self.argument(arg)?);
                }
                for clause in &list.clauses {
                    match clause {
                        FunctionArgumentClause::OrderBy(order) => {
                            ordered = true;
                            self.all(order.iter().map(|order| &order.expr))?;
                        }
                        FunctionArgumentClause::Separator(_)
                        | FunctionArgumentClause::JsonNullClause(_)
                        | FunctionArgumentClause::JsonReturningClause(_) => {}
                        other => return unread(format!("`{other}` is not known here")),
                    }
                }
            }
        }
        if !ordered && ORDERED.contains(&name.to_lowercase().as_str()) {
            self.reading.undetermined.push("it gathers rows in no stated order");
        }
        self.reading.uses.push(Use::Call(call));
        Ok(())
    }

    /// Walks an argument, and returns its text if it is one.
    fn argument(&mut self, arg: &FunctionArg) -> Result<Option<String>, Unread> {
        let (FunctionArg::Unnamed(arg) | FunctionArg::Named { arg, .. }) = arg else {
            return unread(format!("the argument `{arg}` is not known here"));
        };
        match arg {
            FunctionArgExpr::Expr(expr) => {
                self.expr(expr)?;
                Ok(match expr {
                    Expr::Value(value) => value.value.clone().into_string(),
                    _ => None,
                })
            }
            FunctionArgExpr::QualifiedWildcard(name) => {
                self.whole_row(name)?;
                Ok(None)
            }
            // `count(*)`: the rows of the subquery. Outside of one the server refuses it.
            FunctionArgExpr::Wildcard => Ok(None),
            FunctionArgExpr::WildcardWithOptions(_) => unread("`*` with options is not known here"),
        }
    }

    pub fn whole_row(&mut self, name: &ObjectName) -> Walked {
        let path = parts(name)?;
        let last = path.last().cloned().unwrap_or_default();
        if !self.in_scope(&last) {
            self.reading.whole_rows.push(last);
        }
        Ok(())
    }
}

fn shown(expr: &Expr) -> String {
    let text = expr.to_string();
    let cut: String = text.chars().take(60).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(tokens: Tokens, text: &str) -> String {
        let reading = read(tokens, text).unwrap();
        let shown = |column: &ColumnRef| {
            format!("{}{}", column.path.join("."), if column.inner { "^" } else { "" })
        };
        let mut columns: Vec<_> = reading.columns.iter().map(shown).collect();
        columns.sort();
        columns.join(" ")
    }

    #[test]
    fn columns_are_found_wherever_they_stand() {
        use Tokens::{MySql, Postgres, Sqlite};
        let cases = [
            (Postgres, "a + t.b * 2 -- c", "a t.b"),
            (Postgres, "CASE a WHEN 1 THEN b ELSE \"C\" END", "C a b"),
            (Postgres, "(t).a", "t"),
            (Postgres, "row_to_json(t)", "t"),
            (Postgres, "(a[b]::text) COLLATE \"C\"", "a b"),
            (Postgres, "extract(year FROM a AT TIME ZONE b)", "a b"),
            (Postgres, "trim(both a from b) || overlay(c placing d from 1)", "a b c d"),
            (Postgres, "(SELECT x.n FROM other x WHERE x.id = b AND c > t.a)", "b^ c^ t.a^"),
            (Postgres, "EXISTS (SELECT * FROM o WHERE o.a = 1)", ""),
            (Postgres, "ARRAY(SELECT a FROM o)", "a^"),
            (Postgres, "count(*) FILTER (WHERE a > 1)", "a"),
            (MySql, "concat(`a`, \"b\")", "a b"),
            (MySql, "date_add(a, INTERVAL b DAY)", "a b"),
            (MySql, "a DIV b % c", "a b c"),
            (Sqlite, "\"a\" || 'b' || [c]", "a c"),
        ];
        for (tokens, text, expected) in cases {
            assert_eq!(columns(tokens, text), expected, "{text}");
        }
    }

    #[test]
    fn tables_whole_rows_and_variables_are_found() {
        let of = |tokens, text: &str| read(tokens, text).unwrap();
        let tables = |text: &str| -> Vec<String> {
            let found = of(Tokens::Postgres, text).tables;
            found.iter().map(ToString::to_string).collect()
        };
        assert_eq!(
            tables("(SELECT n FROM a JOIN s.b ON true, (SELECT 1 FROM c) AS d)"),
            ["a", "s.b", "c"]
        );
        // In its own body the name is that of a table, after it the name of what WITH defined.
        assert_eq!(tables("(WITH x AS (SELECT 1 FROM x) SELECT 1 FROM x)"), ["x"]);
        assert_eq!(of(Tokens::Postgres, "to_json(t.*)").whole_rows, ["t"]);
        assert_eq!(of(Tokens::Postgres, "(SELECT t.* FROM o AS t)").whole_rows, [""; 0]);
        assert_eq!(of(Tokens::MySql, "@n + @@session.x").variables.len(), 2);
        assert_eq!(of(Tokens::Postgres, "(SELECT n FROM a LIMIT 1)").undetermined.len(), 1);
        assert_eq!(
            of(Tokens::Postgres, "(SELECT n FROM a ORDER BY n LIMIT 1)").undetermined,
            [""; 0]
        );
    }

    #[test]
    fn calls_are_told_with_their_arguments() {
        let calls = |tokens, text: &str| -> Vec<String> {
            let shown = |one: &Use| match one {
                Use::Call(call) => Some(format!("{}/{}", call.name, call.arguments.len())),
                _ => None,
            };
            read(tokens, text).unwrap().uses.iter().filter_map(shown).collect()
        };
        assert_eq!(calls(Tokens::Postgres, "now() > CURRENT_DATE"), ["CURRENT_DATE/0", "now/0"]);
        assert_eq!(calls(Tokens::MySql, "utc_timestamp"), ["utc_timestamp/0"]);
        assert_eq!(calls(Tokens::MySql, "`utc_timestamp`"), [""; 0]);
        assert_eq!(calls(Tokens::Postgres, "s.f(g(a), 'x')"), ["g/1", "f/2"]);
    }

    #[test]
    fn what_is_not_understood_is_unread() {
        use Tokens::{MySql, Postgres, Sqlite};
        let cases = [
            (Postgres, "sum(a) OVER (ORDER BY b)"),
            (Postgres, "a +"),
            (Postgres, "a b c"),
            (Postgres, "'it\\'s'"),
            (Postgres, "(SELECT 1 FROM generate_series(1, 2))"),
            (MySql, "a /*!50000 + rand() */"),
            (MySql, "a /*M! + rand() */"),
            (MySql, "a--rand()"),
            (MySql, "@n := a"),
            (Sqlite, "1 /* a /* b */ + c"),
            (Postgres, "(SELECT a FROM o TABLESAMPLE system (1))"),
        ];
        for (tokens, text) in cases {
            assert!(read(tokens, text).is_err(), "{text}");
        }
        let long = vec!["a"; 5_000].join(" + ");
        assert!(read(Postgres, &long).is_err());
    }
}
