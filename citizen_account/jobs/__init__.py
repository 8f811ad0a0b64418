"""Work that nobody waits for: the outbox's errands and what is done periodically."""
