"""What every table and column means, and pure functions on rows."""
