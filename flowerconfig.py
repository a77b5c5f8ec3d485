"""Flower's settings: `celery -A workers flower` reads this file from the folder it is started in."""

import os

# Flower's own default is every network interface, without a login. FLOWER_ADDRESS or --address say otherwise.
address = os.environ.get("FLOWER_ADDRESS", "127.0.0.1")
port = int(os.environ.get("FLOWER_PORT", "5555"))
