//! A condition as a tree of AND, OR and NOT over tests of one column against literals.
//!
//! AND and OR are split by their tokens and not by the parser's tree: in MySQL `||` is an OR that
//! binds less than AND, and `NOT` binds more or less by a setting, so that the tree of one server
//! could make a part of a disjunction look like a condition of its own.

use sqlparser::ast::{BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments};
use sqlparser::ast::{UnaryOperator, Value};
use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use super::{Tokens, niladic, text};

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// All of them.
    All(Vec<Condition>),
    /// At least one of them.
    Any(Vec<Condition>),
    /// The opposite.
    Not(Box<Condition>),
    /// A test of one column.
    Test {
        /// What the column was qualified with.
        qualifier: Option<String>,
        /// The column.
        column: String,
        /// The test.
        check: Check,
    },
    /// Anything else.
    Other,
}

/// A test of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// `IS NULL`.
    Null,
    /// `IS TRUE`, `IS FALSE`.
    Is(bool),
    /// The value itself as a condition.
    Bare,
    /// A comparison with a literal on the right.
    Compare(Comparison, Literal),
    /// `IS NOT DISTINCT FROM`, `<=>`, `IS`.
    Same(Literal),
    /// `IN` a list of literals.
    In(Vec<Literal>),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<>`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
}

/// A literal whose value is the same on every server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// `NULL`.
    Null,
    /// `TRUE`, `FALSE`.
    Bool(bool),
    /// A whole number.
    Int(i128),
    /// A text.
    Text(String),
}

/// What is known of the value of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is one of these.
    OneOf(Vec<Literal>),
    /// It is not NULL.
    NotNull,
    /// Nothing.
    Anything,
}

/// Reads a condition. What is not understood is [`Condition::Other`].
#[must_use]
pub fn condition(tokens: Tokens, expression: &str) -> Condition {
    if text::parse(tokens, expression).is_err() {
        return Condition::Other;
    }
    let dialect = tokens.dialect();
    match Tokenizer::new(dialect.as_ref(), expression).tokenize_with_location() {
        Ok(found) => {
            let found: Vec<_> = found
                .into_iter()
                .filter(|token| !matches!(token.token, Token::Whitespace(_)))
                .collect();
            Splitter { tokens }.condition(&found)
        }
        Err(_) => Condition::Other,
    }
}

/// What is known of the value of an expression without knowing any column.
#[must_use]
pub fn outcome(tokens: Tokens, expression: &str) -> Outcome {
    text::parse(tokens, expression).map_or(Outcome::Anything, |expr| outcome_of(&expr))
}

/// Like [`outcome`], for an expression that may also come to what `column` holds already: a CASE
/// with `ELSE status`. `None` where it cannot come to that.
#[must_use]
pub fn outcome_besides(tokens: Tokens, expression: &str, column: &str) -> Option<Outcome> {
    let Ok(expr) = text::parse(tokens, expression) else { return None };
    let mut expr = &expr;
    while let Expr::Nested(inner) = expr {
        expr = inner;
    }
    let Expr::Case { conditions, else_result: Some(last), .. } = expr else { return None };
    let branches: Vec<&Expr> =
        conditions.iter().map(|when| &when.result).chain([&**last]).collect();
    let is_column = |expr: &Expr| match expr {
        Expr::Identifier(name) => name.value.to_lowercase() == column.to_lowercase(),
        _ => false,
    };
    let others = branches.iter().filter(|branch| !is_column(branch));
    let same = others.clone().count() < branches.len();
    same.then(|| others.map(|branch| outcome_of(branch)).fold(Outcome::OneOf(Vec::new()), merge))
}

fn outcome_of(expr: &Expr) -> Outcome {
    if let Some(literal) = literal(expr) {
        return Outcome::OneOf(vec![literal]);
    }
    match expr {
        Expr::Nested(inner) => outcome_of(inner),
        Expr::Case { conditions, else_result, .. } => {
            let branches = conditions.iter().map(|when| outcome_of(&when.result));
            let last = match else_result {
                Some(expr) => outcome_of(expr),
                None => Outcome::OneOf(vec![Literal::Null]),
            };
            branches.fold(last, merge)
        }
        Expr::Function(function) if is_coalesce(function) => {
            let FunctionArguments::List(list) = &function.args else { return Outcome::Anything };
            let some_not_null = list.args.iter().any(|arg| match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => {
                    !may_be_null(&outcome_of(expr))
                }
                _ => false,
            });
            if some_not_null { Outcome::NotNull } else { Outcome::Anything }
        }
        _ => Outcome::Anything,
    }
}

fn is_coalesce(function: &sqlparser::ast::Function) -> bool {
    let name = function.name.to_string().to_ascii_lowercase();
    // Under quotes or in a schema it may be anybody's function.
    name == "coalesce" || name == "ifnull"
}

fn may_be_null(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::OneOf(literals) => literals.contains(&Literal::Null),
        Outcome::NotNull => false,
        Outcome::Anything => true,
    }
}

fn merge(a: Outcome, b: Outcome) -> Outcome {
    match (a, b) {
        (Outcome::OneOf(mut a), Outcome::OneOf(b)) => {
            a.extend(b);
            Outcome::OneOf(a)
        }
        (a, b) if !may_be_null(&a) && !may_be_null(&b) => Outcome::NotNull,
        _ => Outcome::Anything,
    }
}

fn literal(expr: &Expr) -> Option<Literal> {
    match expr {
        Expr::Nested(inner) => literal(inner),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match literal(expr)? {
            Literal::Int(number) => Some(Literal::Int(-number)),
            _ => None,
        },
        Expr::Value(value) => match &value.value {
            Value::Null => Some(Literal::Null),
            Value::Boolean(value) => Some(Literal::Bool(*value)),
            Value::Number(digits, false) => digits.parse().ok().map(Literal::Int),
            // MariaDB's `EMPTY_STRING_IS_NULL`.
            Value::SingleQuotedString(text) if !text.is_empty() => {
                Some(Literal::Text(text.clone()))
            }
            _ => None,
        },
        _ => None,
    }
}

struct Splitter {
    tokens: Tokens,
}

fn keyword(token: &TokenWithSpan) -> Option<Keyword> {
    match &token.token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.keyword),
        _ => None,
    }
}

/// The tokens outside of every parenthesis and CASE, by their position.
fn top_level(found: &[TokenWithSpan]) -> Option<Vec<usize>> {
    let mut depth = 0_usize;
    let mut cases = 0_usize;
    let mut top = Vec::new();
    for (at, token) in found.iter().enumerate() {
        let after_dot =
            at.checked_sub(1).is_some_and(|before| found[before].token == Token::Period);
        match &token.token {
            Token::LParen | Token::LBracket | Token::LBrace => depth += 1,
            Token::RParen | Token::RBracket | Token::RBrace => depth = depth.checked_sub(1)?,
            _ if after_dot => {}
            _ if keyword(token) == Some(Keyword::CASE) => cases += 1,
            _ if keyword(token) == Some(Keyword::END) && 0 < cases => cases -= 1,
            _ if depth == 0 && cases == 0 => top.push(at),
            _ => {}
        }
    }
    (depth == 0 && cases == 0).then_some(top)
}

impl Splitter {
    fn condition(&self, found: &[TokenWithSpan]) -> Condition {
        let Some(top) = top_level(found) else { return Condition::Other };
        if let [first, inner @ .., last] = found
            && top.is_empty()
            && first.token == Token::LParen
            && last.token == Token::RParen
            && top_level(inner).is_some()
        {
            return self.condition(inner);
        }
        let is = |at: usize, wanted: Keyword| keyword(&found[at]) == Some(wanted);
        let foreign = |at: usize| {
            let sub = [Keyword::SELECT, Keyword::WITH, Keyword::VALUES, Keyword::TABLE];
            let mysql = self.tokens == Tokens::MySql
                && (is(at, Keyword::XOR)
                    || matches!(found[at].token, Token::StringConcat | Token::Assignment));
            mysql || found[at].token == Token::Comma || sub.iter().any(|word| is(at, *word))
        };
        if top.iter().any(|&at| foreign(at)) {
            return Condition::Other;
        }
        let split = |wanted: &dyn Fn(usize) -> bool| -> Vec<&[TokenWithSpan]> {
            let mut pieces = Vec::new();
            let mut start = 0;
            let mut between = false;
            for &at in &top {
                if is(at, Keyword::BETWEEN) {
                    between = true;
                } else if between && is(at, Keyword::AND) {
                    between = false;
                } else if wanted(at) {
                    pieces.push(&found[start..at]);
                    start = at + 1;
                }
            }
            pieces.push(&found[start..]);
            pieces
        };
        let several = |pieces: Vec<&[TokenWithSpan]>| {
            pieces.into_iter().map(|piece| self.condition(piece)).collect::<Vec<_>>()
        };
        let pieces = split(&|at| is(at, Keyword::OR));
        if 1 < pieces.len() {
            return Condition::Any(several(pieces));
        }
        let both = self.tokens == Tokens::MySql;
        let pieces =
            split(&|at| is(at, Keyword::AND) || (both && found[at].token == Token::Overlap));
        if 1 < pieces.len() {
            return Condition::All(several(pieces));
        }
        match found {
            [not, rest @ ..] if keyword(not) == Some(Keyword::NOT) => {
                // Under `HIGH_NOT_PRECEDENCE` only what stands alone is what is negated.
                let alone = rest.len() == 1 || top_level(rest).is_some_and(|top| top.is_empty());
                if self.tokens == Tokens::MySql && !alone {
                    return Condition::Other;
                }
                Condition::Not(Box::new(self.condition(rest)))
            }
            _ => self.leaf(found),
        }
    }

    fn leaf(&self, found: &[TokenWithSpan]) -> Condition {
        let dialect = self.tokens.dialect();
        let mut parser = Parser::new(dialect.as_ref()).with_tokens_with_locations(found.to_vec());
        match parser.parse_expr() {
            Ok(expr) if parser.peek_token().token == Token::EOF => {
                self.test(&expr).unwrap_or(Condition::Other)
            }
            _ => Condition::Other,
        }
    }

    fn test(&self, expr: &Expr) -> Option<Condition> {
        let not = |condition| Condition::Not(Box::new(condition));
        Some(match expr {
            Expr::Nested(inner) => self.test(inner)?,
            Expr::IsNull(e) => self.on(e, Check::Null)?,
            Expr::IsNotNull(e) => not(self.on(e, Check::Null)?),
            Expr::IsTrue(e) => self.on(e, Check::Is(true))?,
            Expr::IsNotTrue(e) => not(self.on(e, Check::Is(true))?),
            Expr::IsFalse(e) => self.on(e, Check::Is(false))?,
            Expr::IsNotFalse(e) => not(self.on(e, Check::Is(false))?),
            Expr::IsDistinctFrom(e, other) => not(self.on(e, Check::Same(literal(other)?))?),
            Expr::IsNotDistinctFrom(e, other) => self.on(e, Check::Same(literal(other)?))?,
            Expr::InList { expr, list, negated } => {
                let list = list.iter().map(literal).collect::<Option<Vec<_>>>()?;
                let test = self.on(expr, Check::In(list))?;
                if *negated { not(test) } else { test }
            }
            Expr::BinaryOp { left, op, right } => {
                if *op == BinaryOperator::Spaceship {
                    return self.on(left, Check::Same(literal(right)?));
                }
                let comparison = match op {
                    BinaryOperator::Eq => Comparison::Equal,
                    BinaryOperator::NotEq => Comparison::Unequal,
                    BinaryOperator::Lt => Comparison::Less,
                    BinaryOperator::LtEq => Comparison::AtMost,
                    BinaryOperator::Gt => Comparison::More,
                    BinaryOperator::GtEq => Comparison::AtLeast,
                    _ => return None,
                };
                self.on(left, Check::Compare(comparison, literal(right)?))?
            }
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => self.on(expr, Check::Bare)?,
            _ => return None,
        })
    }

    fn on(&self, expr: &Expr, check: Check) -> Option<Condition> {
        let (qualifier, column) = match expr {
            Expr::Nested(inner) => return self.on(inner, check),
            Expr::Identifier(name) => (None, name),
            Expr::CompoundIdentifier(names) => match names.as_slice() {
                [.., table, column] => (Some(table.value.clone()), column),
                _ => return None,
            },
            _ => return None,
        };
        let bare = qualifier.is_none() && column.quote_style.is_none();
        if bare && (niladic(self.tokens, &column.value) || column.value.starts_with('@')) {
            return None;
        }
        Some(Condition::Test { qualifier, column: column.value.clone(), check })
    }
}
