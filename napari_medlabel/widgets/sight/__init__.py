"""The views of a case in one window: canvases, their layout, and the line below them."""
