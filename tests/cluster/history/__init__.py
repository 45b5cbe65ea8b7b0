"""What clients did and saw, and whether a log could have answered so.

`record` is what is written down, `check` the judge, `tree` what it knows of checkpoints. Nothing here talks to a server.
"""
