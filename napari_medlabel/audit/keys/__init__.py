"""Who may speak: tokens, install keys, the officer, the site, signatures of people."""
