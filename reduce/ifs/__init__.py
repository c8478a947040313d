"""From raw IFS frames to cubes: lenslets, wavelengths, extraction, square pixels."""
