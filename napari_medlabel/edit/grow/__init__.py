"""Growing several segments from strokes: exact, one stroke at a time, back and forth."""
