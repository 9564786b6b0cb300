"""Acknowledgements: who is asked, what is written, and how it is read."""
