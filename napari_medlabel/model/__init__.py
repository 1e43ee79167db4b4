"""The nouns: volumes, label maps and landmarks."""
