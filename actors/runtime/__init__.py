"""Pykka actors on the event loop: their inboxes, their futures, whose turn it is."""
