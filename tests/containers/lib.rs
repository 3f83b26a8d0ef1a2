//! The tests are in `it/`: one binary, one network of containers.
