"""Planes -> series on grids: grouped, stacked, placed, or refused."""
