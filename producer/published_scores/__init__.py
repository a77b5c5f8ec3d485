"""Scores that others have published: a file of them, line by line (lines), brought together (read), entered (enter)."""
