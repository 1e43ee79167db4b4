"""What leaves the program: masks and landmarks as files that other programs read."""
