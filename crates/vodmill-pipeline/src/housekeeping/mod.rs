//! What is done apart from the work itself: settling jobs that have ended, and removing what nobody
//! needs any more.

pub(crate) mod gc;
pub(crate) mod old_generations;
pub(crate) mod settle;
