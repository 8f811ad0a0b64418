"""Give a connector its one way out: to the address that the operator wrote, and no other."""
