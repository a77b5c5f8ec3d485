"""The commands, by what they are for: flags in, one call, text out, an exit code.

What a command needs is imported when it runs, so that `--help` answers at once.
"""
