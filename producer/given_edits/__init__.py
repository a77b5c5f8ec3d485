"""Edited images that are there already: found (folder, table), checked (pictures), and entered as a run (enter)."""
