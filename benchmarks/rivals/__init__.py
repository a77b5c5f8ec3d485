"""Other ways to do the same work, each a program of its own: it reads a plan and says how long it took.

They import nothing of ours but plans and workloads, so they run in whatever environment has their library. The clock
starts when their processes are up, as it does for our farm; loading models counts.
"""
