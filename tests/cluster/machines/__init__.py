"""The processes of a cluster: nodes, PostgreSQL, an S3 server, and what stands between them."""
