"""A storm: a farm of real processes under faults drawn from a seed, and what must hold when it is over.

`scene` is the farm and its servers, `crew` its workers, `demand` what it is asked, `faults` and `agent` what befalls
it, `history` and `logs` what it went through, `checks` what must hold, `report` how it is told, `run` all of this in
its order. What the storm knows of the farm is its command line, its tables, its processes and its log; nothing of how
it works.
"""
