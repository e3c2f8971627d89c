"""Faster versions of network modules; a test compares each with the plain module."""
