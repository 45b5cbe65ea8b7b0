"""What tests of deliveries have in common: the server as a process, waiting with deadlines, events, doors that have bad days."""
