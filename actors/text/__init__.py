"""Text: normalised, measured, searched for names. Pure."""
