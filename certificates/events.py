"""What the trail says of certificates besides the use cases."""

from audit.actions import declare

declare(
    {
        "certificate.register": "A name was put under management.",
        "certificate.issue": "A version was signed and kept.",
        "certificate.status": "The expiry sweep moved a certificate on.",
        "certificate.fail": "A first issuance came to nothing.",
        "certificate.import": "A certificate that somebody else had signed was taken in.",
        "certificate.update": "What people say of a certificate was changed.",
        "certificate.archive": "A certificate was put away for good.",
        "certificate.export": "A version was downloaded.",
        "certificate.revoke": "A version was revoked, or its revocation corrected.",
        "certificate.release_hold": "A hold was taken back.",
        "certificate.bulk_revoke": "All versions that meet some criteria were to be revoked.",
        "crl.publish": "A CRL was signed and is in force.",
        "renewalpolicy.create": "A renewal policy was made.",
        "renewalpolicy.update": "A renewal policy was changed.",
        "renewalpolicy.delete": "A renewal policy that no certificate uses was deleted.",
    }
)
