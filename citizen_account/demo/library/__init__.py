"""The City Library: a relying party of its own, which knows nothing of the account's inside."""
