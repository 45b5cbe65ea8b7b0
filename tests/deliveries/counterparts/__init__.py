"""Destinations that are not ours, each started on loopback, with the client that reads back what came.

`docs/operate/counterparts.md` says what each proves and what it does not.
"""
