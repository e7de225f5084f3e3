"""A module whose names tests change."""

k = 1.0
