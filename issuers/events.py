"""What the trail says of issuers and keys besides the use cases."""

from audit.actions import declare
from audit.sentences import Sentence, tell

declare(
    {
        "issuer.create": "A local CA was made, with a fresh key.",
        "issuer.import": "An existing CA was taken over, with its key.",
        "issuer.enable": "An issuer may sign certificates again.",
        "issuer.disable": "An issuer signs no more certificates, but CRLs and OCSP answers.",
        "keys.rotate": "What is encrypted at rest was encrypted again under the first key.",
    }
)

tell(
    {
        "issuer.create": Sentence("made", "make", "the issuer {it}", "an issuer"),
        "issuer.import": Sentence("took over", "take over", "the issuer {it}", "an issuer"),
        "issuer.request": Sentence(
            "made a key for", "make a key for", "the CA {it}, to be signed elsewhere", "a CA"
        ),
        "issuer.complete": Sentence(
            "brought the certificate of", "bring the certificate of", "the CA {it}", "a CA"
        ),
        "issuer.give_up": Sentence(
            "gave up, with its key,", "give up", "the CA {it}, to be signed elsewhere", "a CA"
        ),
        "issuer.update": Sentence("changed", "change", "the issuer {it}", "an issuer"),
        "issuer.enable": Sentence("enabled", "enable", "the issuer {it}", "an issuer"),
        "issuer.disable": Sentence("disabled", "disable", "the issuer {it}", "an issuer"),
        "issuer.name_successor": Sentence(
            "said who follows", "say who follows", "the issuer {it}", "an issuer"
        ),
        "issuer.test": Sentence("tested", "test", "the issuer {it}", "an issuer"),
        "keys.rotate": Sentence("encrypted again", "encrypt again", "what is encrypted at rest"),
        "profile.create": Sentence("made", "make", "the profile {it}", "a profile"),
        "profile.update": Sentence("changed", "change", "the profile {it}", "a profile"),
        "profile.delete": Sentence("deleted", "delete", "the profile {it}", "a profile"),
    }
)
