//! The events. A boxed ring carries any type that is `Send + Sync`, and subscribers borrow it.

use std::fmt;
use std::sync::Arc;

pub(crate) struct Order {
    pub(crate) id: u32,
    pub(crate) customer: String,
    pub(crate) teapots: u32,
}

pub(crate) enum Event {
    /// The `Arc` lets a component keep the order for longer than it borrows the event.
    OrderPlaced(Arc<Order>),
    Reserved {
        order: u32,
        left: u32,
    },
    OutOfStock {
        order: u32,
    },
    MailSent {
        order: u32,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OrderPlaced(order) => {
                write!(f, "order {} placed: {} teapots for {}", order.id, order.teapots, order.customer)
            }
            Self::Reserved { order, left } => write!(f, "order {order} reserved, {left} teapots left"),
            Self::OutOfStock { order } => write!(f, "order {order} rejected: out of stock"),
            Self::MailSent { order } => write!(f, "order {order}: mail sent"),
        }
    }
}
