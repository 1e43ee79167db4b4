"""Secrets at rest: under a passphrase, in a file for its owner alone, in the keyring."""
