"""The application for a city flat, from a housing system that speaks VERA."""
