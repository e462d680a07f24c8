"""The tests, importable by one another under one name."""
