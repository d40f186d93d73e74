//! The order of the columns before and after a statement.

use super::shape::Shape;
use crate::sql::statement::{Action, AlterTable, Place};

/// What becomes of the order of the columns.
#[derive(Debug, Clone, Default)]
pub(super) struct Order {
    /// The columns that go.
    pub dropped: Vec<String>,
    /// Those that come and are computed when read.
    pub added_virtual: Vec<String>,
    /// Columns that stay stand in another order among themselves.
    pub moves: bool,
    /// A column that stays and is computed when read has another number.
    pub virtual_moves: bool,
    /// All of them, as they stand afterwards.
    after: Vec<Slot>,
}

#[derive(Debug, Clone)]
struct Slot {
    name: String,
    /// Its number before; none if it is new.
    before: Option<usize>,
    is_virtual: bool,
}

impl Order {
    /// Whether no column of before stands behind a new one.
    pub(super) fn is_last(&self, column: &str) -> bool {
        let at = self.after.iter().rposition(|slot| slot.name.eq_ignore_ascii_case(column));
        at.is_none_or(|at| self.after[at..].iter().all(|slot| slot.before.is_none()))
    }
}

/// What becomes of the order.
pub(super) fn of(alter: &AlterTable, shape: &Shape) -> Order {
    let mut order = Order::default();
    let generated = |column: &crate::sql::statement::Column| {
        column.generated.as_ref().is_some_and(|generated| !generated.stored)
    };
    for (number, column) in shape.table.columns.iter().enumerate() {
        let is_virtual = generated(column);
        let name = column.name.clone();
        order.after.push(Slot { name, before: Some(number), is_virtual });
    }
    for (action, _) in &alter.actions {
        if let Action::DropColumn { name, .. } = action {
            order.dropped.push(name.clone());
            order.after.retain(|slot| !slot.name.eq_ignore_ascii_case(name));
        }
    }
    for (action, _) in &alter.actions {
        match action {
            Action::AddColumn { column, place, .. } => {
                if order.after.iter().any(|slot| slot.name.eq_ignore_ascii_case(&column.name)) {
                    continue;
                }
                let is_virtual = generated(column);
                if is_virtual {
                    order.added_virtual.push(column.name.clone());
                }
                let slot = Slot { name: column.name.clone(), before: None, is_virtual };
                let at = position(&order.after, place.as_ref()).unwrap_or(order.after.len());
                order.after.insert(at, slot);
            }
            Action::Modify { from, column, place, .. } => {
                let same = |slot: &Slot| slot.name.eq_ignore_ascii_case(from);
                let Some(at) = order.after.iter().position(same) else { continue };
                let mut slot = order.after.remove(at);
                slot.name.clone_from(&column.name);
                let to = position(&order.after, place.as_ref()).unwrap_or(at);
                order.after.insert(to.min(order.after.len()), slot);
            }
            _ => {}
        }
    }
    let kept: Vec<usize> =
        order.after.iter().filter(|slot| !slot.is_virtual).filter_map(|slot| slot.before).collect();
    order.moves = !kept.is_sorted();
    order.virtual_moves = order
        .after
        .iter()
        .enumerate()
        .any(|(now, slot)| slot.is_virtual && slot.before.is_some_and(|before| before != now));
    order
}

fn position(slots: &[Slot], place: Option<&Place>) -> Option<usize> {
    match place? {
        Place::First => Some(0),
        Place::After(name) => {
            let same = |slot: &Slot| slot.name.eq_ignore_ascii_case(name);
            slots.iter().position(same).map(|at| at + 1)
        }
    }
}
