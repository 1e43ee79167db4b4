"""One plane for each slice, whether it is a file, a frame or a tile."""
