"""The project key, what is derived from it, and the table of random codes."""
