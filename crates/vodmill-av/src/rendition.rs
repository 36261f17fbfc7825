//! The private form of an encoded stream: packets on the grid, with a checked end.
