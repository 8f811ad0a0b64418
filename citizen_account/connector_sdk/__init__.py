"""Write a connector: all that one may import from the citizen account, and nothing of its inside.

Start at `protocol` (what a connector can do), `models` (what it answers), `errors` (how it says
no) and `manifest` (how it introduces itself). `http` is the client that it is given.
"""
