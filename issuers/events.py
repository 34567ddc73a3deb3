"""What the trail says of issuers and keys besides the use cases."""

from audit.actions import declare

declare(
    {
        "issuer.create": "A local CA was made, with a fresh key.",
        "issuer.import": "An existing CA was taken over, with its key.",
        "issuer.enable": "An issuer may sign certificates again.",
        "issuer.disable": "An issuer signs no more certificates, but CRLs and OCSP answers.",
        "keys.rotate": "What is encrypted at rest was encrypted again under the first key.",
    }
)
