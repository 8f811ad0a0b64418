"""The connectors that come with the account; each imports the SDK only, and never another one."""
