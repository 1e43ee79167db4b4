"""A study in a folder, without a server: layout, ontology, work, reading, release."""
