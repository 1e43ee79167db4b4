"""Planes -> one array of values: located, decoded, scaled."""
