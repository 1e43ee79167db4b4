"""Qt: panels that show a session and ask it for changes."""
