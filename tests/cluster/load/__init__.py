"""Clients that write and read all the time, on any node, and write down what they did and saw."""
