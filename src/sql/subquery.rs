//! What a subquery names, as part of [`super::reading`].

use sqlparser::ast::{
    Distinct, GroupByExpr, JoinConstraint, JoinOperator, LimitClause, ObjectName, OrderByKind,
    Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, TableAlias, TableFactor,
    TableWithJoins,
};

use super::reading::{Walk, Walked, parts, unread};
use crate::catalog::TableName;

impl Walk {
    pub(super) fn query(&mut self, query: &Query) -> Walked {
        if query.fetch.is_some()
            || !query.locks.is_empty()
            || query.for_clause.is_some()
            || query.settings.is_some()
            || query.format_clause.is_some()
            || !query.pipe_operators.is_empty()
        {
            return unread("a subquery has a clause that is not known here");
        }
        let defined = self.ctes.len();
        self.scopes.push(Vec::new());
        let walked = self.query_body(query);
        self.scopes.pop();
        self.ctes.truncate(defined);
        walked
    }

    fn query_body(&mut self, query: &Query) -> Walked {
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            let name = cte.alias.name.value.to_lowercase();
            // A body sees its own name only under RECURSIVE; else the name is that of a table.
            if query.with.as_ref().is_some_and(|with| with.recursive) {
                self.ctes.push(name);
                self.query(&cte.query)?;
            } else {
                self.query(&cte.query)?;
                self.ctes.push(name);
            }
        }
        self.set(&query.body)?;
        let ordered = query.order_by.is_some();
        if let Some(order) = &query.order_by {
            let OrderByKind::Expressions(list) = &order.kind else {
                return unread("`ORDER BY ALL` is not known here");
            };
            self.all(list.iter().map(|order| &order.expr))?;
        }
        let cut = match &query.limit_clause {
            None => false,
            Some(LimitClause::LimitOffset { limit, offset, limit_by }) if limit_by.is_empty() => {
                self.all(limit)?;
                self.all(offset.iter().map(|offset| &offset.value))?;
                true
            }
            Some(LimitClause::OffsetCommaLimit { offset, limit }) => {
                self.all([offset, limit])?;
                true
            }
            Some(_) => return unread("`LIMIT BY` is not known here"),
        };
        if cut && !ordered {
            self.reading.undetermined.push("it takes some of the rows (LIMIT) in no stated order");
        }
        Ok(())
    }

    fn set(&mut self, set: &SetExpr) -> Walked {
        match set {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => self.query(query),
            SetExpr::SetOperation { left, right, .. } => {
                // Each side has tables of its own; that their names are kept for the other side
                // could hide a column of the target there, so each gets a scope.
                for side in [left, right] {
                    self.scopes.push(Vec::new());
                    let walked = self.set(side);
                    self.scopes.pop();
                    walked?;
                }
                Ok(())
            }
            SetExpr::Values(values) => self.all(values.rows.iter().flat_map(|row| row.iter())),
            _ => unread("a subquery is neither SELECT nor VALUES"),
        }
    }

    fn select(&mut self, select: &Select) -> Walked {
        let known = select.top.is_none()
            && select.exclude.is_none()
            && select.into.is_none()
            && select.lateral_views.is_empty()
            && select.prewhere.is_none()
            && select.connect_by.is_empty()
            && select.cluster_by.is_empty()
            && select.distribute_by.is_empty()
            && select.sort_by.is_empty()
            && select.named_window.is_empty()
            && select.qualify.is_none()
            && select.value_table_mode.is_none();
        if !known {
            return unread("a SELECT has a clause that is not known here");
        }
        // The tables first: their names tell which columns are not the target's.
        for from in &select.from {
            self.aliases(from)?;
        }
        for from in &select.from {
            self.from(from)?;
        }
        if let Some(Distinct::On(list)) = &select.distinct {
            self.reading.undetermined.push("it takes one of several rows (DISTINCT ON)");
            self.all(list)?;
        }
        for item in &select.projection {
            match item {
                SelectItem::UnnamedExpr(expr)
                | SelectItem::ExprWithAlias { expr, .. }
                | SelectItem::ExprWithAliases { expr, .. } => self.expr(expr)?,
                // A star alone stands for the columns of the tables in FROM.
                SelectItem::Wildcard(_) => {}
                SelectItem::QualifiedWildcard(kind, _) => match kind {
                    SelectItemQualifiedWildcardKind::ObjectName(name) => self.whole_row(name)?,
                    SelectItemQualifiedWildcardKind::Expr(expr) => self.expr(expr)?,
                },
            }
        }
        self.all(&select.selection)?;
        match &select.group_by {
            GroupByExpr::Expressions(list, modifiers) if modifiers.is_empty() => self.all(list)?,
            _ => return unread("a GROUP BY has a form that is not known here"),
        }
        self.all(&select.having)
    }

    fn aliases(&mut self, from: &TableWithJoins) -> Walked {
        let factors =
            std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation));
        for factor in factors {
            let name = match factor {
                TableFactor::Table { name, alias, .. } => match alias {
                    Some(alias) => alias.name.value.clone(),
                    None => parts(name)?.pop().unwrap_or_default(),
                },
                TableFactor::Derived { alias, .. }
                | TableFactor::Function { alias, .. }
                | TableFactor::UNNEST { alias, .. } => match alias {
                    Some(alias) => alias.name.value.clone(),
                    None => continue,
                },
                TableFactor::NestedJoin { table_with_joins, alias: None } => {
                    self.aliases(table_with_joins)?;
                    continue;
                }
                _ => return unread("a FROM has a form that is not known here"),
            };
            if let Some(scope) = self.scopes.last_mut() {
                scope.push(name.to_lowercase());
            }
        }
        Ok(())
    }

    fn from(&mut self, from: &TableWithJoins) -> Walked {
        self.factor(&from.relation)?;
        for join in &from.joins {
            self.factor(&join.relation)?;
            match &join.join_operator {
                JoinOperator::Join(constraint)
                | JoinOperator::Inner(constraint)
                | JoinOperator::Left(constraint)
                | JoinOperator::LeftOuter(constraint)
                | JoinOperator::Right(constraint)
                | JoinOperator::RightOuter(constraint)
                | JoinOperator::FullOuter(constraint)
                | JoinOperator::CrossJoin(constraint)
                | JoinOperator::StraightJoin(constraint) => {
                    if let JoinConstraint::On(expr) = constraint {
                        self.expr(expr)?;
                    }
                }
                _ => return unread("a JOIN has a form that is not known here"),
            }
        }
        Ok(())
    }

    fn factor(&mut self, factor: &TableFactor) -> Walked {
        match factor {
            TableFactor::Table { name, args, sample, version, json_path, with_hints, .. } => {
                if args.is_some()
                    || sample.is_some()
                    || version.is_some()
                    || json_path.is_some()
                    || !with_hints.is_empty()
                {
                    return unread(format!("the table `{name}` is named in a form not known here"));
                }
                self.table(name)
            }
            TableFactor::Derived { subquery, sample: None, .. } => self.query(subquery),
            TableFactor::UNNEST { array_exprs, .. } => self.all(array_exprs),
            TableFactor::NestedJoin { table_with_joins, .. } => self.from(table_with_joins),
            other => {
                unread(format!("`{}` is not known here in a FROM", alias_or(other, "a function")))
            }
        }
    }

    fn table(&mut self, name: &ObjectName) -> Walked {
        let quoted = name.0.last().and_then(|part| part.as_ident()?.quote_style).is_some();
        let (schema, name) = match parts(name)?.as_slice() {
            [name] if self.ctes.contains(&name.to_lowercase()) => return Ok(()),
            [name] => (None, name.clone()),
            [schema, name] => (Some(schema.clone()), name.clone()),
            _ => return unread(format!("the table `{name}` is named in a form not known here")),
        };
        self.reading.tables.push(TableName { schema, name, quoted });
        Ok(())
    }
}

fn alias_or(factor: &TableFactor, other: &str) -> String {
    let alias: Option<&TableAlias> = match factor {
        TableFactor::Function { alias, .. } => alias.as_ref(),
        _ => None,
    };
    alias.map_or_else(|| other.to_owned(), |alias| alias.name.value.clone())
}
