"""The tests: a package, since rt-utils installs one of this name, which would hide them."""
