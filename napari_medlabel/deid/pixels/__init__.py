"""Pixel data: exactly what is described, text blanked, coded again without loss."""
