"""What becomes of an attribute: PS3.15's tables as data, options, site rules, judgement."""
