"""The writing half: a batch of commands becomes one transaction."""
