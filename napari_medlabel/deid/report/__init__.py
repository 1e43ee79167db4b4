"""What was done or would be: counts, rules in words, pages, the review of images."""
