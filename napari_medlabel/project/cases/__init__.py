"""The cases of a study: records, adding through de-identification, versions of readings."""
