"""Bikes near a place by GBFS, and the resident's parking rights by APDS."""
