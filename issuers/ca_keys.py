"""What a CA's private key is sealed for: whoever imports this can open one (see pyproject)."""

from foundation.sealed import Context

CA_KEY = Context("issuer:{pk}")
# One that waits for a certificate by another CA (issuers.services.requested).
REQUESTED_CA_KEY = Context("requested-ca:{pk}")
