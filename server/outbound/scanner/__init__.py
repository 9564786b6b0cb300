"""Scanners of files: clamd over a socket, or a command of the operator's."""
