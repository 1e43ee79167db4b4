"""A folder from source to target: listed, cleaned, staged, published, gone on with."""
