"""The study in a folder, as one person at a desk works on it."""
