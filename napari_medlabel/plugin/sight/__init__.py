"""Several views of one case on one cross-hair: no Qt, no drawing."""
