"""The Virtual Observatory: a release asked in ADQL over TAP, by position, by image, and by link."""
