"""What the log says, for people: facts, the page of the officer, who opened a scan."""
