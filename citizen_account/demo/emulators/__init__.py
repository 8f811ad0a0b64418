"""The small city's own systems: each speaks one standard, from memory, and can be told to fail."""
