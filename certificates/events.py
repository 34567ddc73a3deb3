"""What the trail says of certificates besides the use cases."""

from audit.actions import declare
from audit.sentences import Sentence, tell

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

tell(
    {
        "certificate.export_list": Sentence("exported", "export", "the list of certificates"),
        "alert.raise": Sentence("raised", "raise", "the alert {it}", "an alert"),
        "alert.clear": Sentence("saw that it is over:", "clear", "the alert {it}", "an alert"),
        "alert.acknowledge": Sentence("acknowledged", "acknowledge", "the alert {it}", "an alert"),
        "certificate.adopt": Sentence(
            "put under its issuer",
            "put under its issuer",
            "what its key signed before: {it}",
            "what an issuer's key signed before",
        ),
        "certificate.archive": Sentence(
            "archived", "archive", "the certificate {it}", "a certificate"
        ),
        "certificate.export": Sentence(
            "downloaded", "download", "the certificate {it}", "a certificate"
        ),
        "certificate.fail": Sentence(
            "saw fail", "see fail", "the first issuance of {it}", "a first issuance"
        ),
        "certificate.import": Sentence(
            "imported", "import", "the certificate {it}", "a certificate"
        ),
        "certificate.issue": Sentence("issued", "issue", "the certificate {it}", "a certificate"),
        "certificate.register": Sentence(
            "put under management", "put under management", "the name {it}", "a name"
        ),
        "certificate.release_hold": Sentence(
            "released",
            "release",
            "the certificate {it} from its hold",
            "a certificate from its hold",
        ),
        "certificate.revoke": Sentence(
            "revoked", "revoke", "the certificate {it}", "a certificate"
        ),
        "certificate.status": Sentence(
            "moved on", "move on", "the status of {it}", "the status of a certificate"
        ),
        "certificate.update": Sentence(
            "changed", "change", "the certificate {it}", "a certificate"
        ),
        "crl.import": Sentence("took over", "take over", "older CRLs of {it}", "older CRLs"),
        "crl.publish": Sentence("published", "publish", "a CRL of {it}", "a CRL"),
        "renewalpolicy.create": Sentence(
            "made", "make", "the renewal policy {it}", "a renewal policy"
        ),
        "renewalpolicy.update": Sentence(
            "changed", "change", "the renewal policy {it}", "a renewal policy"
        ),
        "renewalpolicy.delete": Sentence(
            "deleted", "delete", "the renewal policy {it}", "a renewal policy"
        ),
    }
)
