"""Permits and applications, from a case system that speaks the Dutch ZGW standard."""
