"""A whole connector on one page; `citizen-account connector new` starts from it."""
