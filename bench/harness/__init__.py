"""What `bench/run` is made of: the subject, its peers, and the table."""
