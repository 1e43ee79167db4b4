"""The open case: model, history, journal and log; the command line and widgets drive it."""
