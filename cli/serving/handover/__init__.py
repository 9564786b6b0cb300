"""One server process hands over to the next: neither a request nor a connection is refused. See
`docs/design/handover.md`."""
