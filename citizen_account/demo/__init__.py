"""A whole small city for `make run` and for tests: nothing here runs in production."""
