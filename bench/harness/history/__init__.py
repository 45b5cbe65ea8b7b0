"""What `bench/history` is made of: questions, the systems that answer them, and the report."""
