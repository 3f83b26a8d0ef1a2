//! The tests are in `it/`: one binary, one stack.
