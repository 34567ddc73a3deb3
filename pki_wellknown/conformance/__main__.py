"""Run it where there is no installation of certctl: `python -m pki_wellknown.conformance URL`."""

import sys

from pki_wellknown.conformance.program import main

sys.exit(main())
