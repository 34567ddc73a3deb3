"""The command line client of certctl. It speaks REST and knows nothing of the server's code."""

__version__ = "0.1.0"
