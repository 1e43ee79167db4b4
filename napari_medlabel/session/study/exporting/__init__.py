"""Exporting a study: a wish, a plan that gates judge, and a data set written of it."""
