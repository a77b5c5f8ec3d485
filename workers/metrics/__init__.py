"""Prometheus metrics of one worker, served by its parent where FARM_METRICS_PORT is set; nothing is imported before."""
