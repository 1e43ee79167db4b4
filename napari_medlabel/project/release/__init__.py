"""What is released of a study: splits, balance, manifest and documents."""
