"""From raw frames to frames that show light alone."""
