"""The statistics of scores: what is known of a mean, of two runs beside each other, of scorers among themselves.

Everything here takes arrays of numbers and knows neither runs nor the ledger. A failure never enters as a number.
"""
