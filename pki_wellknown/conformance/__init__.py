"""Does an installation keep the rules for relying parties? Asked from outside, as they ask.

Pure of Django and of our database: it fetches a CA certificate, a CRL and OCSP answers by http,
from certctl or from anything else, and holds them against RFC 5280, 6960, 9654, 9919 and 9110 and
the Baseline Requirements. `rules` has the registry, one module of rules for each part.
"""
