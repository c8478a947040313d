"""Sequences of known truth. Nothing here is shared with what reduces them: shared errors cancel."""
