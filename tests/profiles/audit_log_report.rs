//! The rows of one product.

use crate::rows;

rows! { "audit-log-report";
}
