"""The rules by which data goes after so many days, and the log of their runs."""
