"""The independent search of written files: it shares only the byte reader with the engine."""
