"""The farm that is measured, and what surrounds it: its servers, models that keep the time, files, meters."""
