"""What the trail says of issuers and keys besides the use cases."""

from audit.actions import declare

declare(
    {
        "issuer.create": "A local CA was made, with a fresh key.",
        "issuer.import": "An existing CA was taken over, with its key.",
        "issuer.update": "An issuer was renamed.",
        "issuer.enable": "An issuer may sign certificates again.",
        "issuer.disable": "An issuer signs no more certificates, but CRLs and OCSP answers.",
        "issuer.test": "An issuer was to prove that it can sign; `data.works` says whether it did.",
        "profile.create": "A profile was made.",
        "profile.update": "A profile was changed.",
        "profile.delete": "A profile under which nothing was ever issued was deleted.",
        "keys.rotate": "What is encrypted at rest was encrypted again under the first key.",
    }
)
