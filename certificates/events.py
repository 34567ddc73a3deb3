"""What the trail says of certificates besides the use cases."""

from audit.actions import declare

declare(
    {
        "alert.raise": "A sweep saw what somebody has to look at.",
        "alert.clear": "What an alert was about is over.",
        "certificate.register": "A name was put under management.",
        "certificate.issue": "A version was signed and kept.",
        "certificate.status": "The expiry sweep moved a certificate on.",
        "certificate.fail": "A first issuance came to nothing.",
    }
)
